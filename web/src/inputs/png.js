// PNG, decoded as Pillow and googlenet.data.images.values do: grey or RGB in 8 bits, transparent pixels on white, the
// high byte of 16 bits, upright by its EXIF orientation. Browsers turn colours and lose the pixels under a veil.

import { SentenceError } from "../network/errors.js";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const GREY = 0, RGB = 2, PALETTE = 3, GREY_ALPHA = 4, RGB_ALPHA = 6;
const SAMPLES = { [GREY]: 1, [RGB]: 3, [PALETTE]: 1, [GREY_ALPHA]: 2, [RGB_ALPHA]: 4 };
const DEPTHS = { [GREY]: [1, 2, 4, 8, 16], [RGB]: [8, 16], [PALETTE]: [1, 2, 4, 8], [GREY_ALPHA]: [8, 16], [RGB_ALPHA]: [8, 16] };
// Of an interlaced picture, seven smaller ones: first column and row, and from one to the next.
const PASSES = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

const MOST = 4_000_000; // pixels that are decoded here, in some seconds at most; the browser decodes larger ones at once

export const isPng = (bytes) => SIGNATURE.every((byte, at) => bytes[at] === byte);

/** `{width, height, large}` of a PNG, by its head; `large` is left to the browser. */
export function pngSize(bytes) {
  if (bytes.length < 24) throw new SentenceError("picture.damaged");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  return { width, height, large: width * height > MOST };
}

/** `{data, width, height, channels}` of a PNG that is not large. Throws a SentenceError if it is damaged. */
export async function pngPicture(bytes) {
  try {
    const parts = partsOf(bytes);
    const { width, height, bits, type } = parts;
    const passes = parts.interlaced ? PASSES : [[0, 0, 1, 1]];
    const packed = await unpacked(parts.data, passes.map((pass) => sizeOf(pass, parts)));
    const values = new Uint16Array(width * height * SAMPLES[type]);
    passes.forEach((pass, at) => spread(unfiltered(packed[at], sizeOf(pass, parts)), pass, parts, values));
    return turned(onWhite(values, parts, bits), parts.orientation);
  } catch {
    throw new SentenceError("picture.damaged");
  }
}

function partsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = { data: [], orientation: 1, palette: null, clear: null };
  for (let at = 8; at < bytes.length; ) {
    const size = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + 8, at + 8 + size);
    if (content.length < size || (at === 8) !== (name === "IHDR")) throw new Error("chunks");
    if (name === "IHDR") Object.assign(found, header(view, at + 8));
    else if (name === "PLTE") found.palette = content;
    else if (name === "tRNS") found.clear = content;
    else if (name === "IDAT") found.data.push(content);
    else if (name === "eXIf") found.orientation = orientationOf(content);
    else if (name === "IEND") break;
    at += 12 + size;
  }
  if (!found.data.length || (found.type === PALETTE && !found.palette)) throw new Error("no pixels");
  return found;
}

function header(view, at) {
  const [width, height] = [view.getUint32(at), view.getUint32(at + 4)];
  const [bits, type, , , interlaced] = [8, 9, 10, 11, 12].map((place) => view.getUint8(at + place));
  if (!width || !height || !DEPTHS[type]?.includes(bits) || interlaced > 1) throw new Error("header");
  return { width, height, bits, type, interlaced };
}

// The tag 274 of the first directory of EXIF.
function orientationOf(content) {
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const little = view.getUint16(0) === 0x4949;
  const start = view.getUint32(4, little);
  for (let row = 0; row < view.getUint16(start, little); row++) {
    const entry = start + 2 + 12 * row;
    if (view.getUint16(entry, little) === 274) return view.getUint16(entry + 8, little);
  }
  return 1;
}

function sizeOf([x, y, across, down], { width, height, bits, type }) {
  const [columns, rows] = [Math.ceil((width - x) / across), Math.ceil((height - y) / down)].map((n) => Math.max(0, n));
  const line = Math.ceil((columns * SAMPLES[type] * bits) / 8);
  return { columns, rows, line, step: Math.max(1, (SAMPLES[type] * bits) / 8), size: columns ? rows * (line + 1) : 0 };
}

// The bytes of each pass. No more are unpacked than there are to be.
async function unpacked(chunks, sizes) {
  const total = sizes.reduce((sum, { size }) => sum + size, 0);
  const whole = new Uint8Array(total);
  const reader = new Blob(chunks).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  let at = 0;
  while (at < total) {
    const { done, value } = await reader.read();
    if (done) throw new Error("truncated");
    const part = value.subarray(0, total - at);
    whole.set(part, at);
    at += part.length;
  }
  reader.cancel().catch(() => {});
  let start = 0;
  return sizes.map(({ size }) => whole.subarray(start, (start += size)));
}

