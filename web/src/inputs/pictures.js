// From a picture of any size to the 8-bit pixels that a network reads, as googlenet.data.images does it.

import { SentenceError } from "../network/errors.js";
import { centreSquare } from "./resize.js";
import { isPng, pngPicture, pngSize } from "./png.js";

const MOST = 50_000_000; // pixels that are decoded

/**
 * What a network sees of a picture: its central square, grey or RGB; what is transparent is laid on white.
 * @param {Blob | ImageBitmap | HTMLVideoElement} source
 * @returns {Promise<{input: Uint8Array, pixels: ImageData}>} channel after channel, and for people.
 */
export async function pictureFrom(source, notes) {
  const { channels, size, resize } = notes.preprocessing;
  const picture = source instanceof Blob ? await decoded(source) : drawn(source);
  const seen = centreSquare(inChannels(picture, channels), size, resize);
  return { input: channelsFirst(seen), pixels: forPeople(seen) };
}

// A PNG that is not large is read here, to the bit, whatever the browser makes of its colours; all else by the browser.
async function decoded(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  if (!bytes.length) throw new SentenceError("picture.empty");
  if (isPng(bytes)) {
    const { width, height, large } = pngSize(bytes);
    if (width * height > MOST) throw new SentenceError("picture.large", { width, height });
    if (!large) return pngPicture(bytes);
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", imageOrientation: "from-image" });
  } catch {
    throw new SentenceError("picture.none");
  }
  try {
    return drawn(bitmap);
  } finally {
    bitmap.close();
  }
}

function drawn(source) {
  const [width, height] = [source.videoWidth ?? source.width, source.videoHeight ?? source.height];
  if (!width || !height) throw new SentenceError("picture.none");
  if (width * height > MOST) throw new SentenceError("picture.large", { width, height });
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = new Uint8Array(width * height * 3);
  for (let at = 0, to = 0; at < data.length; at += 4, to += 3) {
    [rgb[to], rgb[to + 1], rgb[to + 2]] = [data[at], data[at + 1], data[at + 2]];
  }
  return { data: rgb, width, height, channels: 3 };
}

/** In 1 or 3 channels: grey by ITU-R 601-2, in whole numbers of 16 bits, as Pillow makes it. */
export function inChannels(picture, channels) {
  const { data, width, height } = picture;
  if (picture.channels === channels) return picture;
  const out = new Uint8Array(width * height * channels);
  for (let at = 0; at < width * height; at++) {
    if (channels === 1) {
      const [red, green, blue] = data.subarray(3 * at, 3 * at + 3);
      out[at] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    } else out.fill(data[at], 3 * at, 3 * at + 3);
  }
  return { data: out, width, height, channels };
}

function channelsFirst({ data, width, height, channels }) {
  const area = width * height;
  return Uint8Array.from({ length: area * channels }, (_, at) => data[(at % area) * channels + Math.floor(at / area)]);
}

function forPeople({ data, width, height, channels }) {
  const pixels = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    for (let channel = 0; channel < 3; channel++) pixels.data[4 * at + channel] = data[at * channels + (channel % channels)];
    pixels.data[4 * at + 3] = 255;
  }
  return pixels;
}
