// Chapter 2: the 1×1 convolution, its cost, and what it keeps of the reader's picture.

import { Cursor } from "../arithmetic/cursor.js";
import { bottleneck } from "../drawing/bottleneck.js";
import { drawTiles, rangeOf } from "../drawing/heat.js";
import { fitted } from "../drawing/svg.js";
import { element, exact, say, select, slider, worded } from "../page/controls.js";
import { number, onLanguage, percent, plain, short, text } from "../page/language.js";
import { layerBefore, modulesOf } from "../page/live.js";
import { pictureChoice } from "../page/pictures.js";
import { seen, soon } from "../page/schedule.js";
import { range } from "../drawing/legend.js";

const KERNELS = [1, 3, 5, 7];

export function start(section, page) {
  startCost(section.querySelector(".live"), page.facts.architectures.googlenet);
  startMaps(section.querySelector(".maps"), page);
}

/** Parameters and multiply-adds with and without reduction, by googlenet.arch.cursor. */
function costs({ input, reduced, out, kernel, side }) {
  const place = new Cursor({ batchNorm: false, channels: input, size: [side, side] });
  const [whole] = place.conv("conv", out, { kernel }).done;
  const [reduce, rest] = place.conv("reduce", reduced).conv("conv", out, { kernel }).done;
  return { whole, reduce, rest };
}

function startCost(figure, { spec, cost }) {
  const state = { input: 192, reduced: 16, out: 32, kernel: 5, side: 28 };
  const presets = presetsOf(spec, cost.rows);
  const sliders = {};
  const moved = (name, read) => (value) => {
    state[name] = read(value);
    preset.list.value = "";
    update();
  };
  const add = (name, words, of, read = Number) => {
    sliders[name] = slider({ id: `compression-${words}`, text: `compression.${words}`, value: state[name], ...of }, moved(name, read));
  };
  add("input", "in", { min: 1, max: 1024, accent: "ink" });
  add("reduced", "reduced", { min: 1, max: 512 });
  add("out", "out", { min: 1, max: 1024, accent: "orange" });
  add("kernel", "kernel", { min: 0, max: 3, value: 2, show: (at) => `${KERNELS[at]}×${KERNELS[at]}` }, (at) => KERNELS[at]);
  add("side", "side", { min: 1, max: 112, show: (side) => `${side}×${side}` });
  const options = [{ value: "", text: "compression.free" }, ...presets.map(({ name }) => ({ value: name, label: name }))];
  const preset = select({ id: "compression-preset", text: "compression.preset", options, value: "3a 5×5" }, (name) => {
    const chosen = presets.find((one) => one.name === name);
    if (!chosen) return;
    Object.assign(state, chosen.of);
    for (const [key, one] of Object.entries(sliders)) one.value = key === "kernel" ? KERNELS.indexOf(state.kernel) : state[key];
    update();
  });
  const controls = element("div", { class: "controls columns" }, preset.box, ...Object.values(sliders).map((one) => one.box));
  const flow = element("div", { class: "flow" });
  const table = costTable();
  const sentence = element("p", { class: "sentence", "aria-live": "polite" });
  figure.append(controls, flow, table.box, sentence);

  const draw = fitted(flow, (width) => bottleneck(width, state, costs(state)));
  const drawSoon = soon(draw);
  function update() {
    const { whole, reduce, rest } = costs(state);
    table.tell(whole, reduce, rest, state);
    const saved = 1 - (reduce.macs + rest.macs) / whole.macs;
    const values = { k: state.kernel, reduce: short(reduce.macs), rest: short(rest.macs), whole: short(whole.macs) };
    say(
      sentence,
      saved > 0 ? text("compression.saves", { ...values, share: percent(saved, 1) }) : text("compression.costs", { share: percent(-saved, 1) }),
    );
    drawSoon();
  }
  onLanguage(update);
  update();
}

/** The reductions of the published network, in front of 3×3 and 5×5. */
function presetsOf(spec, rows) {
  let input = 3;
  let side = 0;
  const found = [];
  for (const layer of spec.stages.flatMap((stage) => stage.layers)) {
    for (const branch of layer.type === "inception" ? layer.branches : []) {
      if (!branch.reduce) continue;
      const of = { input, reduced: branch.reduce, out: branch.channels, kernel: branch.kernel, side };
      found.push({ name: `${layer.name} ${branch.kernel}×${branch.kernel}`, of });
    }
    [input, side] = rows.find((row) => row.name === layer.name).output;
  }
  return found;
}

