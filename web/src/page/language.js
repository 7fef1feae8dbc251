// English and Korean: which holds, and how texts and numbers are written in it.

import en from "../text/en/index.js";
import ko from "../text/ko/index.js";

const TEXTS = { en, ko };
const KEPT = "googlenet.language";
const heard = new Set();
let current = first();

/** The language that the reader chose last, else the browser's, else English. */
function first() {
  const wanted = kept() ?? navigator.language ?? "";
  return wanted.toLowerCase().startsWith("ko") ? "ko" : "en";
}

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // no storage: files of some browsers, private windows
  }
}

export const language = () => current;

/** Calls with every change of the language. */
export const onLanguage = (listener) => heard.add(listener);

/** Changes the language of everything that is drawn. */
export function setLanguage(chosen) {
  current = chosen;
  try {
    localStorage.setItem(KEPT, chosen);
  } catch {
    // it is not remembered, and that is all
  }
  applyTexts(document.body);
  heard.forEach((listener) => listener());
}

/**
 * A text in the reader's language, as HTML: what is put in for {name} is escaped.
 *
 * @param {string} key Of text/en and text/ko.
 * @param {Object<string, string | number>} values Numbers are written in groups of three.
 */
export function text(key, values = {}) {
  const found = TEXTS[current][key];
  if (found === undefined) throw new RangeError(`There is no text ${key}.`);
  return found.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? escaped(shown(values[name])) : whole));
}

/** The same as plain text, for attributes and drawings. */
export function plain(key, values = {}) {
  const found = TEXTS[current][key];
  if (found === undefined) throw new RangeError(`There is no text ${key}.`);
  return found.replace(/<[^>]+>/g, "").replace(/\{(\w+)\}/g, (whole, name) => (name in values ? shown(values[name]) : whole));
}

export const hasText = (key) => key in TEXTS.en;

/** Puts the texts in below a node: of data-text, and of data-label for aria-label. */
export function applyTexts(root) {
  document.documentElement.lang = current;
  for (const node of root.querySelectorAll("[data-text]")) node.innerHTML = text(node.dataset.text);
  for (const node of root.querySelectorAll("[data-label]")) node.setAttribute("aria-label", plain(node.dataset.label));
}

const shown = (value) => (typeof value === "number" ? number(value) : value);
const escaped = (value) => String(value).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const formats = new Map();

/** A number as the language writes it; formats are kept, since to make one takes long. */
export function formatted(value, options) {
  const name = current + JSON.stringify(options);
  if (!formats.has(name)) formats.set(name, new Intl.NumberFormat(current, options));
  return formats.get(name).format(value).replace("-", "−");
}

/** A number in groups of three, with as many digits behind the point as are asked for. */
export const number = (value, digits = 0) =>
  formatted(value, { maximumFractionDigits: digits, minimumFractionDigits: Number.isInteger(value) ? 0 : digits });

/** A number with that many digits that matter. */
export const rounded = (value, digits) => formatted(value, { maximumSignificantDigits: digits });

/** A share of one in per cent. */
export const percent = (share, digits = 0) =>
  formatted(share, { style: "percent", maximumFractionDigits: digits, minimumFractionDigits: digits });

/** A large number shortened: 1.58 G, 128 M, 12.3 k; in Korean 15.8억, 1.28억, 1.23만. */
export function short(value) {
  if (current === "ko") return formatted(value, { notation: "compact", maximumSignificantDigits: 3 });
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))} ${unit}`;
  }
  return String(Math.round(value));
}
