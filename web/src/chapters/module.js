// Chapter 3: an Inception module taken apart, with its cost and what the network then says.

import { before, branchRow, cost, rowOf } from "../arithmetic/cost.js";
import { answers } from "../drawing/answers.js";
import { rangeOf } from "../drawing/heat.js";
import { range } from "../drawing/legend.js";
import { button, choice, element, exact, say, worded } from "../page/controls.js";
import { number, onLanguage, percent, plain, text } from "../page/language.js";
import { layerBefore, modulesOf, ranked } from "../page/live.js";
import { pictureChoice } from "../page/pictures.js";
import { latest, seen } from "../page/schedule.js";
import { Flow } from "../parts/flow.js";

export function start(section, page) {
  const { picture } = page;
  const figure = section.querySelector(".live");
  const places = element("div", { class: "module-choice" });
  const flow = new Flow(changed);
  const readout = readouts();
  const bars = answers({ count: 3 });
  const sentence = element("p", { class: "sentence", "aria-live": "polite" });
  const reset = button("module.reset", () => choose(flow.module.name));
  const scales = { outputs: range(), reductions: range() };
  const legend = Object.entries(scales).map(([name, scale]) =>
    element("div", { class: "labelled" }, worded("span", `module.${name}`), scale.box),
  );
  const says = element("div", { class: "says" }, worded("p", "module.says", { class: "of" }), bars.box);
  figure.append(
    element("div", { class: "controls columns" }, places, pictureChoice(page)),
    flow.box,
    element("div", { class: "legend" }, ...legend, reset),
    element("div", { class: "consequences" }, readout.box, says),
    sentence,
    worded("figcaption", "module.caption"),
  );
  let answer = null;

  function choose(name) {
    flow.use(modulesOf(picture.network.spec).find((module) => module.name === name));
    changed();
  }

  /** Something was changed: the cost at once, the answer as soon as the network has it. */
  function changed() {
    if (!picture.network) return;
    const now = costs(picture.network, flow);
    readout.tell(now);
    flow.tell(now);
    draw();
    if (picture.answer) compute();
  }

  const compute = latest(async () => {
    const switches = flow.switches();
    const possible = flow.impossible().length === 0;
    answer = possible && Object.keys(switches).length ? await picture.ask(switches) : picture.answer;
    draw();
  });

  const draw = seen(figure, () => {
    const { network } = picture;
    if (!network || !answer) return;
    const limits = { outputs: rangeOf(answer.map(flow.module.name)), reductions: [0, 1] };
    const reduced = flow.module.branches.filter((branch) => branch.reduce).map((branch) => answer.map(`${flow.module.name}.${branch.name}.reduce`));
    limits.reductions[1] = Math.max(...reduced.map((map) => rangeOf(map)[1]), 0) || 1;
    const front = layerBefore(network.spec, flow.module.name);
    flow.draw(answer, front && answer.map(front), limits);
    for (const [name, scale] of Object.entries(scales)) scale.tell(limits[name]);
    say(sentence, told(picture, flow, answer));
    const possible = flow.impossible().length === 0;
    says.classList.toggle("impossible", !possible);
    bars.tell(ranked(network, answer.probabilities), possible && answer !== picture.answer ? picture.answer.probabilities : null);
  });

  picture.on("network", () => {
    answer = null;
    const names = modulesOf(picture.network.spec).map(({ name }) => ({ value: name, label: name }));
    const row = choice({ id: "module-choose", text: "module.choose", options: names, value: names[0].value }, choose);
    places.replaceChildren(row.box);
    choose(names[0].value);
  });
  picture.on("answer", compute);
  onLanguage(changed);
  new ResizeObserver(draw).observe(flow.box);
}

/** Costs of the module as it is changed, of its branches, and of the network with it. */
function costs(network, flow) {
  const [inChannels, ...size] = network.inputShape;
  const spec = network.spec;
  const { cursor } = before(spec, flow.module.name, { size, inChannels: inChannels / spec.members });
  const branches = Object.fromEntries(flow.all().map((branch) => [branch.name, branchRow(cursor, branch)]));
  const kept = flow.kept();
  if (!kept.length) return { branches, module: null, whole: null };
  const changedModule = { ...flow.module, branches: kept };
  const stages = spec.stages.map((stage) => ({
    ...stage,
    layers: stage.layers.map((layer) => (layer.name === flow.module.name ? changedModule : layer)),
  }));
  const [module] = rowOf(cursor, changedModule);
  const whole = cost({ ...spec, stages }, { size, inChannels: inChannels / spec.members, classes: network.classes.length });
  return { branches, module, whole };
}

/** The figures below the module. */
function readouts() {
  const values = {};
  const row = (name, key) => {
    values[name] = element("b", { "data-value": `module.${name}` });
    return element("div", {}, worded("dt", key), element("dd", {}, values[name]));
  };
  const group = (key, ...rows) => element("div", { class: "group" }, worded("p", key, { class: "of" }), element("dl", {}, ...rows));
  const box = element(
    "div",
    { class: "readouts" },
    group("module.cost", row("params", "module.params"), row("macs", "module.macs"), row("saved", "module.saved")),
    group("module.whole", row("whole.params", "module.params"), row("whole.macs", "module.macs")),
  );
  return {
    box,
    tell({ module, whole }) {
      const told = {
        params: module?.params,
        macs: module?.macs,
        saved: module?.savedMacs,
        "whole.params": whole?.params,
        "whole.macs": whole?.macs,
      };
      for (const [name, value] of Object.entries(told)) exact(values[name], value ?? null, value === undefined ? "–" : number(value));
    },
  };
}

/** The sentence below: what the network says, or why it cannot say anything. */
function told(picture, flow, answer) {
  const reasons = flow.impossible();
  const off = flow.kept().length < flow.module.branches.length ? ` ${text(flow.kept().length ? "module.off" : "module.none")}` : "";
  if (reasons.length) return text("module.impossible", { what: reasons.join(plain("module.and")) }) + off;
  const [now, was] = [answer, picture.answer].map(({ probabilities }) => ranked(picture.network, probabilities)[0]);
  const values = { label: now.label, share: percent(now.probability, 1), was: was.label, wasshare: percent(was.probability, 1) };
  return text(answer === picture.answer ? "module.same" : "module.changed", values) + off;
}

