// The modules as a map to walk: what a place in each of them sees of the picture, and which channels answer there.

import { cost } from "../arithmetic/cost.js";
import { branchColour } from "../drawing/colours.js";
import { drawPicture, drawTiles, mean, part } from "../drawing/heat.js";
import { path, rect, svg } from "../drawing/svg.js";
import { choice, element, exact, say, slider, worded } from "../page/controls.js";
import { number, onLanguage, plain, rounded, text } from "../page/language.js";
import { modulesOf } from "../page/live.js";
import { pictureChoice } from "../page/pictures.js";
import { seen } from "../page/schedule.js";

const CHANNELS = 12; // that are shown

export function startWalk(figure, page) {
  const { picture } = page;
  const state = { name: null, row: 0, column: 0, rows: [] };
  const places = element("div", { class: "places" });
  const field = new Field((x, y) => move(at(x), at(y)));
  const map = new PlaceMap((column, row) => move(column, row));
  const sliders = {
    row: slider({ id: "network-row", text: "network.row", min: 1, max: 2, value: 1, accent: "orange" }, (value) => move(state.column, value - 1)),
    column: slider({ id: "network-column", text: "network.column", min: 1, max: 2, value: 1, accent: "orange" }, (value) => move(value - 1, state.row)),
  };
  const facts = factList();
  const channels = channelTiles();
  const sentence = element("p", { class: "sentence", "aria-live": "polite" });
  figure.append(
    places,
    element(
      "div",
      { class: "walked" },
      element("div", {}, worded("p", "network.seen", { class: "of" }), field.box, pictureChoice(page)),
      element("div", {}, map.words, map.box, element("div", { class: "controls two" }, sliders.row.box, sliders.column.box)),
      element("div", {}, facts.box, worded("p", "network.strongest", { class: "of" }), channels.box),
    ),
    sentence,
    worded("figcaption", "network.walkcaption"),
  );

  const rowOf = () => state.rows.find((row) => row.name === state.name);
  /** The output whose place is nearest to a sample of the picture. */
  const at = (sample) => Math.round((sample - rowOf().first) / rowOf().stride);

  function choose(name) {
    const before = rowOf();
    const centre = before ? [state.row, state.column].map((place) => before.first + place * before.stride) : null;
    state.name = name;
    const side = rowOf().output.at(-1);
    for (const one of Object.values(sliders)) one.limits(1, side);
    if (centre) move(at(centre[1]), at(centre[0]));
    else move(Math.floor(side / 2), Math.floor(side / 2));
  }

  function move(column, row) {
    const side = rowOf().output.at(-1);
    state.column = Math.max(0, Math.min(side - 1, column));
    state.row = Math.max(0, Math.min(side - 1, row));
    sliders.row.value = state.row + 1;
    sliders.column.value = state.column + 1;
    facts.tell(rowOf());
    draw();
  }

  const draw = seen(figure, () => {
    const { network, answer, shown } = picture;
    if (!network || !state.name) return;
    const row = rowOf();
    const side = network.inputShape.at(-1);
    field.draw(row, state, side, shown);
    const values = { module: state.name, field: row.field, side };
    say(sentence, text(row.field > side ? "network.beyond" : "network.inside", values));
    if (!answer) return;
    map.draw(answer.map(state.name), state);
    channels.draw(answer.map(state.name), network.modules.find((module) => module.name === state.name), state);
  });

  picture.on("network", () => {
    const { network } = picture;
    const [inChannels, ...size] = network.inputShape;
    state.rows = cost(network.spec, { size, inChannels: inChannels / network.spec.members, classes: network.classes.length }).rows;
    state.name = null;
    const modules = modulesOf(network.spec);
    const options = modules.map((module) => ({ value: module.name, label: module.name, node: glyph(module, state.rows) }));
    const row = choice({ id: "network-walk", text: "network.walk", options, value: modules[0].name, hidden: true, kind: "modules" }, choose);
    places.replaceChildren(row.box);
    choose(modules[0].name);
  });
  picture.on("input", draw);
  picture.on("answer", draw);
  onLanguage(draw);
  new ResizeObserver(draw).observe(figure);
}

/** A module as a sign: its branches as strands as thick as their channels are many, its name and the size of its maps. */
function glyph(module, rows) {
  const side = rows.find((row) => row.name === module.name).output.at(-1);
  const most = Math.max(...module.branches.map((branch) => branch.channels ?? 0), 1);
  const strands = module.branches.map((branch, at) => {
    const y = 6 + at * 10;
    return path(`M4 21C14 21 14 ${y} 24 ${y}H36C46 ${y} 46 21 56 21`, {
      stroke: branchColour(branch.name, at),
      stroke_width: Math.max(1.2, ((branch.channels ?? most) / most) * 7),
    });
  });
  return element(
    "span",
    { class: "module-sign" },
    svg("svg", { viewBox: "0 0 60 42", aria_hidden: "true" }, strands),
    element("b", {}, module.name),
    element("small", {}, `${side} × ${side}`),
  );
}

