// Chapter 5: auxiliary classifiers.

export default {
  "auxiliary.title": "Do auxiliary classifiers cure vanishing gradients?",
  "auxiliary.intro":
    "The deeper a network, the longer the way back from its loss to its first layers, and a gradient that is multiplied at every step may fade. The paper hangs two small classifiers on modules 4a and 4d: in training their losses, times 0.3, are added, so that a gradient enters halfway; afterwards they are thrown away. This is what the notes say, and what the paper says. We measured it: the published network without batch norm, at a quarter of its width, on handwritten digits at 56 pixels, three seeds, with and without the two.",
  "auxiliary.figure": "Gradient norm by layer, with and without auxiliary classifiers",
  "auxiliary.epoch": "Epoch",
  "auxiliary.with": "with auxiliary classifiers",
  "auxiliary.without": "without",
  "auxiliary.norm": "median gradient norm",
  "auxiliary.chart": "Median gradient norm of the layers in epoch {epoch}, with and without auxiliary classifiers, which stand on 4a and 4d",
  "auxiliary.now": "Epoch {epoch}: at conv1, the far end of the way back, the norm is {with} with them and {without} without. At 4c, between the two, it is {with4c} and {without4c}.",
  "auxiliary.accuracy": "Test accuracy after {epochs} epochs, a dot for each seed",
  "auxiliary.dots": "Accuracies with auxiliary classifiers: {with}; without: {without}",
  "auxiliary.verdict":
    "<b>It does not show the cure.</b> With He’s initialisation no gradient vanishes in either case. In the first epoch the gradient at conv1 is a little larger with them, {with} to {without}, but from 3a upwards it is smaller. After {epochs} epochs the accuracy differs more between seeds than between the two. This is a small trial of a small network: it says nothing about the network of 2014, which began from other random numbers; it does say that the cure is not to be had by hanging classifiers on any network that is deep. The paper’s authors came to doubt it too, and took them for regularisers (Szegedy et al. 2016, section 4).",
  "auxiliary.table": "All numbers",
  "auxiliary.caption": "Median gradient norm by layer in the epoch that is shown",
  "auxiliary.layer": "layer",
  "auxiliary.source": "Medians over batches and three seeds, from <code>benchmarks/aux_gradients.json</code>; <code>make bench-aux-gradients</code> measures them again. Dotted: where the auxiliary classifiers stand. The scale is the same in all epochs.",
};
