// Chapter 7: a signal that the reader draws, and a network of one dimension that answers.

import { answers } from "../drawing/answers.js";
import { branchTable } from "../drawing/branches.js";
import { branchColour } from "../drawing/colours.js";
import { fitted } from "../drawing/svg.js";
import { drawable, limitsOf, trace } from "../drawing/trace.js";
import { button, element, say, select, slider, worded } from "../page/controls.js";
import { contributing } from "../page/contributing.js";
import { onLanguage, percent, plain, text } from "../page/language.js";
import { ranked } from "../page/live.js";
import { seen } from "../page/schedule.js";
import { showChannels, showSignal } from "../page/signals.js";

const HEIGHT = 290;
const STILL = { shift: 0, gain: 1, height: 0 };

export function start(section, page) {
  const { signal } = page;
  const figure = section.querySelector(".live");
  const state = { base: null, limits: [-1, 1], place: 0, width: 6, channel: 0, mine: false, ...STILL };
  const example = select({ id: "signals-example", text: "signals.example", options: [] }, (name) => showSignal(page, name));
  const channel = select({ id: "signals-channel", text: "signals.channel", options: [] }, (at) => (state.channel = Number(at)));
  channel.box.hidden = true;
  const sliders = slidersOf(state, alter);
  const host = element("div", { class: "trace" });
  const spansNote = element("p", { class: "note" });
  const bars = answers({ count: 3 });
  const sentence = element("p", { class: "says", "aria-live": "polite" });
  const table = branchTable({ signal: true, caption: "signals.table" });
  const contribution = contributing(signal, table, "signals.contribute");
  const reset = button("signals.reset", () => showSignal(page, example.list.value));
  const controls = element("div", { class: "controls columns" }, example.box, channel.box, ...Object.values(sliders).map((one) => one.box));
  figure.append(
    element(
      "div",
      { class: "drawing-board" },
      element("div", {}, host, spansNote),
      element("div", { class: "verdict" }, bars.box, sentence, element("div", { class: "buttons" }, reset)),
    ),
    controls,
    worded("p", "signals.branches", { class: "of heading" }),
    table.box,
    worded("p", "signals.strips", { class: "note" }),
    contribution.box,
    worded("figcaption", "signals.caption"),
  );

  const frame = () => ({ limits: state.limits, count: signal.shown?.[0].length ?? 1, height: HEIGHT, spans: spansOf(signal, 0).length });
  drawable(host, frame, {
    drawn(from, to) {
      if (!signal.shown) return;
      state.base ??= signal.shown;
      const values = state.base.map((one) => [...one]);
      stroke(values[state.channel], from, to);
      adopt(values);
      state.place = to.at;
      alter();
    },
    moved(at) {
      state.place = at;
      drawTrace();
    },
    ended: () => {},
  });

  /** What the sliders make of the signal is shown to the network. */
  function alter() {
    if (!state.base) return;
    state.mine = true;
    showChannels(page, altered(state), { label: null, example: null }).catch(() => {});
  }

  function adopt(channels) {
    state.base = channels;
    Object.assign(state, STILL);
    for (const name of Object.keys(STILL)) sliders[name].value = STILL[name];
  }

  const drawTrace = fitted(host, (width) => {
    const { shown, answer, network } = signal;
    if (!shown) return { height: HEIGHT, parts: [] };
    const best = answer ? ranked(network, answer.probabilities)[0] : null;
    const evidence = best ? answer.cam(best.place).data : null;
    const spans = spansOf(signal, state.place);
    const { parts } = trace({ width, height: HEIGHT, channels: shown, limits: state.limits, evidence, spans, place: state.place });
    return { height: HEIGHT, parts, label: plain("signals.trace", { count: shown[0].length, label: best?.label ?? "" }) };
  });

  const draw = seen(figure, () => {
    const { network, answer } = signal;
    drawTrace();
    if (!network) return;
    spansNote.textContent = plain("signals.kernels", { module: network.modules[0].name });
    if (!answer) {
      if (!signal.examples.length) say(sentence, text("signals.none"));
      return;
    }
    const rows = ranked(network, answer.probabilities);
    bars.tell(rows);
    const whose = signal.label === null ? text("signals.drawn") : text("signals.known", { label: String(signal.label) });
    say(sentence, `${text("signals.says", { label: rows[0].label, share: percent(rows[0].probability, 1) })} ${whose}`);
    table.maps(answer);
  });

  function fill() {
    const options = signal.examples.map(({ name, label }) => ({ value: name, label: label === null ? name : plain("signals.option", { name, label: String(label) }) }));
    example.fill(options, signal.example ?? options[0]?.value);
    example.box.hidden = !options.length;
  }
  signal.on("network", () => {
    table.use(signal.network);
    fill();
    draw();
  });
  signal.on("input", () => {
    if (signal.example !== null || !state.mine) {
      adopt(signal.shown);
      state.limits = limitsOf(signal.shown);
      state.place = Math.floor(signal.shown[0].length / 2);
      sliders.place.limits(1, signal.shown[0].length);
      sliders.place.value = state.place + 1;
      if (signal.example !== null) example.list.value = signal.example;
      channel.fill(signal.shown.map((_, at) => ({ value: String(at), label: String(at + 1) })), "0");
      channel.box.hidden = signal.shown.length < 2;
      state.channel = 0;
    }
    state.mine = false;
    drawTrace();
  });
  signal.on("answer", draw);
  onLanguage(() => {
    fill();
    draw();
  });
  new ResizeObserver(draw).observe(figure);
}

