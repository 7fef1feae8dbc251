// Above all chapters: a picture, what the modules make of it, and what the network says.

import { mean, drawPicture, drawTiles, rangeOf } from "../drawing/heat.js";
import { answers } from "../drawing/answers.js";
import { element, say, worded } from "../page/controls.js";
import { onLanguage, percent, plain, text } from "../page/language.js";
import { modulesOf, ranked } from "../page/live.js";
import { labelOf, pictureChoice } from "../page/pictures.js";
import { seen } from "../page/schedule.js";

export function start(figure, page) {
  const { picture } = page;
  const input = element("canvas", { class: "seen", role: "img", "aria-label": "…" });
  const strip = element("div", { class: "strip" }, input);
  const says = element("p", { class: "unseen", "aria-live": "polite" });
  const bars = answers({ count: 3 });
  const wait = worded("p", "picture.waking", { class: "waking" });
  figure.append(
    element("div", { class: "pipeline" }, strip, element("div", { class: "verdict" }, bars.box, says)),
    pictureChoice(page),
    wait,
    worded("figcaption", "hero.maps"),
  );
  let tiles = [];

  picture.on("network", () => {
    wait.dataset.text = picture.examples.length ? "picture.waking" : "hero.none";
    wait.innerHTML = text(wait.dataset.text);
    tiles.forEach(({ box }) => box.remove());
    tiles = modulesOf(picture.network.spec).map(({ name }) => {
      const canvas = element("canvas", { role: "img", "aria-label": "…" });
      const box = element("div", { class: "step" }, canvas, element("span", { "aria-hidden": "true" }, name));
      strip.append(box);
      return { name, canvas, box };
    });
  });
  picture.on("input", () => {
    drawPicture(input, picture.shown);
  });
  const draw = seen(figure, () => {
    const { answer, network } = picture;
    if (picture.shown) input.setAttribute("aria-label", plain("picture.alt", { label: labelOf(picture) }));
    if (!answer) return;
    wait.hidden = true;
    for (const { name, canvas } of tiles) {
      const map = mean(answer.map(name));
      drawTiles(canvas, map, { range: rangeOf(map), gap: 0 });
      canvas.setAttribute("aria-label", plain("hero.map", { module: name, size: map.width }));
    }
    const rows = ranked(network, answer.probabilities);
    bars.tell(rows);
    say(says, text("picture.says", { label: rows[0].label, share: percent(rows[0].probability, 1) }));
  });
  picture.on("answer", draw);
  onLanguage(draw);
  new ResizeObserver(draw).observe(figure);
}
