// Which picture the network sees: one choice, at several places of the page.

import { pictureFrom } from "../inputs/pictures.js";
import { choice, element } from "./controls.js";
import { plain } from "./language.js";

/** Shows the network a picture from a file, a camera or the examples. */
export async function showPicture(page, source, { label = null, example = null } = {}) {
  const { input, pixels } = await pictureFrom(source, page.picture.network.notes);
  page.picture.source = source;
  await page.picture.show({ input, shown: pixels, label, example });
}

/** One of the examples of the network. */
export async function showExample(page, name) {
  const found = page.picture.examples.find((one) => one.name === name);
  const bytes = Uint8Array.from(atob(found.png), (sign) => sign.charCodeAt(0));
  await showPicture(page, new Blob([bytes], { type: "image/png" }), { label: found.label, example: name });
}

let made = 0;

/** The examples as a row of small pictures to choose from; all such rows of the page go together. */
export function pictureChoice(page) {
  const host = element("div", { class: "pictures-host" });
  let row = null;
  page.picture.on("network", () => {
    const options = page.picture.examples.map((one) => ({
      value: one.name,
      label: one.label,
      node: element("img", { src: `data:image/png;base64,${one.png}`, alt: "", title: one.label }),
    }));
    made += 1;
    row = choice({ id: `pictures-${made}`, text: "picture.choose", options, kind: "pictures" }, (name) => showExample(page, name));
    host.replaceChildren(...(options.length ? [row.box] : []));
  });
  page.picture.on("input", () => {
    if (row) row.value = page.picture.example;
  });
  return host;
}

/** What the network calls the picture, for people. */
export const labelOf = (live) => live.label ?? plain("picture.own");
