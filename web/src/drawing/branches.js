// Every branch of every module in a table: its mean map in small, and what it contributes to the answer.

import { element } from "../page/controls.js";
import { formatted, plain } from "../page/language.js";
import { branchColour, diverging } from "./colours.js";
import { drawTiles, mean, rangeOf } from "./heat.js";

export const signed = (value) => formatted(value, { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "always" });
export const nameOf = (branch) => branch.replace(/^(\d+)x(\d+)$/, "$1×$2");

/** @param {{pressed?: Function, signal?: boolean, caption: string}} of `pressed(module, branch)`: the maps become buttons. */
export function branchTable({ pressed, signal = false, caption }) {
  const table = element("table", { "data-label": caption, "aria-label": plain(caption), class: `branch-table ${signal ? "strips" : ""}` });
  let cells = [];
  let extras = [];

  function use(network) {
    const most = Math.max(...network.modules.map((module) => module.branches.length));
    cells = [];
    extras = [];
    let above = [];
    const rows = network.modules.map((module) => {
      const names = module.branches.map(({ name }) => name);
      const named = String(names) !== String(above);
      above = names;
      const tds = module.branches.map((branch, at) => {
        const cell = cellOf(module, branch, at, { pressed, named });
        cells.push(cell);
        return cell.td;
      });
      const rest = element("td", { class: "rest" });
      extras.push({ module: module.name, names, td: rest });
      while (tds.length < most) tds.push(element("td"));
      return element("tr", {}, element("th", { scope: "row" }, module.name), ...tds, rest);
    });
    table.replaceChildren(element("tbody", {}, ...rows));
  }

  /** The maps of an answer; of each module on one scale. */
  function maps(answer) {
    const scales = new Map();
    for (const { module, branch, canvas, button } of cells) {
      if (!scales.has(module)) scales.set(module, rangeOf(mean(answer.map(module)))[1] * 2);
      const map = answer.branch(module, branch);
      drawTiles(canvas, mean(map), { range: [0, scales.get(module) || 1], gap: 0 });
      const label = plain("own.branch", { module, branch: nameOf(branch), count: map.channels });
      (button ?? canvas).setAttribute("aria-label", label);
    }
  }

  /** What the branches contribute, or null where that is not known. */
  function contributions(found) {
    const most = found ? Math.max(...Object.values(found).flatMap((row) => Object.values(row).map(Math.abs))) : 1;
    for (const { module, branch, value } of cells) {
      const number = found?.[module]?.[branch];
      value.textContent = number === undefined ? "" : signed(number);
      value.style.background = number === undefined ? "" : diverging(number * 0.5, most);
    }
    for (const { module, names, td } of extras) {
      const more = Object.entries(found?.[module] ?? {}).filter(([name]) => !names.includes(name));
      td.replaceChildren(...more.map(([name, number]) => {
        const value = element("span", { class: "value" }, signed(number));
        value.style.background = diverging(number * 0.5, most);
        return element("span", {}, element("span", { class: "name" }, name), value);
      }));
    }
    return most;
  }

  return { box: element("div", { class: "scroll", tabindex: "0", role: "region", "data-label": caption, "aria-label": plain(caption) }, table), use, maps, contributions };
}

function cellOf(module, branch, at, { pressed, named }) {
  const label = `${module.name} ${branch.name}`;
  const canvas = element("canvas", pressed ? { "aria-hidden": "true" } : { role: "img", "aria-label": label });
  const button = pressed ? element("button", { type: "button", class: "map", "aria-label": label }, canvas) : null;
  if (button) button.addEventListener("click", () => pressed(module.name, branch.name));
  const value = element("span", { class: "value" });
  const name = element("span", { class: named ? "name" : "unseen" }, nameOf(branch.name));
  const td = element("td", {}, name, button ?? canvas, value);
  td.style.setProperty("--accent", branchColour(branch.name, at));
  return { module: module.name, branch: branch.name, canvas, button, value, td };
}
