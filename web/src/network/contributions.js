// What each branch contributes to the difference between two classes' logits: googlenet.explain.branches, by graphs that
// compute the network forwards and backwards at points of the path from a neutral input to the example.

import { SentenceError } from "./errors.js";
import { neutral } from "./neutral.js";
import { readModel, withWeights } from "./onnx.js";
import { bytesOf, run, sessionOf } from "./runtime.js";

const PATH = "googlenet-page-path", NEUTRAL = "googlenet-page-neutral"; // of googlenet.apps.page.graphs.file
const CLOSES = 0.008; // of the difference: how far sums may be from it
const FIRST_STEPS = 16, PARTS = 4; // of the path at first, and of a step that does not close
const MOST_POINTS = 4096;

/** That the further graphs are there. Throws a SentenceError if they are not. */
export function checkGraphs(metadata) {
  try {
    for (const key of [PATH, NEUTRAL]) readModel(bytesOf(metadata[key]));
  } catch {
    throw new SentenceError("model.damaged");
  }
}

export class Paths {
  #graphs;
  #notes;
  #sessions = {};

  /** @param {Object} notes of a file, @param {Object} metadata with its further graphs, @param {Uint8Array} graph its own. */
  constructor(notes, metadata, graph) {
    this.#notes = notes;
    this.#graphs = { metadata, graph };
  }

  /**
   * @param {Uint8Array | Float32Array} input prepared. @param {number} label a class. @param {number} against another.
   * @param {(share: number) => void} progress from 0 to 1, which may stand still for a while.
   * @returns {Promise<{difference: number, contributions: Object, closes: boolean, points: number}>}
   */
  async of(input, label, against, progress = () => {}) {
    const direction = new Float32Array(this.#notes.classes.length);
    direction[label] = 1;
    direction[against] -= 1;
    const given = { input, direction, start: null };
    given.start = await this.#neutral(given);
    let known = await this.#steps(given, parted(0, 1, FIRST_STEPS));
    const difference = known.reduce((sum, step) => sum + step.difference, 0);
    const allowed = CLOSES * Math.abs(difference);
    const first = widest(summed(known));
    let points = FIRST_STEPS + 1;
    for (let gap = first; gap > allowed && points < MOST_POINTS; gap = widest(summed(known))) {
      progress(Math.max(0, Math.log(first / gap) / Math.log(first / allowed)));
      known.sort((one, other) => widest(other.gaps) - widest(one.gaps));
      const worst = known.splice(0, Math.max(4, Math.floor(known.length / 4)));
      known.push(...(await this.#steps(given, worst.flatMap(({ from, to }) => parted(from, to, PARTS)))));
      points += worst.length * (PARTS + 1);
    }
    progress(1);
    return this.#result(known, difference, points);
  }

  #result(known, difference, points) {
    const contributions = Object.fromEntries(this.#notes.modules.map(({ name }) => [name, {}]));
    this.#notes.edges.forEach(({ name, modules }, edge) => {
      const share = known.reduce((sum, { shares }) => sum + shares[edge], 0);
      for (const module of modules) contributions[module][name] = share;
    });
    const off = Object.values(contributions).map((row) => Object.values(row).reduce((sum, share) => sum + share, -difference));
    return { difference, contributions, points, closes: Math.max(...off.map(Math.abs)) <= 0.01 * Math.abs(difference) };
  }

  async #neutral(given) {
    const mean = new Float32Array(this.#notes.view_shape.reduce((product, n) => product * n, 1));
    const own = (await this.#path(given, mean, [1])).values[0];
    return neutral((point) => this.#slope(given, point), mean, 1e-4 * Math.abs(own));
  }

  async #slope({ direction }, point) {
    const inputs = { point: this.#view(point), direction: { data: direction, dims: [direction.length] } };
    const { value, slope } = await run(await this.#session(NEUTRAL), inputs);
    return { value: value.data[0], slope: slope.data };
  }

  /** What passes on each step of the path, as many steps at once as their ends are points of the graph. */
  async #steps(given, steps) {
    const found = [];
    for (let at = 0; at < steps.length; ) {
      const places = [];
      const group = [];
      for (; at < steps.length && places.length + extra(places, steps[at]) <= this.#notes.points; at++) {
        const [from, to] = steps[at];
        if (places.at(-1) !== from) places.push(from);
        places.push(to);
        group.push({ from, to, row: places.length - 2 });
      }
      const { shares, values } = await this.#path(given, given.start, places);
      const edges = this.#notes.edges.length;
      for (const { from, to, row } of group) {
        const own = shares.subarray(row * edges, (row + 1) * edges);
        const difference = values[row + 1] - values[row];
        found.push({ from, to, shares: own, difference, gaps: this.#gaps(own, difference) });
      }
    }
    return found;
  }

  /** How far the sum of each module is from the difference. */
  #gaps(shares, difference) {
    const sums = Object.fromEntries(this.#notes.modules.map(({ name }) => [name, -difference]));
    this.#notes.edges.forEach(({ modules }, edge) => modules.forEach((module) => (sums[module] += shares[edge])));
    return Object.values(sums);
  }

  async #path({ input, direction }, start, places) {
    const { points, input_shape: shape } = this.#notes;
    const data = Float32Array.from({ length: points }, (_, at) => places[Math.min(at, places.length - 1)]);
    const outputs = await run(await this.#session(PATH), {
      input: { data: input, dims: [1, ...shape] },
      start: this.#view(start),
      places: { data, dims: [points] },
      direction: { data: direction, dims: [direction.length] },
    });
    const { shares, values } = outputs;
    const whole = shares?.data.length === (points - 1) * this.#notes.edges.length && values?.data.length === points;
    if (!whole) throw new SentenceError("model.damaged");
    return { shares: shares.data, values: values.data };
  }

  #view = (data) => ({ data, dims: [1, ...this.#notes.view_shape] });

  async #session(key) {
    if (!this.#sessions[key]) {
      this.#sessions[key] = sessionOf(withWeights(bytesOf(this.#graphs.metadata[key]), this.#graphs.graph));
      this.#sessions[key].catch(() => delete this.#sessions[key]);
    }
    try {
      return await this.#sessions[key];
    } catch {
      throw new SentenceError("model.damaged");
    }
  }
}

const extra = (places, [from]) => (places.at(-1) === from ? 1 : 2);
const parted = (from, to, parts) =>
  Array.from({ length: parts }, (_, at) => [from + ((to - from) * at) / parts, from + ((to - from) * (at + 1)) / parts]);
const summed = (known) => known[0].gaps.map((_, module) => known.reduce((sum, { gaps }) => sum + gaps[module], 0));
const widest = (gaps) => Math.max(...gaps.map(Math.abs));
