// Classes with their probabilities as bars; where there was an answer before a change, a mark on each bar.

import { element } from "../page/controls.js";
import { percent } from "../page/language.js";

/** @param {{count: number}} of How many classes are shown. */
export function answers({ count }) {
  const box = element("ul", { class: "answers" });
  const rows = Array.from({ length: count }, () => {
    const [label, share] = [element("span", { class: "label" }), element("span", { class: "share" })];
    const [bar, before] = [element("i"), element("b", { hidden: true })];
    const row = element("li", {}, label, share, element("span", { class: "track", "aria-hidden": "true" }, bar, before));
    box.append(row);
    return { row, label, share, bar, before };
  });
  return {
    box,
    /**
     * @param {{label: string, probability: number, place: number}[]} ranking By probability.
     * @param {Float32Array | null} earlier Probabilities of before a change.
     */
    tell(ranking, earlier = null) {
      rows.forEach(({ row, label, share, bar, before }, at) => {
        row.hidden = at >= ranking.length;
        if (row.hidden) return;
        const { probability, place } = ranking[at];
        label.textContent = ranking[at].label;
        share.textContent = percent(probability, 1);
        bar.style.width = `${probability * 100}%`;
        before.hidden = !earlier;
        if (earlier) before.style.left = `${earlier[place] * 100}%`;
      });
    },
  };
}
