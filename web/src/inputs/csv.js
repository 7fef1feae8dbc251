// Signals from a table of text, as googlenet.data.signals reads the plain ones. What is guessed is said; what cannot be
// known is refused in a sentence.

import { SentenceError } from "../network/errors.js";

const MOST = 64 * 2 ** 20; // letters of a file
const SIGNALS = 1000; // that are read of it
const SEPARATORS = ["\t", ";", ","];
const MISSING = new Set(["", "?", "na", "n/a", "nan", "null", "none"]); // as googlenet.data.signals.rows
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const COMMA = /^[+-]?\d*,\d+(e[+-]?\d+)?$/i;
const LABELS = ["label", "labels", "class", "target", "y"];

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
  const signals = channels === 1 ? rowsAsSignals(table, notes.classes, say) : columnsAsChannels(table, notes, say);
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
  if (separator) say("csv.separator", { separator: { "\t": "tab", ";": ";", ",": ",", " ": "space" }[separator] });
  let rows = full.map(({ line, number }) => ({ number, cells: cellsOf(line, separator) }));
  const comma = separator !== "," && decimalComma(rows, say);
  const header = headerOf(rows[0].cells, rows[1]?.cells, comma);
  if (header) {
    say("csv.header");
    rows = rows.slice(1);
  }
  return { header, rows, comma };
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

const isNumber = (cell, comma) => NUMBER.test(comma ? cell.replace(",", ".") : cell);
const isKnown = (cell, comma) => isNumber(cell, comma) || MISSING.has(cell.toLowerCase());

// The names of columns: a first row of words, most of which stand above numbers.
function headerOf(first, second, comma) {
  if (!second) return null;
  const words = first.map((cell) => !isKnown(cell, comma));
  const above = first.filter((_, at) => words[at] && isNumber(second[at] ?? "", comma)).length;
  return above >= Math.max(1, first.length - 2) ? first : null;
}

function valueOf(cell, comma, number) {
  if (MISSING.has(cell.toLowerCase())) return NaN;
  if (!isNumber(cell, comma)) throw new SentenceError("csv.cell", { row: number, cell: cell.slice(0, 40) });
  return Number(comma ? cell.replace(",", ".") : cell);
}

// ---------------------------------------------------------------- a signal a row
function rowsAsSignals({ header, rows, comma }, classes, say) {
  const label = labelColumn(header, rows, classes, comma, say);
  const few = rows.slice(0, SIGNALS);
  if (few.length < rows.length) say("csv.first", { count: SIGNALS });
  const lengths = new Set();
  const signals = few.map(({ number, cells }) => {
    const at = label < 0 ? cells.length + label : label;
    const values = cells.filter((_, place) => label === null || place !== at).map((cell) => valueOf(cell, comma, number));
    while (values.length && Number.isNaN(values.at(-1))) values.pop(); // shorter signals end in nothing
    if (!values.length) throw new SentenceError("csv.row_empty", { row: number });
    lengths.add(values.length);
    const name = `#${number}`;
    return label === null ? { name, channels: [values] } : { name, label: cells[at], channels: [values] };
  });
  if (lengths.size > 1) say("csv.lengths", { least: Math.min(...lengths), most: Math.max(...lengths) });
  return signals;
}

// Where the label stands: by name, or first or last where all such cells are classes or no numbers; `null` if nowhere.
function labelColumn(header, rows, classes, comma, say) {
  const named = header?.findIndex((name) => LABELS.includes(name.toLowerCase())) ?? -1;
  if (named >= 0) {
    say("csv.label", { column: header[named] });
    return named;
  }
  if (rows.some(({ cells }) => cells.length < 2)) return null;
  const known = new Set(classes);
  const ends = [0, -1].filter((end) => rows.every(({ cells }) => known.has(cells.at(end)) || !isKnown(cells.at(end), comma)));
  const words = ends.filter((end) => rows.every(({ cells }) => !isNumber(cells.at(end), comma)));
  const [end] = words.length ? words : ends;
  if (end === undefined) {
    refuseNumbers(header, rows);
    say("csv.no_label");
    return null;
  }
  if (ends.length === 2 && words.length !== 1) throw new SentenceError("csv.two_labels");
  say(end === 0 ? "csv.label_first" : "csv.label_last");
  return end;
}

// Whole numbers in front, a few that come again, may be labels or samples: nobody can know.
function refuseNumbers(header, rows) {
  if (header || rows.length < 4) return;
  for (const end of [0, -1]) {
    const cells = rows.map(({ cells: row }) => row.at(end));
    const others = rows.flatMap(({ cells: row }) => (end === 0 ? row.slice(1) : row.slice(0, -1)));
    const labels = cells.every((cell) => /^-?\d+(\.0+)?$/.test(cell)) && new Set(cells).size <= rows.length / 2;
    if (labels && !others.every((cell) => /^-?\d+(\.0+)?$/.test(cell))) throw new SentenceError("csv.label_or_sample");
  }
}

// ---------------------------------------------------------------- a channel a column: one signal
function columnsAsChannels({ header, rows, comma }, notes, say) {
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
  const channels = places.map((at) => rows.map(({ number, cells }) => valueOf(cells[at], comma, number)));
  return [{ name: "#1", channels }];
}
