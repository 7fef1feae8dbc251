// Files of the reader: a picture, a table of signals, or a network.

import { signalsFromCsv } from "../inputs/csv.js";
import { SentenceError } from "../network/errors.js";
import { openNetwork } from "../network/network.js";
import { LARGEST } from "../network/onnx.js";
import { hasText, plain, text } from "./language.js";
import { showExample, showPicture } from "./pictures.js";
import { showChannels, showSignal } from "./signals.js";

/**
 * Reads a file, whatever of the three it is.
 *
 * @returns {Promise<{kind: "picture" | "signal", said: () => string, signals?: object[]}>} `said`: what was taken for what.
 */
export async function readFile(page, file) {
  const name = file.name.toLowerCase();
  if (name.endsWith(".onnx")) return readModel(page, file);
  if (/\.(csv|tsv|txt|dat)$/.test(name) || file.type.startsWith("text/")) return readSignals(page, file);
  return readPicture(page, file);
}

/** What went wrong, as a sentence in the reader's language. */
export function sentenceOf(error) {
  if (error instanceof SentenceError && hasText(error.key)) return () => text(error.key, error.values);
  console.error(error);
  return () => text("own.failed");
}

export async function readPicture(page, source) {
  await showPicture(page, source);
  const { width, height } = page.picture.shown;
  return { kind: "picture", said: () => text("own.took.picture", { width, height }) };
}

async function readSignals(page, file) {
  const { signals, said } = signalsFromCsv(await file.text(), page.signal.network.notes);
  await showChannels(page, signals[0].channels, { label: signals[0].label ?? null });
  const notes = () => said.map(({ key, values }) => text(key, worded(values))).join(" ");
  return { kind: "signal", signals, said: () => `${text("own.took.signals", { count: signals.length })} ${notes()}` };
}

/** Separators that are no sign have a name of each language. */
const worded = (values) => ({ ...values, ...(hasText(`csv.${values.separator}`) ? { separator: plain(`csv.${values.separator}`) } : {}) });

async function readModel(page, file) {
  if (file.size > LARGEST) throw new SentenceError("model.large", { most: LARGEST / 2 ** 20 });
  const network = await openNetwork(new Uint8Array(await file.arrayBuffer()));
  await exchange(page, network);
  const values = { name: file.name, classes: network.classes.length, modules: network.modules.length };
  return { kind: network.kind, said: () => text("own.took.model", values) };
}

/** A network takes the place of the one before; where it cannot be shown, that one goes on with what it saw. */
async function exchange(page, network) {
  const live = page[network.kind];
  const { network: before, examples, source } = live;
  const { input, shown, label, example, doubt } = live;
  try {
    live.use(network, examplesFor(page, network));
    await showAgain(page, network, { source, shown });
  } catch (error) {
    if (before) live.use(before, examples);
    if (input) await live.show({ input, shown, label, example, doubt });
    throw error;
  }
}

/** The page's own examples of that kind, as far as the network can read them. */
function examplesFor(page, network) {
  const examples = page.facts.networks.find(({ kind }) => kind === network.kind)?.examples ?? [];
  const { channels } = network.notes.preprocessing;
  return network.kind === "picture" ? examples : examples.filter(({ values }) => values.length === channels);
}

/** A new network is shown what the last one saw, where it can read that; else an example. */
async function showAgain(page, network, { source, shown }) {
  const live = page[network.kind];
  try {
    if (network.kind === "picture" && source) return await showPicture(page, source);
    if (network.kind === "signal" && shown) return await showChannels(page, shown);
  } catch (error) {
    if (!(error instanceof SentenceError)) throw error; // of what was to be read, and not of the network
  }
  if (!live.examples.length) return undefined;
  return (network.kind === "picture" ? showExample : showSignal)(page, live.examples[0].name);
}
