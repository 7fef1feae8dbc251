// A network of `googlenet export --page`, opened: what it answers, what there is to see on the way, and what its branches
// contribute.

import { Paths, checkGraphs } from "./contributions.js";
import { SentenceError } from "./errors.js";
import { readModel } from "./onnx.js";
import { checkedNotes } from "./notes.js";
import { run, sessionOf } from "./runtime.js";

/**
 * Opens a file of `googlenet export --page`. What it says of itself is looked at before anything of it is run.
 * @param {Uint8Array} bytes
 * @returns {Promise<Network>}
 */
export async function openNetwork(bytes) {
  const { metadata, graph } = readModel(bytes);
  const notes = checkedNotes(metadata);
  checkGraphs(metadata);
  let session;
  try {
    session = await sessionOf(bytes);
  } catch {
    throw new SentenceError("model.damaged");
  }
  const network = new Network(notes, session, metadata, graph);
  await network.check();
  return network;
}

export class Network {
  #session;
  #paths;

  constructor(notes, session, metadata, graph) {
    this.notes = notes;
    this.kind = notes.kind;
    this.classes = notes.classes;
    this.inputShape = notes.input_shape;
    this.spec = notes.arch;
    this.modules = notes.modules;
    this.switches = notes.switches;
    this.layers = notes.arch.stages.flatMap((stage) => stage.layers.map((layer) => layer.name));
    this.#session = session;
    this.#paths = new Paths(notes, metadata, graph);
  }

  /** That it is whole: it answers something of no meaning as its notes say. */
  async check() {
    const size = this.inputShape.reduce((product, n) => product * n, 1);
    const input = this.kind === "picture" ? new Uint8Array(size) : new Float32Array(size);
    let answer;
    try {
      answer = await this.answer(input);
    } catch {
      throw new SentenceError("model.damaged");
    }
    if (!answer.isOf(this.notes)) throw new SentenceError("model.damaged");
  }

  /**
   * What it says of a prepared input.
   * @param {Uint8Array | Float32Array} input as its notes' input_shape says.
   * @param {Object<string, number>} switches that are not as the network was trained, by name.
   */
  async answer(input, switches = {}) {
    const values = Float32Array.from(this.switches, ({ name, default: usual }) => switches[name] ?? usual);
    const outputs = await run(this.#session, {
      input: { data: input, dims: [1, ...this.inputShape] },
      switches: { data: values, dims: [values.length] },
    });
    return new Answer(this, outputs);
  }

  /**
   * What each branch of each module contributes to the difference between the logits of two classes; in a residual stage
   * its shortcut, too. Each module's sum to the difference. Without switches; some seconds.
   * @param {(share: number) => void} progress
   * @returns {Promise<{difference: number, contributions: Object, closes: boolean, points: number}>}
   */
  contributions(input, label, against, progress = undefined) {
    return this.#paths.of(input, label, against, progress);
  }
}

export class Answer {
  #network;
  #outputs;

  constructor(network, outputs) {
    this.#network = network;
    this.#outputs = outputs;
    this.probabilities = outputs.probabilities.data;
    this.logits = outputs.logits.data;
  }

  /** Whether all that there is to see is there, in numbers and in shapes that the notes say. */
  isOf({ kind, classes, arch, modules, switches }) {
    const axes = kind === "picture" ? 2 : 1;
    const has = (name, channels, places = axes) => {
      const { data, dims } = (Object.hasOwn(this.#outputs, name) && this.#outputs[name]) || {};
      const width = channels ?? Math.floor(dims?.[1] / arch.members) * arch.members;
      return data instanceof Float32Array && dims.length === 2 + places && dims[0] === 1 && dims[1] === width && data.length > 0;
    };
    const widths = new Map(modules.map(({ name, branches }) => [name, branches.at(-1).to * arch.members]));
    return (
      ["probabilities", "logits"].every((name) => has(name, classes.length, 0) && this[name].every(Number.isFinite)) &&
      has("cam", classes.length) &&
      arch.stages.every(({ layers }) => layers.every(({ name }) => has(name, widths.get(name)))) &&
      switches.every((row) => row.kind !== "reduce" || has(row.name, row.default * arch.members))
    );
  }

  /** What each place adds to the logit of class k, the mean over members: a map of one channel. */
  cam(k) {
    const { data, dims } = this.#outputs.cam;
    return part(data, dims, k, k + 1);
  }

  /** What a layer (`conv1`, `3a`) or a reduction (`3a.5x5.reduce`) gives; of members, the first one's. */
  map(name) {
    const { data, dims } = this.#outputs[name];
    return part(data, dims, 0, dims[1] / this.#network.spec.members);
  }

  /** What a branch gives, its channels of its module's; of members, the first one's. */
  branch(module, branch) {
    const { branches } = this.#network.modules.find(({ name }) => name === module);
    const range = branches.find(({ name }) => name === branch);
    const { data, dims } = this.#outputs[module];
    return part(data, dims, range.from, range.to);
  }
}

// Channels of an output (1, channels, *spatial), without a copy.
function part(data, dims, from, to) {
  const [height, width] = dims.length === 4 ? dims.slice(2) : [1, dims[2]];
  return { data: data.subarray(from * height * width, to * height * width), channels: to - from, height, width };
}
