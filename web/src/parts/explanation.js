// What a network saw in what it is shown: classes, where, every branch's maps, and their contributions.

import { answers } from "../drawing/answers.js";
import { branchTable, nameOf } from "../drawing/branches.js";
import { drawPicture, drawTiles, rangeOf } from "../drawing/heat.js";
import { range } from "../drawing/legend.js";
import { fitted, rect, svg } from "../drawing/svg.js";
import { limitsOf, trace } from "../drawing/trace.js";
import { contributing } from "../page/contributing.js";
import { element, say, select, worded } from "../page/controls.js";
import { onLanguage, plain, text } from "../page/language.js";
import { ranked } from "../page/live.js";
import { seen } from "../page/schedule.js";

const TALL = 220;

/** @param {import("../page/live.js").Live} live Of pictures or of signals. */
export function explanation(live) {
  const classes = [];
  const ask = (key) => select({ id: `own-${live.kind}-${key}`, text: `own.${key}`, options: [] }, () => {
    contribution.forget();
    draw();
  });
  const [explain, against] = [ask("explain"), ask("against")];
  const bars = answers({ count: 5 });
  const where = live.kind === "picture" ? onPicture() : onSignal();
  const channels = channelTiles();
  const table = branchTable({ signal: live.kind === "signal", caption: "own.table", pressed: (module, branch) => channels.draw(live.answer, module, branch) });
  const contribution = contributing(live, table, "own.contribute", chosen);
  const box = element(
    "div",
    { class: "explanation" },
    element(
      "div",
      { class: "upper" },
      element("div", {}, worded("p", "own.cam", { class: "of" }), where.box),
      element("div", {}, worded("p", "own.classes", { class: "of" }), bars.box, element("div", { class: "controls two" }, explain.box, against.box)),
    ),
    worded("p", "own.maps", { class: "of heading" }),
    element("div", { class: "lower" }, table.box, element("div", {}, channels.box, contribution.box, worded("p", "own.press", { class: "note" }))),
  );

  function chosen() {
    return { label: Number(explain.list.value), against: Number(against.list.value) };
  }
  const draw = seen(box, () => {
    const { answer, network } = live;
    if (!answer || box.hidden) return;
    bars.tell(ranked(network, answer.probabilities));
    const { label } = chosen();
    where.draw(live, answer.cam(label), String(network.classes[label]));
    table.maps(answer);
    channels.again(answer);
  });

  live.on("network", () => {
    classes.splice(0, Infinity, ...live.network.classes.map((label, place) => ({ value: String(place), label: String(label) })));
    explain.fill(classes, "0");
    against.fill(classes, "1");
    table.use(live.network);
    channels.press(live.network.modules[0]);
  });
  live.on("answer", () => {
    const [first, second] = ranked(live.network, live.answer.probabilities);
    explain.list.value = String(first.place);
    if (second) against.list.value = String(second.place);
    draw();
  });
  onLanguage(draw);
  new ResizeObserver(draw).observe(box);
  return { box, draw };
}

/** A picture under its class activation map. */
function onPicture() {
  const canvas = element("canvas", { role: "img", "aria-label": "…" });
  const over = svg("svg", { aria_hidden: "true", preserveAspectRatio: "none" });
  const scale = range("diverging");
  const note = element("p", { class: "note" });
  const plainCanvas = element("canvas", { "aria-hidden": "true" });
  const box = element(
    "div",
    {},
    element("div", { class: "beside" }, plainCanvas, element("div", { class: "activation" }, canvas, over)),
    scale.box,
    note,
  );
  return {
    box,
    draw(live, map, label) {
      drawPicture(canvas, live.shown);
      drawPicture(plainCanvas, live.shown);
      canvas.setAttribute("aria-label", plain("own.camlabel", { label }));
      const most = map.data.reduce((found, value) => Math.max(found, Math.abs(value)), 1e-9);
      over.setAttribute("viewBox", `0 0 ${map.width} ${map.height}`);
      over.replaceChildren(
        ...Array.from(map.data, (value, at) =>
          rect(at % map.width, Math.floor(at / map.width), 1, 1, {
            shape_rendering: "crispEdges",
            fill: `var(--${value < 0 ? "blue" : "orange"})`,
            opacity: ((Math.abs(value) / most) * 0.6).toFixed(3),
          }),
        ),
      );
      scale.tell([-most, most]);
      say(note, text("own.camnote", { label }));
    },
  };
}

/** A signal on its class activation map. */
function onSignal() {
  const host = element("div", { class: "trace still" });
  const note = element("p", { class: "note" });
  let now = null;
  const again = fitted(host, (width) => {
    if (!now) return { height: TALL, parts: [] };
    const { live, map, label } = now;
    const { parts } = trace({ width, height: TALL, channels: live.shown, limits: limitsOf(live.shown, 0.1), evidence: map.data });
    return { height: TALL, parts, label: plain("signals.trace", { count: live.shown[0].length, label }) };
  });
  return {
    box: element("div", {}, host, note),
    draw(live, map, label) {
      now = { live, map, label };
      say(note, text("own.camnote", { label }));
      again();
    },
  };
}

/** The channels of a branch that was pressed. */
function channelTiles() {
  const words = element("p", { class: "of", "aria-live": "polite" });
  const canvas = element("canvas", { role: "img", "aria-label": "…" });
  const scale = range();
  const box = element("div", { class: "channels" }, words, canvas, scale.box);
  let pressed = null;
  function again(answer) {
    if (!pressed) return;
    const map = answer.branch(pressed.module, pressed.branch);
    words.textContent = plain("own.channels", { ...pressed, branch: nameOf(pressed.branch), count: map.channels });
    canvas.setAttribute("aria-label", words.textContent);
    const limits = rangeOf(map);
    drawTiles(canvas, map, { range: limits });
    scale.tell(limits);
  }
  return {
    box,
    again,
    draw(answer, module, branch) {
      pressed = { module, branch };
      again(answer);
    },
    /** The second branch of a module, where nothing was pressed yet. */
    press(module) {
      pressed = { module: module.name, branch: module.branches.at(1 % module.branches.length).name };
    },
  };
}
