// ONNX Runtime, from the page itself: its WebAssembly lies in an element, packed. One thread, no worker, no request.

import * as ort from "onnxruntime-web/wasm";

let ready = null;

/** The bytes of an element that holds them as base64 of gzip. */
export async function packedBytes(element) {
  const stream = new Blob([bytesOf(element.textContent.trim())]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The bytes that base64 says. */
export function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

async function prepare() {
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
  ort.env.wasm.wasmBinary = await packedBytes(document.getElementById("runtime"));
}

/** A session of a model, to be run with `run`. */
export async function sessionOf(bytes) {
  ready ??= prepare();
  await ready;
  return ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], logSeverityLevel: 3 });
}

/** What a session gives for inputs `{name: {data, dims}}`: `{name: {data, dims}}`, of those outputs or of all. The page
 * gets a turn first: ONNX Runtime computes where the page is drawn, and many runs in a row would hold it still. */
export async function run(session, inputs, outputs = undefined) {
  await new Promise((done) => setTimeout(done));
  const feeds = {};
  for (const [name, { data, dims }] of Object.entries(inputs)) {
    feeds[name] = new ort.Tensor(data instanceof Uint8Array ? "uint8" : "float32", data, dims);
  }
  return session.run(feeds, outputs);
}
