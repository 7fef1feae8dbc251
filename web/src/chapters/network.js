// Chapter 4: the modules as a map to walk, and what depth costs.

import { cost } from "../arithmetic/cost.js";
import { bars, lines } from "../drawing/charts.js";
import { fitted } from "../drawing/svg.js";
import { choice, element, exact, say, slider, worded } from "../page/controls.js";
import { number, onLanguage, plain, short, text } from "../page/language.js";
import { modulesOf } from "../page/live.js";
import { soon } from "../page/schedule.js";
import { startWalk } from "../parts/walk.js";

export function start(section, page) {
  startWalk(section.querySelector(".walk"), page);
  startCosts(section.querySelector(".costs"), page.facts.architectures);
}

const KINDS = [
  { name: "published", arch: "googlenet", colour: "var(--blue)" },
  { name: "naive", arch: "googlenet_naive", colour: "var(--soft)" },
];

function startCosts(figure, architectures) {
  const state = { what: "macs", size: 224 };
  const what = choice(
    { id: "network-what", text: "network.what", value: "macs", options: [{ value: "macs", text: "network.macs" }, { value: "params", text: "network.params" }] },
    (value) => {
      state.what = value;
      update();
    },
  );
  const size = slider({ id: "network-size", text: "network.size", min: 32, max: 448, value: 224, show: (side) => `${side} × ${side}` }, (value) => {
    state.size = value;
    update();
  });
  const [left, right] = [element("div"), element("div")];
  const sentence = element("p", { class: "sentence", "aria-live": "polite" });
  const names = modulesOf(architectures.googlenet.spec).map(({ name }) => name);
  const rows = architectures.googlenet.cost.rows.filter((row) => row.params > 0 && row.type !== "auxiliary").map((row) => row.name);
  const table = costTable(rows);
  figure.append(
    element("div", { class: "controls columns" }, what.box, size.box),
    element("div", { class: "pair" }, left, right),
    sentence,
    table.box,
  );

  let found = null;
  const chart = (draw, key, values) => (width) => {
    const series = KINDS.map(({ name, colour }) => ({ name: plain(`network.${name}`), colour, values: values(found[name]) }));
    const most = Math.max(...series.flatMap((one) => one.values));
    const unit = `${plain(`network.${state.what}`)}, ${plain(`network.${key}`)}`;
    return { ...draw({ width, names, series, most, shown: short, unit }), label: plain(`network.${key}label`, { what: plain(`network.${state.what}`) }) };
  };
  const each = (of) => names.map((name) => of.rows.find((row) => row.name === name)[state.what]);
  const until = (of) => {
    const ends = names.map((name) => of.rows.findIndex((row) => row.name === name));
    return ends.map((end) => of.rows.slice(0, end + 1).reduce((sum, row) => sum + row[state.what], 0));
  };
  const drawn = [
    fitted(left, (width) => chart(bars, "each", each)(width)),
    fitted(right, (width) => chart(lines, "sum", until)(width)),
  ];
  const draw = soon(() => drawn.forEach((again) => again()));

  function update() {
    found = Object.fromEntries(KINDS.map(({ name, arch }) => [name, cost(architectures[arch].spec, { size: [state.size, state.size] })]));
    const { published, naive } = found;
    const values = {
      size: state.size,
      macs: short(published.macs),
      params: short(published.params),
      naive: short(naive.macs),
      naiveparams: short(naive.params),
      times: number(naive.macs / published.macs, 1),
    };
    say(sentence, text("network.told", values));
    table.tell(found);
    draw();
  }
  onLanguage(update);
  update();
}

/** Every number of both networks, by layer. */
function costTable(rows) {
  const cells = {};
  const columns = KINDS.flatMap(({ name }) => ["params", "macs"].map((what) => ({ name, what })));
  const line = (label, row) => {
    const tds = columns.map(({ name, what }) => {
      const cell = element("td", { "data-value": `network.${name}.${row}.${what}` });
      cells[`${name}.${row}.${what}`] = cell;
      return cell;
    });
    return element("tr", {}, label, ...tds);
  };
  const head = element(
    "tr",
    {},
    worded("th", "network.layer", { scope: "col" }),
    ...columns.map(({ name, what }) =>
      element("th", { scope: "col" }, worded("span", `network.${name}`), element("br"), worded("span", `network.${what}`)),
    ),
  );
  const body = rows.map((row) => line(element("th", { scope: "row" }, row), row));
  const foot = line(worded("th", "network.total", { scope: "row" }), "all");
  const caption = worded("caption", "network.caption", { class: "unseen" });
  const table = element("table", { class: "numbers" }, caption, element("thead", {}, head), element("tbody", {}, ...body, foot));
  const box = element("details", {}, worded("summary", "network.table"), element("div", { class: "scroll", tabindex: "0", role: "region", "data-label": "network.caption", "aria-label": plain("network.caption") }, table));
  return {
    box,
    tell(found) {
      for (const { name, what } of columns) {
        const of = found[name];
        for (const row of rows) {
          const value = of.rows.find((one) => one.name === row)[what];
          exact(cells[`${name}.${row}.${what}`], value, number(value));
        }
        exact(cells[`${name}.all.${what}`], of[what], number(of[what]));
      }
    },
  };
}
