// The drawing of an Inception module: input, four branches that can be changed, concatenation, and lines between them.

import { branchColour } from "../drawing/colours.js";
import { drawTiles } from "../drawing/heat.js";
import { path, svg } from "../drawing/svg.js";
import { element, exact, slider, toggle } from "../page/controls.js";
import { number, plain, short } from "../page/language.js";

export class Flow {
  module = null;
  #lanes = [];
  #changed;

  /** @param {Function} changed Called when the reader has changed something. */
  constructor(changed) {
    this.#changed = changed;
    this.wires = svg("svg", { class: "wires", aria_hidden: "true" });
    this.input = panel("module.inputs");
    this.lanes = element("div", { class: "lanes" });
    this.joined = element("div", { class: "joined" }, element("p", { class: "of" }), element("div", { class: "segments" }));
    this.box = element("div", { class: "module-flow" }, this.wires, element("div", { class: "entry" }, this.input.box), this.lanes, this.joined);
  }

  /** Shows a module as it was trained. */
  use(module) {
    this.module = module;
    this.#lanes = module.branches.map((branch, at) => new Lane(branch, branchColour(branch.name, at), this.#changed));
    this.lanes.replaceChildren(...this.#lanes.map((lane) => lane.box));
    this.joined.lastChild.replaceChildren(...this.#lanes.map((lane) => lane.segment));
  }

  /** The branches as they are changed, those that are off too. */
  all = () => this.#lanes.map((lane) => lane.changed());

  /** The branches that are on, as they are changed. */
  kept = () => this.#lanes.filter((lane) => lane.on).map((lane) => lane.changed());

  /** What has to be switched in the trained network to compute this. */
  switches = () => Object.assign({}, ...this.#lanes.map((lane) => lane.switches(this.module.name)));

  /** Why the trained network cannot compute this, as words; empty where it can. */
  impossible = () => this.#lanes.flatMap((lane) => lane.impossible());

  /** Labels with the numbers of a cost. */
  tell({ branches }) {
    for (const lane of this.#lanes) lane.tell(branches[lane.branch.name]);
    const count = this.#lanes.reduce((sum, lane) => sum + (lane.on ? lane.count : 0), 0);
    this.joined.firstChild.textContent = plain("module.concatenated", { count });
  }

  /** Maps of an answer, and the lines as the page lies now. */
  draw(answer, input, limits) {
    if (input) {
      this.input.words.textContent = plain("module.input", { count: input.channels });
      this.input.show(input, {});
    }
    for (const lane of this.#lanes) lane.draw(answer, this.module.name, limits);
    this.#wire();
  }

  #wire() {
    const frame = this.box.getBoundingClientRect();
    const spot = (node) => {
      const box = node.getBoundingClientRect();
      const [x, y] = [box.left - frame.left, box.top - frame.top];
      return { left: x, right: x + box.width, top: y, bottom: y + box.height, middle: y + box.height / 2, centre: x + box.width / 2 };
    };
    const narrow = getComputedStyle(this.box).getPropertyValue("--narrow").trim() === "1";
    const entry = spot(this.input.canvas);
    const lines = this.#lanes.flatMap(({ box, segment, colour, on, count }, at) => {
      const [lane, end] = [spot(box), spot(segment)];
      const style = { stroke: colour, opacity: on ? 0.75 : 0.15, stroke_linecap: "round" };
      const thick = Math.max(1.5, Math.min(9, count / 24));
      const curve = (x1, y1, x2, y2) => `M${x1} ${y1}C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`;
      if (narrow) {
        return [
          path(`M${lane.left - 12 + 3 * at} ${entry.bottom - 4}V${lane.top + 22}H${lane.left}`, { ...style, stroke_width: 2 }),
          path(`M${lane.right} ${lane.bottom - 22}H${lane.right + 12 - 3 * at}V${end.middle}H${end.right}`, { ...style, stroke_width: 2 }),
        ];
      }
      return [
        path(curve(entry.left + (this.input.wide ?? 0) + 6, entry.middle, lane.left - 1, lane.middle), { ...style, stroke_width: 2 }),
        path(curve(lane.right + 1, lane.middle, end.left - 2, end.middle), { ...style, stroke_width: thick }),
      ];
    });
    this.wires.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
    this.wires.replaceChildren(...lines);
  }
}

/** One branch. */
class Lane {
  constructor(branch, colour, changed) {
    Object.assign(this, { branch, colour, on: true, kernel: branch.kernel, reduce: branch.reduce });
    const id = `module-${branch.name}`;
    const moved = (name) => (value) => {
      this[name] = value;
      this.box.classList.toggle("off", !this.on);
      changed();
    };
    this.macs = element("span", { "data-value": `module.${branch.name}.macs` });
    this.cost = element("span", { class: "cost" });
    const name = branch.name.replace(/^(\d+)x(\d+)$/, "$1×$2");
    const flip = toggle({ id, label: name }, moved("on"));
    this.flip = () => flip.input.setAttribute("aria-label", plain("module.on", { name }));
    const steps = element("div", { class: "steps" });
    if (branch.pool) steps.append(element("span", { class: "pooled", "data-text": "module.pool" }, plain("module.pool")));
    if (branch.reduce) {
      const of = { id: `${id}-reduce`, text: "module.reduce", min: 1, max: branch.reduce * 2, value: branch.reduce };
      this.reduced = panel("module.reduced", slider(of, moved("reduce")).box);
      steps.append(this.reduced.box);
    }
    const of = { id: `${id}-kernel`, text: "module.kernel", min: 1, max: branch.kernel + 4, step: 2, value: branch.kernel, show: (k) => `${k}×${k}` };
    this.output = panel("module.maps", branch.kernel > 1 ? slider(of, moved("kernel")).box : null);
    steps.append(this.output.box);
    const head = element("div", { class: "lane-head" }, flip.box, this.cost);
    this.box = element("div", { class: "lane" }, head, steps);
    this.segment = element("div", { class: "segment" }, element("canvas", { "aria-hidden": "true" }), element("span"));
    for (const node of [this.box, this.segment]) node.style.setProperty("--accent", colour);
  }

  changed = () => ({ ...this.branch, kernel: this.kernel, reduce: this.reduce });

  switches(module) {
    const name = `${module}.${this.branch.name}`;
    if (!this.on) return { [name]: 0 };
    const found = {};
    if (this.kernel < this.branch.kernel) found[`${name}.kernel`] = this.kernel;
    if (this.reduce < this.branch.reduce) found[`${name}.reduce`] = this.reduce;
    return found;
  }

  impossible() {
    if (!this.on) return [];
    const { kernel, reduce } = this.branch;
    return [
      this.kernel > kernel ? plain("module.larger", { k: this.kernel, was: kernel }) : null,
      this.reduce > reduce ? plain("module.more", { count: this.reduce, was: reduce }) : null,
    ].filter(Boolean);
  }

  tell(row) {
    this.flip();
    [this.count] = row.output;
    this.segment.style.flexGrow = this.count;
    exact(this.macs, row.macs, number(row.macs));
    this.cost.replaceChildren(`${plain("module.channels", { count: this.count })} · `, this.macs, ` ${plain("module.macs")}`);
    this.segment.lastChild.textContent = this.on ? this.count : "";
    this.cost.title = short(row.macs);
  }

  draw(answer, module, { outputs, reductions }) {
    const map = answer.branch(module, this.branch.name);
    const values = { branch: this.branch.name };
    this.output.show(map, { range: outputs }, values);
    if (this.reduced) this.reduced.show(answer.map(`${module}.${this.branch.name}.reduce`), { range: reductions }, values);
    drawTiles(this.segment.firstChild, map, { range: outputs, gap: 1 });
  }
}

/** A canvas of tiles with something above it. */
function panel(key, above = null) {
  const words = above ?? element("p", { class: "of" });
  const canvas = element("canvas", { role: "img", "aria-label": "…" });
  return {
    box: element("div", { class: "panel" }, words, canvas),
    words,
    canvas,
    show(map, how, values = {}) {
      canvas.setAttribute("aria-label", plain(key, { count: map.channels, ...values }));
      this.wide = drawTiles(canvas, map, how) ?? 0;
    },
  };
}
