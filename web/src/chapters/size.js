// Chapter 1: the size formula, drawn.

import { outputSize, printedSize } from "../arithmetic/sizes.js";
import { choice, button, element, exact, say, slider, worded } from "../page/controls.js";
import { number, onLanguage, plain, text } from "../page/language.js";
import { soon } from "../page/schedule.js";
import { inputDrawing, lineDrawing, outputDrawing } from "../drawing/grids.js";

export function start(section) {
  const state = { two: true, n: 7, p: 1, k: 3, s: 2, d: 1, at: 5 };
  const figure = section.querySelector(".live");

  const placed = () => plain("size.of", { at: placesOf(state) ? state.at + 1 : 0, all: placesOf(state) });
  const sliders = {};
  const moved = (name) => (value) => {
    state[name] = value;
    update();
  };
  for (const [name, min, max, accent] of [
    ["n", 1, 32, "ink"],
    ["p", 0, 8, "orange"],
    ["k", 1, 11, "blue"],
    ["s", 1, 5, "green"],
    ["d", 1, 4, "blue"],
  ]) {
    const of = { id: `size-${name}`, text: `size.${name}`, letter: name, min, max, value: state[name], accent };
    sliders[name] = slider(of, moved(name));
  }
  sliders.at = slider({ id: "size-step", text: "size.step", min: 1, max: 16, value: 1, accent: "orange", show: () => placed() }, (value) => {
    state.at = value - 1;
    draw();
  });
  const dims = choice(
    { id: "size-dims", text: "size.dims", value: "2", options: [{ value: "1", text: "size.one" }, { value: "2", text: "size.two" }] },
    (value) => {
      state.two = value === "2";
      state.at = 0;
      update();
    },
  );
  const same = button("size.same", () => {
    state.p = (state.d * (state.k - 1)) / 2;
    sliders.p.value = state.p;
    update();
  });

  const place = figure.querySelector(".drawings");
  const input = element("div", {}, element("p", { class: "of" }), element("div", { class: "grid" }));
  const output = element("div", {}, element("p", { class: "of" }), element("div", { class: "grid" }));
  place.append(input, output);
  figure.querySelector(".controls").append(dims.box, ...Object.values(sliders).map((one) => one.box), element("div", { class: "buttons" }, same));
  const formulas = ["right", "printed"].map((which) => formula(which));
  figure.querySelector(".formulas").append(...formulas.map((one) => one.box));
  const why = figure.querySelector(".why");

  function update() {
    const { out, printed, places } = sizes(state);
    state.at = Math.max(0, Math.min(state.at, places - 1));
    sliders.at.limits(1, Math.max(1, places));
    sliders.at.value = state.at + 1;
    sliders.at.input.disabled = places < 2;
    same.disabled = (state.d * (state.k - 1)) % 2 === 1 || (state.d * (state.k - 1)) / 2 > 8;
    formulas[0].tell(state, out);
    formulas[1].tell(state, printed);
    say(why, reason(state, out, printed));
    draw();
  }

  const draw = soon(() => {
    const { out, padded, places } = sizes(state);
    const label = plain("size.drawing", { ...state, at: places ? state.at + 1 : 0, all: places });
    const square = (count) => (state.two ? `${count} × ${count}` : String(count));
    input.firstChild.textContent = plain("size.input", { n: square(state.n), padded: square(padded) });
    output.firstChild.textContent = out >= 1 ? plain("size.output", { out: square(out) }) : plain("size.nothing");
    place.classList.toggle("one", !state.two);
    const [left, right] = [input.lastChild, output.lastChild];
    const point = (at) => {
      state.at = at;
      sliders.at.value = at + 1;
      draw();
    };
    if (state.two) {
      left.replaceChildren(inputDrawing(state, out, label));
      right.replaceChildren(outputDrawing(state, out, point));
    } else {
      left.replaceChildren(lineDrawing(state, Math.max(out, 0), label, point));
      right.replaceChildren();
    }
  });

  onLanguage(update);
  update();
}

/** What the formulas give: samples along an axis, with padding, and places in all. */
function sizes({ two, n, p, k, s, d }) {
  const out = outputSize(n, { kernel: k, stride: s, padding: p, dilation: d });
  const printed = printedSize(n, { kernel: k, stride: s, padding: p, dilation: d });
  const places = Math.max(0, out) ** (two ? 2 : 1);
  return { out, printed, padded: n + 2 * p, places };
}

const placesOf = (state) => sizes(state).places;

/** Why the sign is a plus, with these numbers; and what the floor leaves over. */
function reason(state, out, printed) {
  const { n, p, k, s, d } = state;
  const [padded, reach] = [n + 2 * p, d * (k - 1) + 1];
  if (out < 1) return text("size.toolarge", { reach, padded });
  const unread = (padded - reach) % s;
  const count = unread === 1 ? plain("size.sample") : plain("size.samples", { count: unread });
  const end = unread ? text("size.unread", { unread: count }) : text("size.allread");
  return `${p ? text("size.why", { padded, cut: n - 2 * p, out, printed }) : text("size.whynone")} ${end}`;
}

/** A formula, with letters above and numbers below. */
function formula(which) {
  const plus = which === "right";
  const letters = element("div", { class: "formula", "aria-hidden": "true" });
  const named = { "data-label": `size.${which}`, "aria-label": plain(`size.${which}`) };
  const numbers = element("div", { class: "formula numbers", tabindex: "0", role: "group", ...named });
  const result = element("b", { "data-value": plus ? "size.output" : "size.printed" });
  const spoken = element("p", { class: "unseen" });
  const box = element("div", { class: `card ${which}` }, worded("h3", `size.${which}`), spoken, letters, numbers);
  const sign = plus ? "+" : "<mark>−</mark>";
  const fraction = (above, below) => `<span class="fraction"><span>${above}</span><span>${below}</span></span>`;
  const of = (name, value) => `<span class="of-${name}">${value}</span>`;
  letters.innerHTML = `<span class="floor">${fraction(
    `${of("n", "n")} ${sign} 2${of("p", "p")} − ${of("k", "d")}(${of("k", "k")} − 1) − 1`,
    of("s", "s"),
  )}</span> + 1`;
  return {
    box,
    tell({ n, p, k, s, d }, value) {
      spoken.textContent = plain("size.spoken", { sign: plain(plus ? "size.plus" : "size.minus") });
      numbers.innerHTML = `<span class="floor">${fraction(
        `${of("n", n)} ${sign} 2·${of("p", p)} − ${of("k", d)}·(${of("k", k)} − 1) − 1`,
        of("s", s),
      )}</span> + 1 = `;
      exact(result, value, number(value));
      numbers.append(result);
    },
  };
}
