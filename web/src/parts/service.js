// The service that this page came from, where it came from one: its models answer for files, too.

import { answers } from "../drawing/answers.js";
import { button, element, say, select, worded } from "../page/controls.js";
import { onLanguage, plain, text } from "../page/language.js";

const TOP = 5;

/** A box that asks the service about files; `null` where the page stands alone. */
export function service() {
  const told = document.getElementById("service");
  if (!told) return null;
  const models = JSON.parse(told.textContent);
  const status = element("p", { class: "sentence status", "aria-live": "polite" });
  const rows = answers({ count: TOP });
  const map = element("img", { class: "map", alt: "", "aria-label": plain("service.map"), "data-label": "service.map", hidden: true });
  const chosen = select({ id: "service-model", text: "service.model", options: models.map(({ name }) => ({ value: name, label: name })) }, again);
  const explain = button("service.explain", showMap);
  const box = element("div", { class: "service" }, worded("h3", "service.title"), element("div", { class: "controls columns" }, chosen.box, explain), status, rows.box, map);
  let file = null;
  let words = () => text("service.intro");

  async function again() {
    hideMap();
    rows.tell([]);
    explain.disabled = !file || !models.find(({ name }) => name === chosen.list.value).explains;
    if (!file) return;
    try {
      const { predictions } = await (await send("predict", `&top=${TOP}`)).json();
      const [first, ...more] = predictions;
      rows.tell((first.top ?? []).map(({ label, probability }) => ({ label, probability, place: 0 })));
      const beside = [first.error, ...(first.warnings ?? [])].filter(Boolean).map(escaped).join(" ");
      tell(() => `${text(more.length ? "service.first" : "service.said", { name: escaped(first.input), count: predictions.length })} ${beside}`);
    } catch (error) {
      tell(() => escaped(error.message), true);
    }
  }

  async function showMap() {
    try {
      const answer = await send("explain", "&format=png");
      hideMap();
      map.src = URL.createObjectURL(await answer.blob());
      map.hidden = false;
    } catch (error) {
      tell(() => escaped(error.message), true);
    }
  }

  async function send(path, more) {
    const form = new FormData();
    form.append("file", file, file.name);
    const answer = await fetch(`${path}?model=${encodeURIComponent(chosen.list.value)}${more}`, { method: "POST", body: form });
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error ?? plain("service.failed"));
    return answer;
  }

  function hideMap() {
    if (map.src) URL.revokeObjectURL(map.src);
    map.hidden = true;
    map.removeAttribute("src");
  }
  function tell(said, wrong = false) {
    words = said;
    status.classList.toggle("wrong", wrong);
    say(status, said());
  }
  onLanguage(() => say(status, words()));
  tell(words);
  again();
  return {
    box,
    /** Asks about a file. */
    ask(next) {
      file = next;
      return again();
    },
  };
}

/** A text of elsewhere as HTML. */
const escaped = (words) => String(words).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
