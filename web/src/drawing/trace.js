// A signal as lines, on a ground that is the darker, the more a stretch added to the answer; it can be drawn upon.

import { rounded } from "../page/language.js";
import { line, path, rect, words } from "./svg.js";

const COLOURS = ["var(--blue)", "var(--orange)", "var(--green)", "var(--soft)"];
const [LEFT, RIGHT, TOP, FOOT] = [46, 8, 10, 26];

/**
 * @param {{width: number, height: number, channels: number[][], limits: number[], evidence?: Float32Array, spans?: {from: number, to: number, name: string}[], place?: number}} of
 *   `evidence`: what each stretch adds to the answer; `spans`: kernels on the signal, in samples.
 * @returns {{height: number, parts: Node[], x: Function, y: Function}}
 */
export function trace({ width, height, channels, limits, evidence, spans = [], place = null }) {
  const count = channels[0].length;
  const [low, high] = limits;
  const below = spans.length * 17;
  const bottom = height - FOOT - below;
  const x = (at) => LEFT + (at / Math.max(count - 1, 1)) * (width - LEFT - RIGHT);
  const y = (value) => bottom - ((value - low) / (high - low || 1)) * (bottom - TOP);
  const parts = [rect(LEFT, TOP, width - LEFT - RIGHT, bottom - TOP, { fill: "var(--page)", rx: 4 })];
  if (evidence) parts.push(...ground(evidence, { x0: LEFT, x1: width - RIGHT, top: TOP, bottom }));
  if (place !== null) parts.push(line(x(place), TOP, x(place), bottom + below, { stroke: "var(--soft)", stroke_dasharray: "2 3" }));
  for (const [at, values] of channels.entries()) {
    parts.push(path(lineOf(values, x, y), { stroke: COLOURS[at % COLOURS.length], stroke_width: 2, stroke_linejoin: "round" }));
  }
  for (const value of [low, (low + high) / 2, high]) parts.push(words(LEFT - 8, y(value) + 4, rounded(value, 2), { text_anchor: "end" }));
  const marks = [0, Math.floor((count - 1) / 2), count - 1];
  marks.forEach((at, number) => parts.push(words(x(at), height - 6, at + 1, { text_anchor: ["start", "middle", "end"][number] })));
  spans.forEach(({ from, to, name, colour }, at) => {
    const middle = bottom + 16 + at * 17;
    const [a, b] = [Math.max(x(from), LEFT), Math.min(x(to), width - RIGHT)];
    parts.push(rect(a, middle - 3, b - a, 6, { fill: colour, rx: 3 }), words(LEFT - 8, middle + 4, name, { text_anchor: "end", style: `fill: ${colour}; font-weight: 600` }));
  });
  return { height, parts, x, y };
}

/** A line with gaps where values are missing. */
function lineOf(values, x, y) {
  let open = false;
  let d = "";
  values.forEach((value, at) => {
    if (Number.isFinite(value)) d += `${open ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    open = Number.isFinite(value);
  });
  return d;
}

function ground(evidence, { x0, x1, top, bottom }) {
  const most = evidence.reduce((found, value) => Math.max(found, value), 1e-12);
  const step = (x1 - x0) / evidence.length;
  return Array.from(evidence, (value, at) => {
    const share = Math.max(value, 0) / most;
    return share < 0.04 ? null : rect(x0 + at * step, top, step, bottom - top, { fill: "var(--orange)", opacity: (0.42 * share).toFixed(3), shape_rendering: "crispEdges" });
  });
}

/** Limits of a vertical axis with room above and below. */
export function limitsOf(channels, room = 0.25) {
  let [low, high] = [Infinity, -Infinity];
  for (const values of channels) {
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
  }
  const spread = high - low || Math.abs(high) || 1;
  return [low - room * spread, high + room * spread];
}

/**
 * Lets the pointer draw on a trace: `drawn(from, to)` with points `{at, value}` in samples and units, and `moved(at)`.
 *
 * @param {Element} host Holds the drawing.
 * @param {() => {limits: number[], count: number, height: number, spans: number}} frame What is drawn now.
 */
export function drawable(host, frame, { drawn, moved, ended }) {
  let last = null;
  const point = (event) => {
    const { left, top, width } = host.getBoundingClientRect();
    const { limits, count, height, spans } = frame();
    const bottom = height - FOOT - spans * 17;
    const share = (event.clientX - left - LEFT) / (width - LEFT - RIGHT);
    const at = Math.max(0, Math.min(count - 1, Math.round(share * (count - 1))));
    const up = (bottom - (event.clientY - top)) / (bottom - TOP);
    return { at, value: limits[0] + Math.max(0, Math.min(1, up)) * (limits[1] - limits[0]) };
  };
  host.addEventListener("pointerdown", (event) => {
    host.setPointerCapture(event.pointerId);
    last = point(event);
    drawn(last, last);
    event.preventDefault();
  });
  host.addEventListener("pointermove", (event) => {
    const next = point(event);
    moved(next.at);
    if (!last) return;
    drawn(last, next);
    last = next;
  });
  for (const end of ["pointerup", "pointercancel"]) {
    host.addEventListener(end, () => {
      if (last) ended();
      last = null;
    });
  }
}

