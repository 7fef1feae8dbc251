// x
export default { "signals.title": "x", "signals.intro": "x", "signals.figure": "x","signals.answer":"x" };
