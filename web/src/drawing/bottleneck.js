// Channels as heights: a wide path through a large kernel, and one with a narrow waist.

import { plain, short } from "../page/language.js";
import { path, rect, words } from "./svg.js";

const TALL = 92;

/**
 * Two paths from `input` to `out` channels.
 *
 * @param {number} width
 * @param {{input: number, reduced: number, out: number, kernel: number}} state
 * @param {{whole: object, reduce: object, rest: object}} costs Layers of the cost table.
 */
export function bottleneck(width, { input, reduced, out, kernel }, { whole, reduce, rest }) {
  const most = Math.max(input, reduced, out);
  const high = (channels) => Math.max(2, (channels / most) * TALL);
  const [left, right] = [28, width - 28];
  const bar = (x, middle, channels, colour) => [
    rect(x - 4, middle - high(channels) / 2, 8, high(channels), { fill: colour, rx: 1.5 }),
    words(x, middle + TALL / 2 + 18, channels, { text_anchor: "middle", style: "fill: var(--ink); font-weight: 600" }),
  ];
  const funnel = (x1, x2, middle, from, to, colour, name, cost) => {
    const [a, b] = [high(from) / 2, high(to) / 2];
    const [x, y] = [x1 + 4, x2 - 4];
    const bend = (x2 - x1) / 2;
    return [
      path(
        `M${x} ${middle - a}C${x + bend} ${middle - a} ${y - bend} ${middle - b} ${y} ${middle - b}` +
          `L${y} ${middle + b}C${y - bend} ${middle + b} ${x + bend} ${middle + a} ${x} ${middle + a}Z`,
        { fill: colour, fill_opacity: 0.16 },
      ),
      words((x1 + x2) / 2, middle - 2, name, { text_anchor: "middle", style: "fill: var(--ink); font-weight: 600; font-size: 14px" }),
      words((x1 + x2) / 2, middle + 15, cost, { text_anchor: "middle" }),
    ];
  };
  const name = `${kernel}×${kernel}`;
  const [first, second] = [78, 78 + TALL + 78];
  const waist = left + (right - left) * 0.42;
  const share = (layer) => short(layer.macs);
  return {
    height: second + TALL / 2 + 26,
    label: plain("compression.drawing", { in: input, r: reduced, out, k: kernel }),
    parts: [
      words(left - 4, first - TALL / 2 - 14, plain("compression.without"), { style: "font-size: 13px" }),
      funnel(left, right, first, input, out, "var(--soft)", name, share(whole)),
      bar(left, first, input, "var(--ink)"),
      bar(right, first, out, "var(--orange)"),
      words(left - 4, second - TALL / 2 - 14, plain("compression.with"), { style: "font-size: 13px" }),
      funnel(left, waist, second, input, reduced, "var(--blue)", "1×1", share(reduce)),
      funnel(waist, right, second, reduced, out, "var(--blue)", name, share(rest)),
      bar(left, second, input, "var(--ink)"),
      bar(waist, second, reduced, "var(--blue)"),
      bar(right, second, out, "var(--orange)"),
    ],
  };
}
