// What a file says of itself, looked at before it is run: that it is one of ours, of a version and a size that the page
// can bear.

import { SentenceError } from "./errors.js";

const NOTES = "googlenet-page"; // the key of googlenet.apps.page.graphs.file
const PLAIN = "googlenet"; // of a file of googlenet export, for programs
const VERSION = 1;
const MOST = { classes: 100_000, letters: 10_000, switches: 10_000, side: 2048, length: 1 << 20, channels: 4096, members: 256 };
const NUMBERS = 1 << 26; // that a network reads of an input
const LAYERS = 1000, BRANCHES = 64, KERNEL = 512, WIDE = 65_536; // as googlenet.limits has them
const NAME = /^(?!__proto__$)[\w -]{1,256}$/; // of a layer or a branch

/** The notes of a file. Throws a SentenceError for a file that the page does not read. */
export function checkedNotes(metadata) {
  if (!Object.hasOwn(metadata, NOTES)) {
    throw new SentenceError(Object.hasOwn(metadata, PLAIN) ? "model.plain" : "model.foreign");
  }
  let notes;
  try {
    notes = JSON.parse(metadata[NOTES]);
  } catch {
    throw new SentenceError("model.damaged");
  }
  if (notes?.version !== VERSION) throw new SentenceError("model.version", { version: String(notes?.version).slice(0, 20) });
  if (!isWhole(notes)) throw new SentenceError("model.damaged");
  return notes;
}

function isWhole(notes) {
  const { kind, classes, input_shape: shape, arch, preprocessing } = notes;
  return (
    ["picture", "signal"].includes(kind) &&
    isList(classes, MOST.classes, (name) => typeof name === "string" && name.length <= MOST.letters) &&
    new Set(classes).size === classes.length &&
    preprocessing?.kind === kind &&
    (kind === "picture" ? isForPictures(preprocessing, shape) : isForSignals(preprocessing, shape)) &&
    isCount(arch?.members, MOST.members) &&
    isView(notes, shape) &&
    isList(arch.stages, LAYERS, (stage) => isList(stage?.layers, LAYERS, isLayer)) &&
    isOfLayers(notes) &&
    isCount(notes.points, 1000) && notes.points > 2
  );
}

const isWholeFrom = (value, least, most) => Number.isInteger(value) && value >= least && value <= most;
const isCount = (value, most) => isWholeFrom(value, 1, most);
const isList = (value, most, check) => Array.isArray(value) && isCount(value.length, most) && value.every(check);
const isRow = (value, length) => Array.isArray(value) && value.length === length && value.every(Number.isFinite);
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// ImagePreprocessing, as Python looks at it.
function isForPictures({ channels, size, resize, mean, std }, shape) {
  return (
    [1, 3].includes(channels) && isCount(size, MOST.side) && isCount(resize, MOST.side) &&
    isRow(mean, channels) && isRow(std, channels) && std.every((value) => value > 0) &&
    isSame(shape, [channels, size, size])
  );
}

// SignalPreprocessing, as googlenet.data.signals.preparation.check looks at it.
function isForSignals({ channels, length, mean, std, slope, low, high, constant, longest }, shape) {
  return (
    isCount(channels, MOST.channels) && isCount(length, MOST.length) && channels * length <= NUMBERS &&
    [mean, std, slope, low, high].every((row) => isRow(row, 0) || isRow(row, channels)) &&
    mean.length === std.length && low.length === high.length &&
    std.every((value) => value > 0) && slope.every((value) => value >= 0) &&
    Array.isArray(constant) && constant.length <= channels && constant.every((at) => isWholeFrom(at, 0, channels - 1)) &&
    isWholeFrom(longest, 0, Number.MAX_SAFE_INTEGER) &&
    isSame(shape, [channels + slope.length, length])
  );
}

// What the members see of an input, side by side.
function isView({ kind, arch, view_shape: view }, shape) {
  if (!isRow(view, shape.length) || !isSame(view.slice(1), shape.slice(1))) return false;
  const most = kind === "picture" ? shape[0] : shape[0] * arch.members;
  return isCount(view[0], most) && view.reduce((product, n) => product * n, 1) <= NUMBERS;
}

const isLayer = (layer) =>
  NAME.test(layer?.name) && (layer.type !== "inception" || isList(layer.branches, BRANCHES, isBranch));

function isBranch(branch) {
  const { name, kernel, dilation, reduce, pool, channels } = branch ?? {};
  const optional = (value) => value === null || isCount(value, WIDE);
  return NAME.test(name) && isCount(kernel, KERNEL) && isCount(dilation, KERNEL) && [reduce, pool, channels].every(optional);
}

// Modules, switches and edges are those of the layers, in their order.
function isOfLayers({ arch, modules, switches, edges }) {
  const layers = arch.stages.flatMap((stage) => stage.layers);
  if (layers.length > LAYERS || !areDifferent(layers)) return false;
  const inception = layers.filter(({ type }) => type === "inception");
  if (!isList(modules, LAYERS, (module, at) => isModule(module, inception[at])) || modules.length !== inception.length) return false;
  const expected = switchesOf(modules);
  return expected.length <= MOST.switches && isSame(switches, expected) && isSame(edges, edgesOf(arch));
}

const areDifferent = (rows) => new Set(rows.map(({ name }) => name)).size === rows.length;

function isModule(module, layer) {
  if (!layer || module?.name !== layer.name || module.branches?.length !== layer.branches.length) return false;
  let end = 0;
  return areDifferent(layer.branches) && layer.branches.every((branch, at) => {
    const row = module.branches[at];
    const width = branch.channels ?? row?.to - end;
    const whole = isCount(width, WIDE) && row?.from === end && row.to === end + width;
    end += width;
    return whole && ["name", "kernel", "dilation", "reduce", "pool"].every((key) => row[key] === branch[key]);
  });
}

// googlenet.apps.page.graphs.network.switches_of
const switchesOf = (modules) =>
  modules.flatMap((module) =>
    module.branches.flatMap(({ name, kernel, reduce }) => [
      { name: `${module.name}.${name}`, kind: "branch", default: 1 },
      ...(kernel > 1 ? [{ name: `${module.name}.${name}.kernel`, kind: "kernel", default: kernel }] : []),
      ...(reduce ? [{ name: `${module.name}.${name}.reduce`, kind: "reduce", default: reduce }] : []),
    ]),
  );

// googlenet.apps.page.graphs.path.edges_of
const edgesOf = ({ stages }) =>
  stages.flatMap(({ layers, residual }) => {
    const modules = layers.filter(({ type }) => type === "inception");
    const own = modules.flatMap((module) => module.branches.map(({ name }) => ({ name, modules: [module.name] })));
    return residual ? [...own, { name: "shortcut", modules: modules.map(({ name }) => name) }] : own;
  });
