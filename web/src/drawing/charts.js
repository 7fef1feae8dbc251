// Charts: lines and bars over named places, with quiet axes.

import { line, path, rect, svg, words } from "./svg.js";

const LEFT = 50;
const FOOT = 26;
const TOP = 30; // of the drawing, below its title; lower where the names of series need a line of their own
const NARROW = 460;

/** Round numbers from 0 to at least `most`, about four of them. */
export function ticks(most) {
  const rough = Math.max(most, 1e-12) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((times) => times * power).find((size) => size >= rough);
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, at) => at * step);
}

const topOf = (width) => (width < NARROW ? TOP + 18 : TOP);

/** The frame of a chart: horizontal lines with numbers, names below. */
function frame({ width, height, names, most, shown, unit }) {
  const marks = ticks(most);
  const top = topOf(width);
  const y = (value) => top + (1 - value / marks.at(-1)) * (height - top - FOOT);
  const step = (width - LEFT) / names.length;
  const x = (at) => LEFT + step * (at + 0.5);
  const every = Math.ceil(32 / step);
  const parts = [
    marks.map((mark) => [
      line(LEFT, y(mark), width, y(mark)),
      words(LEFT - 8, y(mark) + 4, shown(mark), { text_anchor: "end" }),
    ]),
    names.map((name, at) => (at % every ? null : words(x(at), height - 8, name, { text_anchor: "middle" }))),
    words(0, 14, unit, { style: "fill: var(--ink); font-weight: 600; font-size: 13px" }),
  ];
  return { parts, x, y, step, top };
}

/** Names of series in their colours, at the upper right. */
function key(series, width) {
  const place = width < NARROW ? { x: 0, y: 33 } : { x: width, y: 14, text_anchor: "end" };
  const found = svg("text", { ...place, style: "font-size: 13px; font-weight: 600" });
  series.forEach(({ name, colour }, at) => {
    found.append(svg("tspan", { style: `fill: ${colour}`, dx: at ? 14 : 0 }, name));
  });
  return found;
}

/**
 * Lines over places.
 *
 * @param {{width: number, height?: number, names: string[], series: {name: string, colour: string, values: number[], dashed?: boolean}[], most: number, shown: Function, unit: string, marked?: string[]}} of
 *   `marked`: names at which a dotted vertical line stands.
 */
export function lines({ width, height = 280, names, series, most, shown, unit, marked = [] }) {
  const { parts, x, y, top } = frame({ width, height, names, most, shown, unit });
  for (const name of marked) {
    const at = x(names.indexOf(name));
    parts.push(line(at, top, at, height - FOOT, { stroke: "var(--soft)", stroke_dasharray: "2 3" }));
  }
  for (const { values, colour, dashed } of series) {
    const d = values.map((value, at) => `${at ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    parts.push(path(d, { stroke: colour, stroke_width: 2, stroke_linejoin: "round", stroke_dasharray: dashed ? "5 4" : null }));
    values.forEach((value, at) => parts.push(svg("circle", { cx: x(at), cy: y(value), r: 3, fill: colour })));
  }
  return { height, parts: [...parts, key(series, width)] };
}

/** Bars over places, those of several series side by side. */
export function bars({ width, height = 280, names, series, most, shown, unit }) {
  const { parts, x, y, step } = frame({ width, height, names, most, shown, unit });
  const wide = Math.min(26, (step * 0.72) / series.length);
  names.forEach((name, at) => {
    series.forEach(({ values, colour }, number) => {
      const left = x(at) + (number - series.length / 2) * wide;
      parts.push(rect(left + 0.5, y(values[at]), wide - 1, y(0) - y(values[at]), { fill: colour, rx: 1.5 }));
    });
  });
  return { height, parts: [...parts, key(series, width)] };
}
