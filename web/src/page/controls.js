// What the reader moves: sliders, choices, switches. Every one has a label in both languages.

import { applyTexts, text } from "./language.js";

let made = 0;
const name = (id) => id ?? `control-${++made}`;

/** An element with attributes and children; attributes that are null are left out. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** An element with a text of both languages. */
export function worded(tag, key, attributes = {}) {
  const node = element(tag, { ...attributes, "data-text": key });
  node.innerHTML = text(key);
  return node;
}

/**
 * A slider with its label and its value.
 *
 * @param {{id: string, text: string, min: number, max: number, value: number, step?: number, letter?: string, accent?: string, show?: Function}} of
 * @param {Function} moved Called with the new value.
 */
export function slider({ id, text: key, min, max, value, step = 1, letter, accent, show = String }, moved) {
  const input = element("input", { type: "range", id: name(id), min, max, step, value });
  const output = element("span", { class: "value", "aria-hidden": "true" });
  const words = element("span", {}, worded("span", key), letter ? element("span", { class: "letter" }, ` ${letter}`) : null);
  const label = element("label", { for: input.id }, words, output);
  const box = element("div", { class: "control", style: accent ? `--accent: var(--${accent})` : null }, label, input);
  const tell = () => {
    const [low, high] = [Number(input.min), Number(input.max)];
    output.textContent = show(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
    input.style.setProperty("--filled", `${high > low ? ((input.value - low) / (high - low)) * 100 : 0}%`);
  };
  input.addEventListener("input", () => {
    tell();
    moved(Number(input.value));
  });
  tell();
  return {
    box,
    input,
    get value() {
      return Number(input.value);
    },
    set value(next) {
      input.value = next;
      tell();
    },
    /** New limits; the value is kept within them. */
    limits(low, high) {
      input.min = low;
      input.max = high;
      tell();
    },
    tell,
  };
}

/**
 * One of several, as radio buttons.
 *
 * @param {{id: string, text: string, options: {value: string, text?: string, label?: string, node?: Node}[], value: string, hidden?: boolean, kind?: string}} of
 *   An option has a text of both languages, or a label that is the same in both, or a node that shows it.
 * @param {Function} chosen Called with the value.
 */
export function choice({ id, text: key, options, value, hidden = false, kind = "" }, chosen) {
  const box = element("fieldset", { class: `choice ${kind}`, id });
  const group = name(id);
  const row = element("div", { class: "options" });
  for (const option of options) {
    const input = element("input", {
      type: "radio",
      name: `${group}-choice`,
      value: option.value,
      checked: option.value === value,
      "aria-label": option.node ? option.label : null,
    });
    const face = option.node ?? (option.text ? worded("span", option.text, { class: "option" }) : element("span", { class: "option" }, option.label));
    input.addEventListener("change", () => chosen(option.value));
    row.append(element("label", {}, input, face));
  }
  box.append(worded("legend", key, { class: hidden ? "unseen" : null }), row);
  return {
    box,
    get value() {
      return box.querySelector("input:checked")?.value;
    },
    set value(next) {
      for (const input of box.querySelectorAll("input")) input.checked = input.value === next;
    },
  };
}

/** A list to choose from: `options` are `{value, label}` or `{value, text}`. */
export function select({ id, text: key, options, value }, chosen) {
  const list = element("select", { id: name(id) });
  const fill = (rows, kept) => {
    list.replaceChildren(
      ...rows.map((row) => (row.text ? worded("option", row.text, { value: row.value }) : element("option", { value: row.value }, row.label))),
    );
    if (kept !== undefined) list.value = kept;
  };
  fill(options, value);
  list.addEventListener("change", () => chosen(list.value));
  const box = element("div", { class: "control" }, element("label", { for: list.id }, worded("span", key)), list);
  return { box, list, fill };
}

/** On or off. */
export function toggle({ id, label, text: key, checked = true, accent }, changed) {
  const input = element("input", { type: "checkbox", role: "switch", id: name(id), checked });
  const words = key ? worded("span", key) : element("span", {}, label);
  input.addEventListener("change", () => changed(input.checked));
  const box = element("label", { class: "switch", style: accent ? `--accent: var(--${accent})` : null }, input, words);
  return { box, input };
}

export function button(key, pressed, attributes = {}) {
  const node = worded("button", key, { type: "button", class: "quiet", ...attributes });
  node.addEventListener("click", pressed);
  return node;
}

/** A number that equals googlenet.cost: shown, and plain in data-number. */
export function exact(node, value, shown) {
  if (value === null) node.removeAttribute("data-number");
  else node.dataset.number = value;
  node.textContent = shown;
}

/** Puts HTML of our own texts into a node, and only where it changed. */
export function say(node, html) {
  if (node.innerHTML !== html) node.innerHTML = html;
}

export { applyTexts };
