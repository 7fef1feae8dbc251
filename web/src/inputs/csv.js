// Signals from a table of text, as googlenet.data.signals reads the plain ones. What is guessed is said; what cannot be
// known is refused in a sentence.

import { SentenceError } from "../network/errors.js";
import { isMissing, isNumber, isText } from "./cells.js";
import { samplesAndLabels } from "./labels.js";

const MOST = 64 * 2 ** 20; // letters of a file
const SIGNALS = 1000; // that are read of it
const SEPARATORS = ["\t", ";", ","];
const NAMES = { "\t": "tabs", ";": "semicolons", ",": "commas", " ": "blanks" };
const MANY = 8; // numbers that count are names, too, as sources/text/table.py has it
const COMMA = /^[+-]?\d*,\d+(e[+-]?\d+)?$/i;

/**
 * @param {string} text of the file. @param {Object} notes of the network.
 * @returns {{signals: {name: string, label?: string, channels: number[][]}[], said: {key: string, values: Object}[]}}
 *   `said` names what was taken for what, as keys of texts.
 */
export function signalsFromCsv(text, notes) {
  const said = [];
  const say = (key, values = {}) => said.push({ key, values });
  const table = tableOf(text, say);
  const { channels } = notes.preprocessing;
  const signals = channels === 1 ? rowsAsSignals(table, notes, say) : columnsAsChannels(table, notes, say);
  if (!signals.length) throw new SentenceError("csv.empty");
  return { signals, said };
}

// `{header, rows}` of cells; rows keep the number of their line.
function tableOf(text, say) {
  if (text.length > MOST) throw new SentenceError("csv.large");
  if (/[\0\uFFFD]/.test(text)) throw new SentenceError("csv.none");
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  const full = lines.map((line, at) => ({ line, number: at + 1 })).filter(({ line }) => line.trim() && !line.startsWith("#"));
  if (!full.length) throw new SentenceError("csv.empty");
  const separator = separatorOf(full.map(({ line }) => line));
  if (separator) say("csv.separator", { separator: NAMES[separator] });
  let rows = full.map(({ line, number }) => ({ number, cells: cellsOf(line, separator) }));
  if (separator !== "," && decimalComma(rows, say)) {
    const plain = (cell) => (COMMA.test(cell) ? cell.replace(",", ".") : cell);
    rows = rows.map(({ number, cells }) => ({ number, cells: cells.map(plain) }));
  }
  const header = headerOf(rows.map(({ cells }) => cells));
  if (header) {
    say("csv.header");
    rows = rows.slice(1);
  }
  return { header, rows };
}

// The separator that is there on every line, a tab before a semicolon before a comma; else spaces, or one column.
function separatorOf(lines) {
  const some = lines.slice(0, 100);
  const found = SEPARATORS.find((each) => some.every((line) => line.includes(each)));
  return found ?? (some.every((line) => /\S\s+\S/.test(line.trim())) ? " " : null);
}

function cellsOf(line, separator) {
  if (separator === " ") return line.trim().split(/\s+/);
  const cells = separator ? line.split(separator) : [line];
  return cells.map((cell) => cell.trim().replace(/^"(.*)"$/, "$1").trim());
}

// Whether "1,5" is one and a half: it is where such numbers are there, and none with a point.
function decimalComma(rows, say) {
  const cells = rows.slice(0, 1000).flatMap(({ cells: row }) => row);
  if (!cells.some((cell) => COMMA.test(cell))) return false;
  if (cells.some((cell) => /^[+-]?\d*\.\d+$/.test(cell))) throw new SentenceError("csv.comma");
  say("csv.comma_read");
  return true;
}

// The names of columns: a first row of words, most of which stand above numbers; or one that counts, as pandas numbers
// columns without names.
function headerOf([first, ...below]) {
  if (!below.length) return null;
  const under = first.map((cell, at) => (isText(cell) ? below[0][at] ?? "" : null)).filter((cell) => cell !== null);
  const plain = under.filter((cell) => isNumber(cell) || isMissing(cell)).length;
  if (under.some(isNumber) && plain >= Math.max(1, first.length - 2)) return first;
  const words = first.filter(isText);
  const ends = new Set(below.flatMap((cells) => [cells[0], cells.at(-1)]));
  const inside = first.slice(1, -1).every(isNumber) && !words.some((word) => ends.has(word));
  const numbers = first.filter(isNumber).map(Number);
  const starts = words.length ? [0, 1] : [0];
  const counts = starts.includes(numbers[0]) && numbers.every((number, at) => number === numbers[0] + at);
  return inside && counts && numbers.length > MANY ? first : null;
}

function valueOf(cell, number) {
  if (isMissing(cell)) return NaN;
  if (!isNumber(cell)) throw new SentenceError("csv.cell", { row: number, cell: cell.slice(0, 40) });
  return Number(cell);
}

// ---------------------------------------------------------------- a signal a row
function rowsAsSignals(table, notes, say) {
  const rows = samplesAndLabels(table, notes, say);
  const few = rows.slice(0, SIGNALS);
  if (few.length < rows.length) say("csv.first", { count: SIGNALS });
  const lengths = new Set();
  const signals = few.map(({ number, label, cells }) => {
    const values = cells.map((cell) => valueOf(cell, number));
    while (values.length && Number.isNaN(values.at(-1))) values.pop(); // shorter signals end in nothing
    if (!values.length) throw new SentenceError("csv.row_empty", { row: number });
    lengths.add(values.length);
    const signal = { name: `#${number}`, channels: [values] };
    return label === undefined ? signal : { ...signal, label };
  });
  if (lengths.size > 1) say("csv.lengths", { least: Math.min(...lengths), most: Math.max(...lengths) });
  return signals;
}

// ---------------------------------------------------------------- a channel a column: one signal
function columnsAsChannels({ header, rows }, notes, say) {
  const wanted = notes.preprocessing.channels;
  const names = (notes.preprocessing.schema?.channels ?? []).map(({ name }) => name);
  const columns = rows[0]?.cells.length ?? 0;
  const byName = header && names.length === wanted && names.every((name) => name && header.includes(name));
  if (!byName && columns !== wanted) throw new SentenceError("csv.channels", { given: columns, wanted });
  const places = byName ? names.map((name) => header.indexOf(name)) : Array.from({ length: wanted }, (_, at) => at);
  say(byName ? "csv.columns_named" : "csv.columns", { count: wanted });
  for (const { number, cells } of rows) {
    if (cells.length !== columns) throw new SentenceError("csv.ragged", { row: number });
  }
  const channels = places.map((at) => rows.map(({ number, cells }) => valueOf(cells[at], number)));
  return [{ name: "#1", channels }];
}
