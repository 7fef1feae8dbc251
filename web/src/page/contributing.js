// Contributions of branches, when the reader asks for them: a button, how far it is, and the scale of what it shows.

import { range } from "../drawing/legend.js";
import { button, element, say } from "./controls.js";
import { sentenceOf } from "./files.js";
import { onLanguage, plain, text } from "./language.js";
import { ranked } from "./live.js";
import { signed } from "../drawing/branches.js";

/**
 * @param {import("./live.js").Live} live What answers.
 * @param {{contributions: Function}} table Shows them.
 * @param {string} key Text of the button.
 * @param {() => {label: number, against: number}} [classes] Which two classes; the first two of the answer by default.
 */
export function contributing(live, table, key, classes = () => firstTwo(live)) {
  const bar = element("progress", { max: 1, value: 0, "data-label": key, "aria-label": plain(key), hidden: true });
  const sentence = element("p", { class: "note", "aria-live": "polite" });
  const scale = range("soft");
  scale.box.hidden = true;
  let told = null;
  const go = button(key, async () => {
    const { label, against } = classes();
    const { network, input } = live;
    go.disabled = true;
    bar.hidden = false;
    bar.value = 0;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done))); // that the bar is seen
    try {
      const found = await live.inTurn(() => network.contributions(input, label, against, (share) => (bar.value = share)));
      if (live.input === input && live.network === network) show(found, network.classes[label], network.classes[against]);
    } catch (error) {
      say(sentence, sentenceOf(error)());
    } finally {
      go.disabled = !live.answer;
      bar.hidden = true;
    }
  });
  go.disabled = true;

  function show(found, label, against) {
    const most = table.contributions(found.contributions);
    scale.box.hidden = false;
    told = { found, most, label: String(label), against: String(against) };
    tell();
  }
  function tell() {
    if (!told) return;
    const { found, most, label, against } = told;
    scale.tell([-most, most]);
    const closes = found.closes === false ? ` ${text("own.open")}` : "";
    const beside = live.network.notes.competing ? ` ${text("own.beside")}` : "";
    say(sentence, text("own.contributed", { label, against, difference: signed(found.difference) }) + closes + beside);
  }
  function forget() {
    if (told) table.contributions(null);
    told = null;
    scale.box.hidden = true;
    sentence.replaceChildren();
  }
  live.on("network", () => {
    told = null;
    forget();
    go.disabled = true;
  });
  live.on("input", forget);
  live.on("answer", () => {
    go.disabled = live.network.classes.length < 2;
  });
  onLanguage(tell);
  return { box: element("div", { class: "contributing" }, element("div", { class: "buttons" }, go, bar, scale.box), sentence), forget };
}

function firstTwo(live) {
  const [first, second] = ranked(live.network, live.answer.probabilities);
  return { label: first.place, against: second.place };
}
