// Signals from a table of text. What is guessed is said; what cannot be known is refused in a sentence.

import { SentenceError } from "./errors.js";

const MOST = 64 * 2 ** 20; // letters
const SIGNALS = 1000; // that are read of a file
const SEPARATORS = ["\t", ";", ","];
const MISSING = ["", "?", "na", "n/a", "nan", "null", "none", "-nan"]; // as googlenet.data.signals.sources.text has them
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const COMMA = /^[+-]?\d*,\d+(e[+-]?\d+)?$/i;
const LABELS = ["label", "class", "target", "y"];

/** @returns {{signals: {name: string, label?: string, channels: number[][]}[], said: {key: string, values: Object}[]}} */
export function signalsFromCsv(text, notes) {
  throw new SentenceError("csv.none");
}