function costTable() {
  const head = element("tr", {}, element("td"), ...["params", "macs"].map((what) => worded("th", `compression.${what}`, { scope: "col" })));
  const cells = {};
  const row = (of) => {
    const tds = ["params", "macs"].map((what) => {
      cells[`${what}.${of}`] = element("span", { class: "figure", "data-value": `compression.${what}.${of}` });
      const formula = of === "saved" || what === "macs" ? null : element("small", { class: "working" });
      if (formula) cells[`${what}.${of}.working`] = formula;
      return element("td", {}, cells[`${what}.${of}`], formula);
    });
    return element("tr", {}, worded("th", `compression.${of}`, { scope: "row" }), ...tds);
  };
  const caption = worded("caption", "compression.table", { class: "unseen" });
  const box = element("div", { class: "scroll", tabindex: "0", role: "region", "data-label": "compression.table", "aria-label": plain("compression.table") }, element("table", { class: "numbers" }, caption, element("thead", {}, head), element("tbody", {}, ...["without", "with", "saved"].map(row))));
  return {
    box,
    tell(whole, reduce, rest, { input, reduced, out, kernel }) {
      for (const what of ["params", "macs"]) {
        const together = reduce[what] + rest[what];
        exact(cells[`${what}.without`], whole[what], number(whole[what]));
        exact(cells[`${what}.with`], together, number(together));
        exact(cells[`${what}.saved`], whole[what] - together, number(whole[what] - together));
      }
      cells["params.without.working"].textContent = `(${kernel}·${kernel}·${input} + 1) · ${out}`;
      cells["params.with.working"].textContent = `(1·1·${input} + 1) · ${reduced} + (${kernel}·${kernel}·${reduced} + 1) · ${out}`;
    },
  };
}

// ---------------------------------------------------------------------------------------- on the reader's picture
function startMaps(figure, page) {
  const { picture } = page;
  const chosen = select({ id: "compression-choose", text: "compression.choose", options: [] }, () => draw());
  const sides = ["before", "after"].map((which) => {
    const words = element("p", { class: "of" });
    const canvas = element("canvas", { role: "img", "aria-label": "…" });
    const scale = range();
    return { which, words, canvas, scale, box: element("div", {}, words, canvas, scale.box) };
  });
  const arrow = element("div", { class: "arrow", "aria-hidden": "true" }, "1×1");
  const sentence = element("p", { class: "sentence" });
  const controls = element("div", { class: "controls columns" }, pictureChoice(page), chosen.box);
  figure.append(controls, element("div", { class: "before-after" }, sides[0].box, arrow, sides[1].box), sentence, worded("figcaption", "compression.caption"));

  const draw = seen(figure, () => {
    const { network, answer } = picture;
    const [module, branch] = chosen.list.value.split("/");
    const spec = network && modulesOf(network.spec).find((one) => one.name === module);
    const front = spec && layerBefore(network.spec, module);
    if (!answer || !front) return;
    const input = answer.map(front);
    const kept = answer.map(`${module}.${branch}.reduce`);
    [input, kept].forEach((map, at) => {
      const { words, canvas, scale, which } = sides[at];
      const limits = rangeOf(map);
      words.textContent = plain(`compression.${which}`, { count: map.channels });
      canvas.setAttribute("aria-label", plain("compression.maps", { count: map.channels }));
      drawTiles(canvas, map, { range: limits, gap: map.channels > 40 ? 2 : 4 });
      scale.tell(limits);
    });
    const kernel = spec.branches.find((one) => one.name === branch).kernel;
    const count = (map) => map.channels * map.height * map.width;
    say(sentence, text("compression.fewer", { before: count(input), after: count(kept), module, kernel: `${kernel}×${kernel}` }));
  });
  const fill = () => {
    const options = modulesOf(picture.network.spec).flatMap((module) =>
      module.branches.filter((branch) => branch.reduce).map((branch) => ({ value: `${module.name}/${branch.name}`, label: `${module.name}  ${branch.name.replace("x", "×")}` })),
    );
    chosen.fill(options, options.some((one) => one.value === chosen.list.value) ? chosen.list.value : options[1]?.value ?? options[0]?.value);
  };
  picture.on("network", fill);
  picture.on("answer", draw);
  onLanguage(draw);
  new ResizeObserver(draw).observe(figure);
}
