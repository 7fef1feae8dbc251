// x
export default { "auxiliary.title": "x", "auxiliary.intro": "x", "auxiliary.figure": "x" };
