// What a colour means: a bar of the scale with its limits.

import { element } from "../page/controls.js";
import { rounded } from "../page/language.js";
import { divergingGradient, sequentialGradient, softGradient } from "./colours.js";

/** A scale with the limits that `tell([low, high])` gives it. */
export function range(kind = "sequential") {
  const [low, high] = [element("span"), element("span")];
  const bar = element("span", { class: "scale" });
  bar.style.background = { sequential: sequentialGradient, diverging: divergingGradient, soft: softGradient }[kind];
  return {
    box: element("div", { class: "range" }, low, bar, high),
    tell(limits) {
      [low.textContent, high.textContent] = limits.map((value) => rounded(value, 3));
    },
  };
}
