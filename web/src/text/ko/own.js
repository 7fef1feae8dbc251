// x
export default { "own.title": "x", "own.intro": "x", "own.figure": "x" };
