// The last chapter: the reader's own picture, signals or network.

import { button, choice, element, say, select, worded } from "../page/controls.js";
import { readFile, readPicture, sentenceOf } from "../page/files.js";
import { onLanguage, plain, text } from "../page/language.js";
import { showChannels } from "../page/signals.js";
import { explanation } from "../parts/explanation.js";
import { service } from "../parts/service.js";

export function start(section, page) {
  const figure = section.querySelector(".live");
  const status = element("p", { class: "sentence status", "aria-live": "polite" });
  const views = Object.fromEntries(["picture", "signal"].map((kind) => [kind, explanation(page[kind])]));
  const kinds = choice(
    { id: "own-kind", text: "own.kind", value: "picture", options: [{ value: "picture", text: "own.picture" }, { value: "signal", text: "own.signal" }] },
    shown,
  );
  const rows = select({ id: "own-rows", text: "own.rows", options: [] }, (at) => take(() => showRow(Number(at))));
  rows.box.hidden = true;
  let signals = [];
  let told = () => "";

  const asked = service();
  const drop = dropZone((file) => {
    if (!file.name.toLowerCase().endsWith(".onnx")) asked?.ask(file);
    take(() => readFile(page, file));
  });
  const camera = cameraBox((video) => take(() => readPicture(page, video)), refuse);
  drop.buttons.append(camera.open);
  figure.append(drop.box, camera.box, status, element("div", { class: "controls columns" }, kinds.box, rows.box), views.picture.box, views.signal.box);
  if (asked) {
    status.after(asked.box);
    const intro = section.querySelector("[data-text='own.intro']");
    intro.dataset.text = "own.served";
    say(intro, text("own.served"));
  }

  /** Does what was asked for, and says what came of it. */
  async function take(work) {
    tell(() => text("own.waiting"));
    try {
      const { kind, said, signals: read } = await work();
      if (read) fill(read);
      kinds.value = kind;
      shown(kind);
      const { doubt } = page[kind];
      tell(() => (doubt ? `${said()} ${text(doubt)}` : said()));
    } catch (error) {
      refuse(error);
    }
  }
  function refuse(error) {
    tell(error === "camera" ? () => text("own.nocamera") : sentenceOf(error), true);
  }
  function tell(said, wrong = false) {
    told = said;
    status.classList.toggle("wrong", wrong);
    say(status, said());
  }
  function fill(read) {
    signals = read;
    rows.fill(read.map(({ name, label }, at) => ({ value: String(at), label: label === undefined ? name : `${name}: ${label}` })), "0");
    rows.box.hidden = read.length < 2;
  }
  async function showRow(at) {
    await showChannels(page, signals[at].channels, { label: signals[at].label ?? null });
    return { kind: "signal", said: () => text("own.took.signals", { count: signals.length }) };
  }
  function shown(kind) {
    for (const [name, view] of Object.entries(views)) view.box.hidden = name !== kind;
    views[kind].draw();
  }
  onLanguage(() => say(status, told()));
  shown("picture");
}

/** Where files are dropped or chosen. */
function dropZone(taken) {
  const input = element("input", { type: "file", id: "file", class: "unseen", accept: "image/*,.csv,.tsv,.txt,.onnx" });
  const buttons = element("div", { class: "buttons" }, worded("label", "own.choose", { for: "file", class: "file" }));
  const box = element("div", { id: "drop" }, worded("p", "own.drop"), input, buttons);
  input.addEventListener("change", () => {
    if (input.files[0]) taken(input.files[0]);
    input.value = "";
  });
  const over = (on) => (event) => {
    event.preventDefault();
    box.classList.toggle("over", on);
  };
  box.addEventListener("dragenter", over(true));
  box.addEventListener("dragover", over(true));
  box.addEventListener("dragleave", over(false));
  box.addEventListener("drop", (event) => {
    over(false)(event);
    const [file] = event.dataTransfer.files;
    if (file) taken(file);
  });
  return { box, buttons };
}

/** The camera: what it sees, and a button that takes it. */
function cameraBox(taken, refused) {
  const video = element("video", { playsinline: true, muted: true, "data-label": "own.video", "aria-label": plain("own.video") });
  let stream = null;
  const stop = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
    box.hidden = true;
    open.hidden = false;
  };
  const take = button("own.take", async () => {
    await taken(video);
    stop();
  });
  const box = element("div", { class: "camera", hidden: true }, video, element("div", { class: "buttons" }, take, button("own.stop", stop)));
  const open = button("own.camera", async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      refused("camera");
      return;
    }
    video.srcObject = stream;
    box.hidden = false;
    open.hidden = true;
    await video.play();
  });
  return { box, open };
}
