// Chapter 5: what the auxiliary classifiers did to the gradient, as it was measured.

import { lines } from "../drawing/charts.js";
import { fitted, line, svg, words } from "../drawing/svg.js";
import { element, say, slider, worded } from "../page/controls.js";
import { onLanguage, plain, text } from "../page/language.js";
import { soon } from "../page/schedule.js";

const KINDS = [
  { name: "with", colour: "var(--blue)" },
  { name: "without", colour: "var(--orange)", dashed: true },
];
const HEADS = ["4a", "4d"]; // on which the auxiliary classifiers stand

export function start(section, { facts }) {
  const figure = section.querySelector(".live");
  const measured = facts.auxiliary;
  const { epochs } = measured.setting;
  const places = Object.keys(measured.with.gradient_norm);
  const norm = (kind, place, epoch) => measured[kind].gradient_norm[place][epoch - 1];
  const most = Math.max(...KINDS.flatMap(({ name }) => Object.values(measured[name].gradient_norm).flat()));
  let epoch = 1;

  const control = slider({ id: "auxiliary-epoch", text: "auxiliary.epoch", min: 1, max: epochs, value: 1 }, (value) => {
    epoch = value;
    update();
  });
  const [chart, dots] = [element("div", { class: "gradients" }), element("div", { class: "dots" })];
  const now = element("p", { class: "sentence", "aria-live": "polite" });
  const verdict = element("p", { class: "sentence" });
  const accuracy = element("p", { class: "of" });
  const table = normTable(places);
  figure.append(
    element("div", { class: "controls columns" }, control.box),
    chart,
    now,
    element("div", { class: "accuracies" }, accuracy, dots),
    verdict,
    table.box,
    worded("figcaption", "auxiliary.source"),
  );

  const drawn = [
    fitted(chart, (width) => {
      const series = KINDS.map((kind) => ({ ...kind, name: plain(`auxiliary.${kind.name}`), values: places.map((place) => norm(kind.name, place, epoch)) }));
      const unit = plain("auxiliary.norm");
      const shown = (value) => value.toFixed(1);
      return { ...lines({ width, height: 300, names: places, series, most, shown, unit, marked: HEADS }), label: plain("auxiliary.chart", { epoch }) };
    }),
    fitted(dots, (width) => accuracies(width, measured)),
  ];
  const draw = soon(() => drawn.forEach((again) => again()));

  function update() {
    const value = (kind, place) => norm(kind, place, epoch).toFixed(3);
    say(
      now,
      text("auxiliary.now", { epoch, with: value("with", "conv1"), without: value("without", "conv1"), with4c: value("with", "4c"), without4c: value("without", "4c") }),
    );
    const [first, last] = KINDS.map(({ name }) => norm(name, "conv1", 1).toFixed(3));
    say(verdict, text("auxiliary.verdict", { epochs, with: first, without: last }));
    accuracy.textContent = plain("auxiliary.accuracy", { epochs });
    table.tell(value);
    draw();
  }
  onLanguage(update);
  update();
}

/** A dot for each seed, between 0 and 1, with its number. */
function accuracies(width, measured) {
  const wide = width > 460; // else names stand above their lines
  const left = wide ? 180 : 8;
  const x = (share) => left + share * (width - left - 24);
  const step = wide ? 40 : 62;
  const rows = KINDS.map(({ name, colour }, at) => {
    const y = (wide ? 18 : 34) + at * step;
    return [
      words(0, wide ? y + 4 : y - 18, plain(`auxiliary.${name}`), { style: "font-size: 13px" }),
      line(x(0), y, x(1), y),
      beside(measured[name].test_accuracy, x).map(({ share, anchor }) => [
        svg("circle", { cx: x(share), cy: y, r: 5, fill: colour, fill_opacity: 0.8 }),
        words(x(share) + { start: -4, middle: 0, end: 4 }[anchor], y + 20, share.toFixed(3), { text_anchor: anchor }),
      ]),
    ];
  });
  const told = (kind) => measured[kind].test_accuracy.map((share) => share.toFixed(3)).join(", ");
  return { height: 2 * step + 4, parts: rows, label: plain("auxiliary.dots", { with: told("with"), without: told("without") }) };
}

/** Numbers in order, those of neighbours that are close written away from each other. */
function beside(shares, x) {
  const rows = shares.toSorted((a, b) => a - b).map((share) => ({ share, anchor: "middle" }));
  for (let at = 1; at < rows.length; at += 1) {
    if (x(rows[at].share) - x(rows[at - 1].share) < 44) [rows[at - 1].anchor, rows[at].anchor] = ["end", "start"];
  }
  return rows;
}

function normTable(places) {
  const cells = {};
  const row = (place) => {
    const tds = KINDS.map(({ name }) => (cells[`${name}.${place}`] = element("td")));
    return element("tr", {}, element("th", { scope: "row" }, place), ...tds);
  };
  const head = element(
    "tr",
    {},
    worded("th", "auxiliary.layer", { scope: "col" }),
    ...KINDS.map(({ name }) => worded("th", `auxiliary.${name}`, { scope: "col" })),
  );
  const caption = worded("caption", "auxiliary.caption", { class: "unseen" });
  const table = element("table", { class: "numbers" }, caption, element("thead", {}, head), element("tbody", {}, ...places.map(row)));
  return {
    box: element("details", {}, worded("summary", "auxiliary.table"), table),
    tell(value) {
      for (const place of places) for (const { name } of KINDS) cells[`${name}.${place}`].textContent = value(name, place);
    },
  };
}
