// Chapter 1: the size formula.

export default {
  "size.title": "How large is what comes out?",
  "size.intro":
    "A convolution slides a small window, the <em>kernel</em>, over its input and writes one number for each place where it stands. How many places are there? Count along one axis: <i>n</i> samples, <i>p</i> samples of padding on each side, a kernel of <i>k</i> taps that are <i>d</i> apart, and <i>s</i> samples from one place to the next.",
  "size.figure": "Size of the output of a convolution",
  "size.dims": "Drawn as",
  "size.one": "signal (1-D)",
  "size.two": "picture (2-D)",
  "size.n": "Input",
  "size.p": "Padding, each side",
  "size.k": "Kernel",
  "size.s": "Stride",
  "size.d": "Dilation",
  "size.step": "Place of the kernel",
  "size.same": "Padding “same”",
  "size.input": "Input {n}, with padding {padded}",
  "size.output": "Output {out}",
  "size.nothing": "No output",
  "size.of": "{at} of {all}",
  "size.drawing": "A kernel of {k} taps per axis at place {at} of {all}, on an input of {n} samples per axis with {p} of padding on each side",
  "size.right": "The formula",
  "size.printed": "As the notes print it",
  "size.spoken": "the integer part of n {sign} 2 p minus d times k minus 1, minus 1, over s; plus 1",
  "size.plus": "plus",
  "size.minus": "minus",
  "size.why":
    "The notes print −2<i>p</i>. Padding <em>adds</em> <i>p</i> samples at either end, so the kernel has {padded} samples to stand on, not {cut}: there are {out} places, and the notes’ sign counts {printed}.",
  "size.whynone": "Without padding the sign makes no difference. Give it some: the notes’ formula then loses 2<i>p</i> samples that are there, instead of gaining 2<i>p</i> that were added.",
  "size.toolarge": "The kernel reaches over {reach} samples and there are {padded}: it stands nowhere, and there is no output. A result below 1 means just that.",
  "size.unread": "The division is rounded down because the last step would leave the input: {unread} at the end of each axis are never read.",
  "size.allread": "Here the last window ends with the last sample.",
  "size.samples": "{count} samples",
  "size.sample": "1 sample",
  "size.caption":
    "Padding is hatched, the taps of the kernel are filled, and the output cell that they make is orange. Point at a cell of the output, or move the slider, to put the kernel elsewhere. “Same” is the padding that leaves the size as it is at a stride of 1, p = d(k − 1)/2: every branch of an Inception module has it, or the four could not be laid on each other. With an even number of taps it does not exist in equal halves.",
};
