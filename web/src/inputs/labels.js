// Which cells of a row are samples, and which its label: without a header as googlenet.data.signals.tables.readers.bare
// tells them, with one by its names. What a network learned from helps: its classes, and how long its signals were.

import { SentenceError } from "../network/errors.js";
import { isNumber, isText, isWhole } from "./cells.js";

const FEWEST = 8; // rows from which on their cells are compared
const INTERIOR = 16; // columns of samples that one at either end is compared with
const CHANCE = 1e-3; // that every sample of a column is a whole number, and none is meant
const LABELS = ["label", "labels", "class", "target", "category", "activity", "y"];
const OTHERS = ["", "unnamed: 0", "rownames", "id", "series", "signal", "case", "time", "timestamp", "t", "index"];
const FIRST = 0, LAST = -1;

/**
 * The samples of each row, and its label where it has one.
 * @param {{header: string[] | null, rows: {number: number, cells: string[]}[]}} table
 * @param {Object} notes of the network.
 * @param {(key: string, values?: Object) => void} say is told what was taken for what.
 * @returns {{number: number, label?: string, cells: string[]}[]}
 */
export function samplesAndLabels({ header, rows }, notes, say) {
  const found = header ? named(header, rows, notes, say) : bare(rows, notes, say);
  const fixed = fixedOf(notes);
  const other = fixed && found.find(({ cells }) => cells.length !== fixed);
  if (other) throw new SentenceError("csv.length", { row: other.number, given: other.cells.length, wanted: fixed });
  return found;
}

// The length of every signal that the network learned from, where it was one.
function fixedOf({ preprocessing }) {
  const [least, most] = preprocessing.schema?.lengths ?? [0, 0];
  return least === most && least > 0 ? least : null;
}

// ---------------------------------------------------------------- with a header
function named(header, rows, notes, say) {
  const long = rows.find(({ cells }) => cells.length > header.length);
  if (long) throw new SentenceError("csv.ragged", { row: long.number });
  const names = header.map((name) => name.toLowerCase());
  const target = notes.preprocessing.schema?.target;
  const label = header.findIndex((name, at) => (target ? name === target : LABELS.includes(names[at])));
  const run = runOf(header);
  const samples = run ?? header.map((_, at) => at).filter((at) => at !== label && !OTHERS.includes(names[at]));
  const left = header.filter((_, at) => at !== label && !samples.includes(at));
  if (left.length) say("csv.left_out", { columns: left.map((name) => `“${name}”`).slice(0, 6).join(", ") });
  const some = rows.map(({ number, cells }) => ({ number, cells: samples.map((at) => cells[at] ?? "") }));
  if (label < 0 && !run) return bare(some, notes, say);
  say(...(label < 0 ? ["csv.no_label"] : ["csv.label", { column: header[label] }]));
  return label < 0 ? some : some.map((row, at) => ({ ...row, label: rows[at].cells[label] }));
}

// Where the numbered columns stand (v0, v1, v2, ...), in their order, if most are; `null` if there are none.
function runOf(header) {
  const runs = new Map();
  header.forEach((name, at) => {
    const [, prefix, number] = /^(.*?)(\d+)$/.exec(name) ?? [];
    if (number !== undefined) runs.set(prefix, [...(runs.get(prefix) ?? []), { at, number: Number(number) }]);
  });
  const most = Math.max(0, ...[...runs.values()].map((run) => run.length));
  if (most < 2) return null;
  const longest = [...runs.values()].filter((run) => run.length === most);
  if (longest.length > 1) throw new SentenceError("signal.channels", { given: longest.length, wanted: 1 });
  if (2 * most < header.length) return null;
  return longest[0].sort((one, two) => one.number - two.number).map(({ at }) => at);
}

// ---------------------------------------------------------------- without a header
function bare(given, notes, say) {
  const fixed = fixedOf(notes);
  const rows = trimmed(given, fixed ? fixed + 1 : 1);
  const counted = countsRows(rows);
  const label = placeOf(rows, notes, counted, say);
  const skipped = counted && label !== FIRST ? 1 : 0;
  if (skipped) say("csv.counted");
  const found = rows.map(({ number, cells }) => {
    const samples = cells.slice(skipped + (label === FIRST ? 1 : 0), cells.length - (label === LAST ? 1 : 0));
    return label === null ? { number, cells: samples } : { number, cells: samples, label: labelOf(cells.at(label)) };
  });
  refuseStrangers(found, fixed ?? notes.preprocessing.longest, label);
  say(label === null ? "csv.no_label" : label === FIRST ? "csv.label_first" : "csv.label_last");
  return found;
}

const labelOf = (cell) => (isWhole(cell) && Number.isSafeInteger(Number(cell)) ? String(Number(cell)) : cell);

// Rows without the empty cells that all of them end with.
function trimmed(rows, least) {
  const empty = rows.map(({ cells }) => {
    const full = cells.findLastIndex((cell) => cell !== "");
    return Math.min(cells.length - 1 - full, Math.max(cells.length - least, 0));
  });
  const cut = empty.reduce((one, two) => Math.min(one, two), Infinity);
  return cut ? rows.map(({ number, cells }) => ({ number, cells: cells.slice(0, cells.length - cut) })) : rows;
}

