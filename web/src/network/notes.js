// What a file says of itself, looked at before it is run: that it is one of ours, of a version and a size that the page
// can bear.

import { SentenceError } from "./errors.js";

const NOTES = "googlenet-page"; // the key of googlenet.apps.page.graphs.file
const PLAIN = "googlenet"; // of a file of googlenet export, for programs
const VERSION = 1;
const MOST = { classes: 100_000, switches: 10_000, side: 1024, length: 1 << 20, channels: 4096, members: 256 };

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
  const { kind, classes, input_shape: shape, modules, switches, arch, preprocessing } = notes;
  return (
    ["picture", "signal"].includes(kind) &&
    isList(classes, MOST.classes, (name) => typeof name === "string") &&
    new Set(classes).size === classes.length &&
    isShape(kind, shape) &&
    isList(notes.view_shape, 3, (n) => isCount(n, MOST.length)) &&
    isList(modules, 1000, isModule) &&
    isList(notes.edges, MOST.switches, ({ name, modules: own }) =>
      typeof name === "string" && isList(own, 1000, (module) => modules.some((one) => one.name === module))) &&
    isCount(notes.points, 1000) && notes.points > 2 &&
    Array.isArray(switches) && switches.length <= MOST.switches && switches.every(isSwitch) &&
    isCount(arch?.members, MOST.members) &&
    isList(arch?.stages, 1000, (stage) => isList(stage?.layers, 1000, (layer) => typeof layer?.name === "string")) &&
    typeof preprocessing === "object" && preprocessing?.kind === kind
  );
}

const isCount = (value, most) => Number.isInteger(value) && value > 0 && value <= most;
const isList = (value, most, check) => Array.isArray(value) && isCount(value.length, most) && value.every(check);

function isShape(kind, shape) {
  if (kind === "picture") {
    return shape?.length === 3 && [1, 3].includes(shape[0]) && isCount(shape[1], MOST.side) && shape[1] === shape[2];
  }
  return shape?.length === 2 && isCount(shape[0], MOST.channels) && isCount(shape[1], MOST.length);
}

const isModule = (module) =>
  typeof module?.name === "string" &&
  isList(module.branches, 64, ({ name, from, to }) =>
    typeof name === "string" && Number.isInteger(from) && from >= 0 && Number.isInteger(to) && to > from);

const isSwitch = (row) =>
  typeof row?.name === "string" && ["branch", "kernel", "reduce"].includes(row.kind) && Number.isFinite(row.default);
