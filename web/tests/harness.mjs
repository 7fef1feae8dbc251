// Drives the page in a browser for the tests of pytest: a line of JSON in, a line of JSON out.
//
//   node harness.mjs page.html          (or its address)
//                                       {"do": [object, method, ...arguments]} → {"gives": …} or {"error": …}
//
// The objects are playwright's `page`, its `keyboard` and `context`, and the harness itself, see `harness` below. The
// page is opened from disk, or from an address. Every request, every error and every word of the console is kept.

import { createInterface } from "node:readline";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const SWITCHES = [
  "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--disable-quic", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
];
const here = dirname(fileURLToPath(import.meta.url));
const file = process.argv[2].includes("://") ? process.argv[2] : pathToFileURL(process.argv[2]).href;
const browser = await chromium.launch({ executablePath: CHROMIUM, args: SWITCHES });
const found = { requests: [], errors: [] };
let context, page, modules;

function watch(target) {
  target.on("request", (request) => found.requests.push(request.url()));
  target.on("pageerror", (error) => found.errors.push(String(error)));
  target.on("console", (message) => {
    const own = message.text().startsWith("Canvas2D: Multiple readback"); // of tests, which read what is drawn
    if (["error", "warning"].includes(message.type()) && !own) found.errors.push(message.text());
  });
}

const harness = {
  /** Opens the page anew, with options of a context of playwright's (viewport, colorScheme, locale …); waits for it. */
  async open(options = {}) {
    await context?.close();
    context = await browser.newContext(options);
    page = await context.newPage();
    watch(page);
    await page.goto(file);
    await page.waitForSelector("html[data-ready]", { state: "attached", timeout: 60_000 });
  },
  /** What a function of JavaScript, as text, gives for an argument within the page. */
  evaluate: (text, argument) => page.evaluate(`(${text})(${JSON.stringify(argument ?? null)})`),
  /** Puts the page's modules of src/ that are named by `export * from` there, as an object of that name. */
  async modules(text, name) {
    const options = { bundle: true, write: false, format: "iife", globalName: name, target: "es2022" };
    modules = await build({ stdin: { contents: text, resolveDir: join(here, "../src") }, ...options });
    await page.evaluate(`${modules.outputFiles[0].text}; globalThis[${JSON.stringify(name)}] = ${name}`);
  },
  /** What was asked for and complained of since the last call. */
  heard() {
    return { requests: found.requests.splice(0), errors: found.errors.splice(0) };
  },
};

async function answer({ do: [name, method, ...rest] }) {
  const target = { harness, page, context, keyboard: page?.keyboard }[name];
  return target[method](...rest);
}

for await (const line of createInterface({ input: process.stdin })) {
  let row;
  try {
    row = { gives: (await answer(JSON.parse(line))) ?? null };
  } catch (error) {
    row = { error: String(error.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(row)}\n`);
}
await browser.close();
