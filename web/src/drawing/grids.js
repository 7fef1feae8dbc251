// A kernel on its input, cell by cell: padding hatched, taps filled, what they make in orange.

import { rect, svg } from "./svg.js";

const SIDE = 320; // of a drawing, in its own units

const hatch = (id, size) =>
  svg(
    "defs",
    {},
    svg(
      "pattern",
      { id, width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      rect(0, 0, size, size, { fill: "var(--card)" }),
      rect(0, 0, size * 0.3, size, { fill: "var(--orange)", opacity: 0.4 }),
    ),
  );

const lattice = (x, y, columns, rows, cell) => {
  let d = "";
  for (let at = 0; at <= columns; at += 1) d += `M${x + at * cell} ${y}v${rows * cell}`;
  for (let at = 0; at <= rows; at += 1) d += `M${x} ${y + at * cell}h${columns * cell}`;
  return svg("path", { d, stroke: "var(--grey)", stroke_width: 1, fill: "none", vector_effect: "non-scaling-stroke" });
};

/** Where the kernel stands: row and column of its first tap, with padding counted. */
const corner = ({ at, s }, out) => [Math.floor(at / out) * s, (at % out) * s];

/** The input of a picture with its padding, and the kernel's taps on it. */
export function inputDrawing(state, out, label) {
  const { n, p, k, d } = state;
  const total = n + 2 * p;
  const cell = SIDE / total;
  const parts = [
    hatch("hatched-2", Math.max(4, Math.min(8, cell / 2))),
    rect(0, 0, SIDE, SIDE, { fill: p ? "url(#hatched-2)" : "var(--page)" }),
    rect(p * cell, p * cell, n * cell, n * cell, { fill: "var(--page)" }),
    lattice(0, 0, total, total, cell),
    rect(p * cell, p * cell, n * cell, n * cell, { fill: "none", stroke: "var(--ink)", stroke_width: 1.5 }),
  ];
  if (out >= 1) {
    const [row, column] = corner(state, out);
    const reach = (d * (k - 1) + 1) * cell;
    for (let y = 0; y < k; y += 1) {
      for (let x = 0; x < k; x += 1) {
        const inset = Math.min(1.5, cell * 0.12);
        parts.push(
          rect((column + x * d) * cell + inset, (row + y * d) * cell + inset, cell - 2 * inset, cell - 2 * inset, {
            fill: "var(--blue)",
            rx: Math.min(3, cell * 0.15),
          }),
        );
      }
    }
    parts.push(rect(column * cell, row * cell, reach, reach, { fill: "var(--blue)", fill_opacity: 0.1, stroke: "var(--blue)", stroke_width: 2.5 }));
  }
  return svg("svg", { viewBox: `-2 -2 ${SIDE + 4} ${SIDE + 4}`, role: "img", aria_label: label }, parts);
}

/** The output of a picture; pointing at a cell puts the kernel there. */
export function outputDrawing(state, out, point) {
  const count = Math.max(out, 0);
  const cell = Math.min(SIDE / (state.n + 2 * state.p), SIDE / Math.max(count, 1));
  const side = cell * count;
  const drawing = svg("svg", { viewBox: `-2 -2 ${SIDE + 4} ${SIDE + 4}`, aria_hidden: "true" });
  if (!count) return drawing;
  const [row, column] = [Math.floor(state.at / count), state.at % count];
  drawing.append(
    rect(0, 0, side, side, { fill: "var(--page)" }),
    rect(0, 0, side, row * cell, { fill: "var(--orange)", opacity: 0.12 }),
    rect(0, row * cell, column * cell, cell, { fill: "var(--orange)", opacity: 0.12 }),
    lattice(0, 0, count, count, cell),
    rect(column * cell + 1, row * cell + 1, cell - 2, cell - 2, { fill: "var(--orange)", rx: Math.min(3, cell * 0.15) }),
    rect(0, 0, side, side, { fill: "none", stroke: "var(--ink)", stroke_width: 1.5 }),
  );
  const follow = (event) => {
    const box = drawing.getBoundingClientRect();
    const scale = (SIDE + 4) / box.width;
    const [x, y] = [(event.clientX - box.left) * scale - 2, (event.clientY - box.top) * scale - 2];
    const [across, down] = [Math.floor(x / cell), Math.floor(y / cell)];
    if (across >= 0 && down >= 0 && across < count && down < count) point(down * count + across);
  };
  drawing.addEventListener("pointermove", follow);
  drawing.addEventListener("pointerdown", follow);
  return drawing;
}

/** A signal: the input above, the output below it, and lines from the taps to what they make. */
export function lineDrawing(state, out, label, point) {
  const { n, p, k, s, d, at } = state;
  const total = n + 2 * p;
  const wide = 720;
  const cell = Math.min(wide / total, 44);
  const left = (wide - cell * total) / 2;
  const gap = 96;
  const below = cell + gap;
  const middle = (place) => left + (place * s + (d * (k - 1)) / 2) * cell;
  const drawing = svg("svg", { viewBox: `-2 -2 ${wide + 4} ${2 * 44 + gap + 4}`, role: "img", aria_label: label });
  drawing.append(
    hatch("hatched-1", Math.max(4, Math.min(8, cell / 2))),
    rect(left, 0, total * cell, cell, { fill: p ? "url(#hatched-1)" : "var(--page)" }),
    rect(left + p * cell, 0, n * cell, cell, { fill: "var(--page)" }),
    lattice(left, 0, total, 1, cell),
    rect(left + p * cell, 0, n * cell, cell, { fill: "none", stroke: "var(--ink)", stroke_width: 1.5 }),
  );
  if (out < 1) return drawing;
  const first = left + at * s * cell;
  const reach = (d * (k - 1) + 1) * cell;
  for (let tap = 0; tap < k; tap += 1) {
    const x = first + tap * d * cell;
    drawing.append(
      svg("path", { d: `M${x + cell / 2} ${cell}L${middle(at) + cell / 2} ${below}`, stroke: "var(--blue)", stroke_width: 1.2, opacity: 0.6 }),
      rect(x + 1.5, 1.5, cell - 3, cell - 3, { fill: "var(--blue)", rx: 3 }),
    );
  }
  drawing.append(rect(first, 0, reach, cell, { fill: "var(--blue)", fill_opacity: 0.1, stroke: "var(--blue)", stroke_width: 2.5 }));
  for (let place = 0; place < out; place += 1) {
    const here = place === at;
    drawing.append(
      rect(middle(place) + 0.5, below, cell - 1, cell, {
        fill: here ? "var(--orange)" : "var(--page)",
        stroke: here ? "var(--orange)" : "var(--grey)",
        rx: Math.min(3, cell * 0.15),
      }),
    );
  }
  const follow = (event) => {
    const box = drawing.getBoundingClientRect();
    const x = ((event.clientX - box.left) * (wide + 4)) / box.width - 2;
    point(Math.max(0, Math.min(out - 1, Math.round((x - middle(0) - cell / 2) / (s * cell)))));
  };
  drawing.addEventListener("pointermove", follow);
  drawing.addEventListener("pointerdown", follow);
  return drawing;
}
