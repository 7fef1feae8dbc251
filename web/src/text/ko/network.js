// x
export default { "network.title": "x", "network.intro": "x", "network.figure": "x","network.heading":"x","network.costs":"x","network.costfigure":"x" };
