// Builds the page without its networks into src/googlenet/apps/page/built: one file of HTML, and what was measured.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const built = join(here, "../src/googlenet/apps/page/built");
const runtime = createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm");

// What the sources are bundled to, minified: text of one file.
async function bundled(options) {
  const found = await build({
    bundle: true, minify: true, write: false, target: "es2022", logLevel: "warning", legalComments: "inline", ...options,
  });
  return found.outputFiles[0].text.trim();
}

// Style sheets in the order in which they build upon each other.
function style() {
  const names = readdirSync(join(here, "style")).filter((name) => name.endsWith(".css"));
  const order = ["tokens.css", "layout.css", ...names.sort()];
  return [...new Set(order)].map((name) => `@import "./style/${name}";`).join("\n");
}

// What benchmarks/aux_gradients.py measured, for the chapter on auxiliary classifiers: medians over seeds by epoch.
function measured() {
  const { setting, ...cases } = JSON.parse(readFileSync(join(here, "../benchmarks/aux_gradients.json"), "utf8"));
  return { setting, with: cases.with, without: cases.without };
}

const script = await bundled({
  entryPoints: [join(here, "src/main.js")], format: "iife", define: { "import.meta.url": "document.baseURI" },
});
const css = await bundled({ stdin: { contents: style(), resolveDir: here, loader: "css" } });
const policy = [
  "default-src 'none'",
  `script-src 'sha256-${createHash("sha256").update(script).digest("base64")}' 'wasm-unsafe-eval'`,
  "style-src 'unsafe-inline'",
  "img-src data: blob:",
  "media-src blob:",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
const wasm = gzipSync(readFileSync(runtime), { level: 9 }).toString("base64");
const head = `<meta http-equiv="Content-Security-Policy" content="${policy}">\n<style>${css}</style>\n`;
// The program stands before what is large, so that the page is seen while the rest is still read.
const tail = `<!-- facts -->\n<script>${script}</script>\n`
  + `<script type="application/octet-stream;base64" id="runtime">${wasm}</script>\n<!-- networks -->\n`;
const page = readFileSync(join(here, "index.html"), "utf8")
  .replace("</head>", () => `${head}</head>`)
  .replace("</body>", () => `${tail}</body>`);

// A file appears whole: somebody may be making a page of it.
function write(name, text) {
  writeFileSync(join(built, `.${name}`), text);
  renameSync(join(built, `.${name}`), join(built, name));
}

mkdirSync(built, { recursive: true });
write("page.html", page);
write("measured.json", JSON.stringify(measured()));