// The rows without their filters, in place; the first byte of each is left out.
function unfiltered(data, { rows, line, step, size }) {
  if (!size) return [];
  const found = [];
  for (let row = 0; row < rows; row++) {
    const kind = data[row * (line + 1)];
    const own = data.subarray(row * (line + 1) + 1, (row + 1) * (line + 1));
    const above = found[row - 1];
    if (kind > 4) throw new Error("filter");
    for (let at = 0; kind && at < line; at++) {
      const left = at >= step ? own[at - step] : 0;
      const up = above ? above[at] : 0;
      const corner = above && at >= step ? above[at - step] : 0;
      own[at] += [0, left, up, (left + up) >> 1, paeth(left, up, corner)][kind];
    }
    found.push(own);
  }
  return found;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

// The numbers of a pass to their places.
function spread(rows, [x, y, across, down], { width, bits, type }, values) {
  const samples = SAMPLES[type];
  rows.forEach((line, row) => {
    const count = Math.ceil((width - x) / across) * samples;
    for (let at = 0; at < count; at++) {
      const column = x + Math.floor(at / samples) * across;
      values[((y + row * down) * width + column) * samples + (at % samples)] = number(line, at, bits);
    }
  });
}

function number(line, at, bits) {
  if (bits === 8) return line[at];
  if (bits === 16) return line[2 * at] * 256 + line[2 * at + 1];
  const place = at * bits;
  return (line[place >> 3] >> (8 - bits - (place & 7))) & ((1 << bits) - 1);
}

// In 8 bits, grey or RGB, each pixel by what lies over white.
function onWhite(values, { width, height, type, palette, clear }, bits) {
  const channels = type === GREY || type === GREY_ALPHA ? 1 : 3;
  const data = new Uint8Array(width * height * channels);
  const samples = SAMPLES[type];
  const [shift, times] = bits === 16 ? [8, 1] : [0, type === PALETTE ? 1 : 255 / (2 ** bits - 1)];
  const hidden = type === GREY || type === RGB ? clearColour(clear, type, bits) : null;
  for (let at = 0; at < width * height; at++) {
    const own = values.subarray(at * samples, (at + 1) * samples);
    const colour = type === PALETTE ? [0, 1, 2].map((part) => palette[3 * own[0] + part] ?? 0) : Array.from(own, (n) => (n >> shift) * times);
    let alpha = 255;
    if (type === PALETTE) alpha = clear?.[own[0]] ?? 255;
    else if (samples === 2 || samples === 4) alpha = colour.pop();
    else if (hidden && hidden.every((n, part) => n === (type === RGB ? own[part] >> shift : own[part]))) alpha = 0;
    for (let part = 0; part < channels; part++) data[at * channels + part] = over(colour[part], alpha);
  }
  return { data, width, height, channels };
}

// The one colour that is transparent: of 16 bits RGB by its high bytes, as Pillow reads it.
function clearColour(clear, type, bits) {
  if (!clear) return null;
  const numbers = Array.from({ length: type === RGB ? 3 : 1 }, (_, at) => clear[2 * at] * 256 + clear[2 * at + 1]);
  return bits === 16 && type === RGB ? numbers.map((n) => n >> 8) : numbers;
}

// `Image.alpha_composite` on white.
function over(value, alpha) {
  if (alpha === 0) return 255;
  const sum = value * alpha * 128 + 255 * (255 - alpha) * 128 + 0x4000;
  return ((sum >> 8) + sum) >> 15;
}

// Upright, by the eight orientations of EXIF.
function turned(picture, orientation) {
  if (!(orientation >= 2 && orientation <= 8)) return picture;
  const { data, width, height, channels } = picture;
  const aside = orientation >= 5;
  const [columns, rows] = aside ? [height, width] : [width, height];
  const mirrored = { x: [2, 3, 7, 8].includes(orientation), y: [3, 4, 6, 7].includes(orientation) };
  const out = new Uint8Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [across, down] = aside ? [row, column] : [column, row];
      const x = mirrored.x ? width - 1 - across : across;
      const y = mirrored.y ? height - 1 - down : down;
      const from = (y * width + x) * channels;
      out.set(data.subarray(from, from + channels), (row * columns + column) * channels);
    }
  }
  return { data: out, width: columns, height: rows, channels };
}