function slidersOf(state, alter) {
  const made = {};
  const add = (name, of) => {
    made[name] = slider({ id: `signals-${name}`, text: `signals.${name}`, ...of }, (value) => {
      state[name] = name === "place" ? value - 1 : value;
      alter();
    });
  };
  add("place", { min: 1, max: 150, value: 75, accent: "orange" });
  add("height", { min: -2, max: 2, step: 0.1, value: 0, accent: "orange", show: (value) => value.toFixed(1).replace("-", "−") });
  add("width", { min: 1, max: 40, value: 6, accent: "orange" });
  add("shift", { min: -60, max: 60, value: 0, show: (value) => String(value).replace("-", "−") });
  add("gain", { min: 0.2, max: 2, step: 0.05, value: 1, show: (value) => `× ${value.toFixed(2)}` });
  return made;
}

/** The signal shifted, stronger or weaker about its mean, with a bump on one channel; `height` in deviations. */
function altered({ base, shift, gain, height, place, width, channel }) {
  return base.map((values, at) => {
    const known = values.filter(Number.isFinite);
    const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
    const spread = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length) || 1;
    return values.map((_, time) => {
      const from = Math.max(0, Math.min(values.length - 1, time - shift));
      const bump = at === channel ? height * spread * Math.exp(-((time - place) ** 2) / (2 * width ** 2)) : 0;
      return mean + gain * (values[from] - mean) + bump;
    });
  });
}

/** Values along a stroke of the pointer. */
function stroke(values, from, to) {
  const [a, b] = from.at <= to.at ? [from, to] : [to, from];
  for (let at = a.at; at <= b.at; at += 1) {
    const share = b.at === a.at ? 1 : (at - a.at) / (b.at - a.at);
    values[at] = a.value + share * (b.value - a.value);
  }
}

/** The kernels of the first module around a place, in samples. */
function spansOf({ network }, place) {
  if (!network) return [];
  return network.modules[0].branches
    .map(({ name, kernel, dilation, pool }, at) => {
      const reach = ((pool ?? dilation * (kernel - 1) + 1) - 1) / 2;
      return { name, from: place - reach - 0.5, to: place + reach + 0.5, colour: branchColour(name, at) };
    });
}