// Where the label stands, FIRST or LAST; `null` if there is none.
function placeOf(rows, notes, counted, say) {
  const { longest = 0, schema } = notes.preprocessing;
  const fixed = fixedOf(notes);
  const all = (width) => rows.every(({ cells }) => cells.length === width);
  const seen = seenIn(rows);
  if (fixed) {
    if (!all(fixed + 1)) return null;
    const known = seen ?? ofClasses(rows, notes.classes);
    const place = { first: FIRST, last: LAST }[schema.label] ?? known;
    const certain = known === place || (known === null && column(rows, LAST).some((cell) => cell !== ""));
    if (place === null || !certain) throw new SentenceError("csv.one_more_unknown", { cells: fixed + 1, samples: fixed });
    return place;
  }
  if (seen !== null || (longest > 0 && all(longest))) return seen;
  const known = ofClasses(rows, notes.classes);
  if (known === FIRST && counted) return null;
  const open = known === null && longest > 0 && all(longest + 1 + Number(counted));
  return open ? oneMore(rows, longest, counted, say) : known;
}

// Rows of one cell more than all that was learned from: it is the one end of whole numbers, beside fractions.
function oneMore(rows, longest, counted, say) {
  const ends = (counted ? [LAST] : [FIRST, LAST]).filter((end) => allWhole(column(rows, end)));
  if (ends.length !== 1 || interiorLike(rows, allWhole)) {
    throw new SentenceError("csv.one_more_unknown", { cells: longest + 1, samples: longest });
  }
  say("csv.one_more", { samples: longest });
  return ends[0];
}

// Where, by the values, a label stands: words are one; of numbers, labels are whole and few.
function seenIn(rows) {
  const ends = [column(rows, FIRST), column(rows, LAST)];
  const texts = ends.map((cells) => 2 * cells.filter(isText).length > cells.length);
  if (texts[0] && texts[1] && rows.some(({ cells }) => cells.length > 1)) throw new SentenceError("csv.two_labels");
  if (texts[0] || texts[1]) return texts[0] ? FIRST : LAST;
  if (rows.length < FEWEST && ends.every(allWhole)) return null; // so few repeat a whole number by chance
  const like = ends.map(likeClasses);
  if (like[0] === like[1] || interiorLike(rows, likeClasses)) return null;
  if (like[0]) return FIRST;
  return allWhole(ends[0]) && different(ends[0]) === 1 ? null : LAST;
}

// The one end of which every cell is a class of the network, where those between are not.
function ofClasses(rows, classes) {
  const known = new Set(classes);
  const inClasses = (cells) => cells.every((cell) => known.has(cell) || known.has(labelOf(cell)));
  const ends = rows.some(({ cells }) => cells.length < 2) ? [] : [FIRST, LAST].filter((end) => inClasses(column(rows, end)));
  return ends.length === 1 && !interiorLike(rows, inClasses) ? ends[0] : null;
}

const column = (rows, at) => rows.map(({ cells }) => cells.at(at)).filter((cell) => cell !== undefined);
const different = (cells) => new Set(cells.filter(isNumber).map(Number)).size;

function allWhole(cells) {
  const numbers = cells.filter(isNumber);
  return 2 * numbers.length > cells.length && numbers.every(isWhole);
}

function likeClasses(cells) {
  const count = different(cells);
  return cells.length > 2 && allWhole(cells) && count >= 2 && count <= Math.max(2, Math.floor(cells.length / 2));
}

// Places from the first to the last, evenly, INTERIOR at most.
function spread(first, last) {
  return [...new Set(Array.from({ length: INTERIOR }, (_, at) => Math.floor(first + (at * (last - first)) / (INTERIOR - 1))))];
}

// Whether half of the columns between the first and the last are of that sort, too.
function interiorLike(rows, test) {
  const width = rows.reduce((least, { cells }) => Math.min(least, cells.length), Infinity);
  const places = width > 2 ? spread(1, width - 2) : [];
  return 2 * places.filter((at) => test(column(rows, at))).length > places.length;
}

// Whether the first cells count the rows, from 0 or 1.
function countsRows(rows) {
  const cells = column(rows, FIRST);
  if (cells.length < 5 || !cells.every(isWhole) || interiorLike(rows, allWhole)) return false;
  const start = Number(cells[0]);
  return (start === 0 || start === 1) && cells.every((cell, at) => Number(cell) === start + at);
}

// Whole numbers at an end, and none beside them, may be labels, ids or samples: nobody can know.
function refuseStrangers(rows, length, label) {
  const width = rows[0].cells.length;
  if (width < 2 || rows.length < 4 || rows.some(({ cells }) => cells.length !== width)) return;
  const few = rows.length < FEWEST;
  if (few && (label !== null || width === length)) return;
  if (!few && width < 4) return;
  const between = width > 2 ? spread(1, width - 2) : [0, 1];
  const cells = between.flatMap((at) => column(rows, at));
  if ((cells.filter(isWhole).length / cells.length) ** rows.length > CHANCE) return;
  for (const end of [column(rows, FIRST), column(rows, LAST)]) {
    if (!end.every(isWhole) || different(end) < 2) continue;
    if (!few || different(end) <= rows.length / 2) throw new SentenceError("csv.label_or_sample");
  }
}
