// The little of ONNX's encoding, protocol buffers, that the page reads itself: before a file is run, what it says of
// itself, and the parts that its graphs share.

import { SentenceError } from "./errors.js";

export const LARGEST = 512 * 2 ** 20; // bytes of a file: more than any network of ours has
const FIELDS = 200_000; // of a message
const TEXT = 64 * 2 ** 20; // bytes of what a file says of itself

const MODEL = { graph: 7, metadata: 14 };
const GRAPH = { node: 1, initializer: 5 };
const NODE_INPUT = 1, TENSOR_NAME = 8;
const ENTRY = { key: 1, value: 2 };

class Damaged extends Error {}

// A number of seven bits a byte, and the place behind it.
function varint(bytes, at) {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (at >= bytes.length) throw new Damaged();
    const byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
  throw new Damaged();
}

/** The fields of a message that are bytes: `[number, bytes, whole]`, whole with the field's own head. */
function* fieldsOf(bytes) {
  let at = 0;
  for (let count = 0; at < bytes.length; count++) {
    if (count > FIELDS) throw new Damaged();
    const start = at;
    let head, size;
    [head, at] = varint(bytes, at);
    const [number, kind] = [Math.floor(head / 8), head % 8];
    if (number === 0) throw new Damaged();
    if (kind === 0) [, at] = varint(bytes, at);
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind === 2) {
      [size, at] = varint(bytes, at);
      if (size > bytes.length - at) throw new Damaged();
      yield [number, bytes.subarray(at, at + size), bytes.subarray(start, at + size)];
      at += size;
    } else throw new Damaged();
    if (at > bytes.length) throw new Damaged();
  }
}

/** What a model says of itself: `{key: text}`, and its graph. Throws a SentenceError if the bytes are no whole model. */
export function readModel(bytes) {
  if (bytes.length > LARGEST) throw new SentenceError("model.large", { most: LARGEST / 2 ** 20 });
  if (!bytes.length) throw new SentenceError("model.empty");
  try {
    const metadata = {};
    const graphs = [];
    for (const [number, content] of fieldsOf(bytes)) {
      if (number === MODEL.graph) graphs.push(content);
      if (number === MODEL.metadata) {
        const entry = Object.fromEntries([...fieldsOf(content)].map(([place, text]) => [place, text]));
        if (content.length > TEXT) throw new Damaged();
        metadata[textOf(entry[ENTRY.key])] = textOf(entry[ENTRY.value]);
      }
    }
    if (graphs.length !== 1) throw new Damaged();
    return { metadata, graph: graphs[0] };
  } catch (error) {
    if (error instanceof SentenceError) throw error;
    throw new SentenceError("model.none");
  }
}

const textOf = (bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes ?? new Uint8Array());

/**
 * A second model with those weights of the first that it reads: protocol buffers that follow each other belong together.
 * @param {Uint8Array} model whose graph lacks weights. @param {Uint8Array} graph that has them.
 */
export function withWeights(model, graph) {
  const read = new Set();
  const own = fieldOf(model, MODEL.graph);
  for (const [number, node] of fieldsOf(own)) {
    if (number === GRAPH.node) [...fieldsOf(node)].forEach(([place, name]) => place === NODE_INPUT && read.add(textOf(name)));
  }
  const weights = [...fieldsOf(graph)]
    .filter(([number, tensor]) => number === GRAPH.initializer && read.has(textOf(fieldOf(tensor, TENSOR_NAME))))
    .map(([, , whole]) => whole);
  const size = weights.reduce((sum, part) => sum + part.length, 0);
  return joined([model, Uint8Array.from([MODEL.graph * 8 + 2, ...varintOf(size)]), ...weights]);
}

const fieldOf = (message, wanted) => [...fieldsOf(message)].find(([number]) => number === wanted)?.[1];

function varintOf(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