/** The picture with the receptive field on it, and beyond its border. */
class Field {
  constructor(point) {
    this.canvas = element("canvas", { role: "img", "aria-label": "…" });
    this.over = svg("svg", { aria_hidden: "true" });
    this.box = element("div", { class: "field" }, this.canvas, this.over);
    const follow = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const { left, top, width, height } = this.canvas.getBoundingClientRect();
      point(((event.clientX - left) / width) * this.side - 0.5, ((event.clientY - top) / height) * this.side - 0.5);
    };
    this.over.addEventListener("pointerdown", follow);
    this.over.addEventListener("pointermove", follow);
  }

  draw(row, { column, row: down, name }, side, shown) {
    this.side = side;
    if (shown) drawPicture(this.canvas, shown);
    this.canvas.setAttribute("aria-label", plain("network.picture", { field: row.field, module: name }));
    const [x, y] = [column, down].map((place) => row.first + place * row.stride);
    const from = (centre) => centre - (row.field - 1) / 2;
    this.over.setAttribute("viewBox", `${-side / 2} ${-side / 2} ${2 * side} ${2 * side}`);
    this.over.replaceChildren(
      rect(0, 0, side, side, { fill: "none", stroke: "var(--grey)", stroke_width: 1, vector_effect: "non-scaling-stroke" }),
      rect(from(x), from(y), row.field, row.field, {
        fill: "var(--blue)",
        fill_opacity: 0.14,
        stroke: "var(--blue)",
        stroke_width: 2,
        vector_effect: "non-scaling-stroke",
      }),
      rect(x - (row.stride - 1) / 2, y - (row.stride - 1) / 2, row.stride, row.stride, {
        fill: "var(--orange)",
        fill_opacity: 0.75,
        stroke: "var(--page)",
        stroke_width: 1.5,
        vector_effect: "non-scaling-stroke",
      }),
    );
  }
}

/** The mean map of a module, on which the place is chosen. */
class PlaceMap {
  constructor(point) {
    this.words = element("p", { class: "of" });
    this.canvas = element("canvas", { role: "img", "aria-label": "…" });
    this.over = svg("svg", { aria_hidden: "true" });
    this.box = element("div", { class: "place-map" }, this.canvas, this.over);
    const follow = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const { left, top, width, height } = this.box.getBoundingClientRect();
      point(Math.floor(((event.clientX - left) / width) * this.size), Math.floor(((event.clientY - top) / height) * this.size));
    };
    this.over.addEventListener("pointerdown", follow);
    this.over.addEventListener("pointermove", follow);
  }

  draw(map, { name, row, column }) {
    this.size = map.width;
    this.words.textContent = plain("network.map", { module: name, count: map.channels });
    this.canvas.setAttribute("aria-label", this.words.textContent);
    drawTiles(this.canvas, mean(map), { gap: 0 });
    this.over.setAttribute("viewBox", `0 0 ${map.width} ${map.height}`);
    const edge = { fill: "none", vector_effect: "non-scaling-stroke" };
    this.over.replaceChildren(
      rect(column, row, 1, 1, { ...edge, stroke: "var(--page)", stroke_width: 5 }),
      rect(column, row, 1, 1, { ...edge, stroke: "var(--orange)", stroke_width: 3 }),
    );
  }
}

function factList() {
  const values = {};
  const line = (name) => {
    values[name] = element("dd", name === "output" ? {} : { "data-value": `network.${name}` });
    return [worded("dt", `network.${name}`), values[name]];
  };
  const box = element("dl", { class: "facts-list" }, ...["field", "stride", "output", "cost"].flatMap(line));
  return {
    box,
    tell(row) {
      exact(values.field, row.field, `${row.field} × ${row.field}`);
      exact(values.stride, row.stride, number(row.stride));
      exact(values.cost, row.macs, number(row.macs));
      values.output.textContent = row.output.join(" × ");
    },
  };
}

/** The channels that are largest at the place, in the colours of their branches. */
function channelTiles() {
  const tiles = Array.from({ length: CHANNELS }, () => {
    const [canvas, label] = [element("canvas", { role: "img", "aria-label": "…" }), element("span", { "aria-hidden": "true" })];
    return { canvas, label, box: element("div", { class: "tile" }, canvas, label) };
  });
  return {
    box: element("div", { class: "tiles" }, ...tiles.map(({ box }) => box)),
    draw(map, module, { row, column }) {
      const size = map.width * map.height;
      const here = row * map.width + column;
      const order = Array.from({ length: map.channels }, (_, channel) => channel).sort((a, b) => map.data[b * size + here] - map.data[a * size + here]);
      const owner = ownerOf(module);
      tiles.forEach(({ canvas, label, box }, at) => {
        box.hidden = at >= order.length;
        if (box.hidden) return;
        const channel = order[at];
        const { branch, place } = owner(channel);
        drawTiles(canvas, part(map, channel, channel + 1), { gap: 0 });
        const name = branch.name.replace(/^(\d+)x(\d+)$/, "$1×$2");
        label.textContent = name;
        box.style.setProperty("--accent", branchColour(branch.name, place));
        const value = rounded(map.data[channel * size + here], 2);
        canvas.setAttribute("aria-label", plain("network.channel", { channel, branch: name, value }));
      });
    },
  };
}

/** To whose branch a channel of a module's output belongs. */
function ownerOf(module) {
  return (channel) => {
    const place = module.branches.findIndex(({ to }) => channel < to);
    return { branch: module.branches[place], place };
  };
}
