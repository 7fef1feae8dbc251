// Chapter 6: which GoogLeNet do you have? Questions that leave fewer and fewer columns of a table.

import { choice, element, say, slider, toggle, worded } from "../page/controls.js";
import { onLanguage, percent, plain, text } from "../page/language.js";
import { AS_THE_PAPER, NETWORKS, PROBLEMS, QUESTIONS, ROWS, fitting } from "../parts/differences.js";

const ORDER = ["third", "after", "epsilon", "response", "first", "pools", "fourth", "auxiliary", "dropout", "input", "pixel", "classes", "returns", "accuracy", "here"];

export function start(section, { facts }) {
  const figure = section.querySelector(".live");
  const state = { answers: {}, pixel: 128, only: false };
  const asked = Object.entries(QUESTIONS).map(([name, { answers }]) => {
    const options = ["unknown", ...answers].map((answer) => ({ value: answer, text: `pretrained.answer.${answer}` }));
    return choice({ id: `pretrained-${name}`, text: `pretrained.ask.${name}`, options, value: "unknown" }, (answer) => {
      state.answers[name] = answer === "unknown" ? null : answer;
      update();
    });
  });
  const verdict = element("p", { class: "sentence verdict-of", "aria-live": "polite" });
  const only = toggle({ id: "pretrained-only", text: "pretrained.only", checked: false }, (on) => {
    state.only = on;
    update();
  });
  const pixel = slider({ id: "pretrained-pixel", text: "pretrained.pixel", min: 0, max: 255, value: 128, accent: "ink" }, (value) => {
    state.pixel = value;
    update();
  });
  const caption = worded("caption", "pretrained.caption", { class: "unseen" });
  const table = element("table", { class: "differences" }, caption);
  const scroll = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "" }, table);
  const problems = element("ul", { class: "problems" });
  figure.append(
    element("div", { class: "controls questions" }, ...asked.map((one) => one.box)),
    verdict,
    element("div", { class: "controls columns under" }, only.box, pixel.box),
    scroll,
    worded("p", "pretrained.problems", { class: "of heading" }),
    problems,
    worded("figcaption", "pretrained.command"),
  );

  function update() {
    const left = fitting(state.answers);
    say(verdict, verdictOf(left));
    scroll.setAttribute("aria-label", plain("pretrained.caption"));
    table.replaceChildren(caption, ...tableOf(left.length ? left : NETWORKS, state, facts));
    problems.replaceChildren(...problemsOf(left.length ? left : NETWORKS));
  }
  onLanguage(update);
  update();
}

function verdictOf(left) {
  if (left.length === 1) return text("pretrained.one", { name: plain(`pretrained.network.${left[0].id}`) });
  return left.length ? text("pretrained.several", { count: left.length }) : text("pretrained.nothing");
}

function tableOf(left, state, facts) {
  const head = element("tr", {}, element("td"), ...left.map(({ id }) => html("th", text(`pretrained.network.${id}`), { scope: "col" })));
  const rows = ORDER.map((row) => {
    const cells = left.map((network) => cellOf(row, network, state, facts));
    if (state.only && new Set(cells.map((cell) => cell.html)).size < 2) return null;
    const tds = cells.map((cell) => html("td", cell.html, { class: cell.differs ? "differs" : null }));
    return element("tr", { "data-row": row }, html("th", text(`pretrained.row.${row}`), { scope: "row" }), ...tds);
  });
  return [element("thead", {}, head), element("tbody", {}, ...rows)];
}

function cellOf(row, network, state, facts) {
  if (row === "pixel") return { html: pixelOf(network, state.pixel), differs: false };
  if (row === "accuracy") return { html: accuracyOf(network, facts), differs: false };
  const at = NETWORKS.indexOf(network);
  const value = ROWS[row][at];
  const alike = [ROWS[row][0], ...(AS_THE_PAPER[row] ?? [])];
  return { html: text(`pretrained.cell.${row}.${value}`), differs: !alike.includes(value) };
}

/** What the first convolution is given, one number where the channels are alike. */
function pixelOf({ pixel, untransformed }, value) {
  if (!pixel) return text("pretrained.unknown");
  const shown = (numbers) => {
    const signs = numbers.map((number) => (Math.abs(number) < 4 ? number.toFixed(2) : String(Math.round(number))).replace("-", "−"));
    return new Set(signs).size === 1 ? signs[0] : signs.join(", ");
  };
  const usual = shown(pixel(value));
  return untransformed ? `${usual}<br><small>${text("pretrained.without", { values: shown(untransformed(value)) })}</small>` : usual;
}

function accuracyOf({ record }, facts) {
  const found = facts.quirks.find(({ name }) => name === record);
  if (!found?.top1) return text("pretrained.unknown");
  return text("pretrained.accuracy", { top1: percent(found.top1, 1), top5: percent(found.top5, 1) });
}

function problemsOf(left) {
  const ids = left.map(({ id }) => id);
  return Object.entries(PROBLEMS)
    .filter(([, { of }]) => of.some((id) => ids.includes(id)))
    .map(([name, { of, link }]) => {
      const whose = of.filter((id) => ids.includes(id)).map((id) => plain(`pretrained.network.${id}`)).join(", ");
      const words = `${text(`pretrained.problem.${name}`)} <a href="${link}">${text("pretrained.source")}</a>`;
      return element("li", {}, element("span", { class: "whose" }, whose), html("p", words));
    });
}

function html(tag, inner, attributes = {}) {
  const node = element(tag, attributes);
  node.innerHTML = inner;
  return node;
}
