// x
export default { "pretrained.title": "x", "pretrained.intro": "x", "pretrained.figure": "x" };
