// What tells the networks called GoogLeNet apart: docs/which-googlenet.md as data. A cell names a text pretrained.cell.ROW.VALUE.

const three = (change) => (value) => [0, 1, 2].map((at) => change(value, at));
const [MEAN, STD] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]; // of ImageNet

/** The networks; `pixel` is what the first convolution is given for a pixel of that brightness, channel after channel. */
export const NETWORKS = [
  { id: "paper", pixel: null },
  { id: "bvlc", record: "googlenet.bvlc", pixel: three((value, at) => value - [104, 117, 123][at]) },
  { id: "slim", record: "googlenet_slim.imagenet1k_2016", pixel: three((value) => value / 127.5 - 1) },
  {
    id: "torchvision",
    record: "googlenet_torchvision.imagenet1k",
    pixel: three((value) => (value / 255 - 0.5) / 0.5),
    untransformed: three((value, at) => (value / 255 - MEAN[at]) / STD[at]),
  },
  { id: "keras", pixel: three((value, at) => value - [103.939, 116.779, 123.68][at]) },
  { id: "inception5h", pixel: three((value) => value - 117) },
];

/** Rows of the table: for each network, in the order above, which text it has. */
export const ROWS = {
  third: ["five", "five", "three", "three", "five", "five5h"],
  after: ["bias", "bias", "batch", "batchscale", "bias", "bias"],
  epsilon: ["none", "none", "milli", "milli", "none", "none"],
  response: ["paper", "paper", "none", "none", "paper", "wide"],
  first: ["half", "three", "same", "three", "three", "same"],
  pools: ["same", "up", "tensorflow", "ceil", "helper", "tensorflow"],
  fourth: ["three", "three", "two", "two", "three", "three"],
  auxiliary: ["there", "trained", "none", "untrained", "trained", "flattened"],
  dropout: ["forty", "forty", "twenty", "twentyaux", "forty", "absent"],
  input: ["mean", "caffe", "unit", "imagenet", "keras", "grey"],
  classes: ["c1000", "c1000", "c1001", "c1000", "c1000", "c1008"],
  returns: ["unsaid", "caffe", "slim", "torchvision", "keras", "graph"],
  here: ["googlenet", "caffe", "slim", "torchvision", "unread", "inception5h"],
};

/** Cells that say more than the paper does and do not contradict it. */
export const AS_THE_PAPER = {
  first: ["three"],
  pools: ["up", "ceil"],
  auxiliary: ["trained"],
  returns: ["caffe", "slim", "keras", "graph"],
  here: ["caffe", "slim", "torchvision", "unread", "inception5h"],
};

/** Questions that a file answers; `of` is each network's answer, null where the network has no file. */
export const QUESTIONS = {
  third: { answers: ["five", "three"], of: ["five", "five", "three", "three", "five", "five"] },
  norm: { answers: ["bias", "batch"], of: ["bias", "bias", "batch", "batch", "bias", "bias"] },
  classes: { answers: ["c1000", "c1001", "c1008"], of: ["c1000", "c1000", "c1001", "c1000", "c1000", "c1008"] },
  heads: { answers: ["yes", "no"], of: ["yes", "yes", "no", "yes", "yes", "yes"] },
  mixed: { answers: ["m512", "m508"], of: ["m512", "m512", "m512", "m512", "m512", "m508"] },
};

/** Known problems of each network: texts pretrained.problem.NAME, with where they were reported. */
export const PROBLEMS = {
  third: { of: ["slim", "torchvision"], link: "https://github.com/pytorch/vision/issues/906" },
  transform: { of: ["torchvision"], link: "https://github.com/pytorch/vision/issues/4136" },
  untrained: { of: ["torchvision"], link: "https://github.com/pytorch/vision/pull/828" },
  swapped: { of: ["torchvision"], link: "https://github.com/pytorch/vision/issues/8736" },
  padding: { of: ["slim", "torchvision"], link: "https://github.com/ethereon/caffe-tensorflow/issues/98" },
  missing: { of: ["paper"], link: "https://github.com/pytorch/vision/issues/2634" },
  order: { of: ["bvlc", "keras"], link: "https://github.com/BVLC/caffe/tree/master/models/bvlc_googlenet" },
  zoo: { of: ["bvlc"], link: "https://github.com/onnx/models/issues/11" },
  lucid: { of: ["inception5h"], link: "https://github.com/greentfrapp/lucent/pull/51" },
  background: { of: ["slim"], link: "https://github.com/tensorflow/models/blob/master/research/slim/nets/inception_v1.py" },
};

/** Networks that fit the answers given so far. */
export const fitting = (answers) =>
  NETWORKS.filter((network, at) => Object.entries(answers).every(([question, answer]) => !answer || QUESTIONS[question].of[at] === answer));
