// Starts the page: its language, its facts, its chapters; and then, when they stand, its networks.

import * as auxiliary from "./chapters/auxiliary.js";
import * as compression from "./chapters/compression.js";
import * as hero from "./chapters/hero.js";
import * as module from "./chapters/module.js";
import * as network from "./chapters/network.js";
import * as own from "./chapters/own.js";
import * as pretrained from "./chapters/pretrained.js";
import * as signals from "./chapters/signals.js";
import * as size from "./chapters/size.js";
import { openNetwork } from "./network/network.js";
import { embedded, facts } from "./page/embedded.js";
import { applyTexts, language, onLanguage, plain, setLanguage, text } from "./page/language.js";
import { Live } from "./page/live.js";
import { showExample } from "./page/pictures.js";
import { showSignal } from "./page/signals.js";

const CHAPTERS = { size, compression, module, network, auxiliary, pretrained, signals, own };
const page = { facts: facts(), picture: new Live("picture"), signal: new Live("signal") };

function startLanguage() {
  const button = document.getElementById("language");
  const tell = () => {
    const other = language() === "en" ? "ko" : "en";
    button.textContent = { en: "English", ko: "한국어" }[other];
    button.lang = other;
    document.title = plain("page.title");
    document.getElementById("made").innerHTML = text("page.footer", { version: page.facts.version });
  };
  button.addEventListener("click", () => setLanguage(language() === "en" ? "ko" : "en"));
  onLanguage(tell);
  applyTexts(document.body);
  tell();
}

/** The chapter that is read is the current one of the navigation. */
function startNavigation() {
  const links = new Map([...document.querySelectorAll(".bar li a")].map((link) => [link.hash.slice(1), link]));
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) links.get(target.id).setAttribute("aria-current", "true");
        else links.get(target.id).removeAttribute("aria-current");
      }
    },
    { rootMargin: "-45% 0px -54% 0px" },
  );
  for (const id of links.keys()) watch.observe(document.getElementById(id));
}

/** Opens the networks of the page, each when the browser has drawn what is there before. */
async function startNetworks() {
  if (document.readyState === "loading") await new Promise((done) => addEventListener("DOMContentLoaded", done));
  for (const { id, kind, examples } of page.facts.networks) {
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const live = page[kind];
    live.use(await openNetwork(await embedded(id)), examples);
    if (examples.length) await (kind === "picture" ? showExample : showSignal)(page, examples[0].name);
  }
  document.documentElement.dataset.ready = "";
}

startLanguage();
hero.start(document.getElementById("hero"), page);
for (const [id, chapter] of Object.entries(CHAPTERS)) chapter.start(document.getElementById(id), page);
startNavigation();
document.body.dataset.started = "";
startNetworks();
