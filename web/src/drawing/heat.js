// Feature maps as tiles of colour on a canvas.

import { SEQUENTIAL } from "./colours.js";

/**
 * The least and greatest number of a map, for one scale over all its channels; outliers above 99.8 % saturate.
 *
 * @param {{data: Float32Array}} map
 */
export function rangeOf(map) {
  const { data } = map;
  let low = Infinity;
  for (const value of data) if (value < low) low = value;
  const step = Math.max(1, Math.floor(data.length / 4096));
  const some = [];
  for (let at = 0; at < data.length; at += step) some.push(data[at]);
  some.sort((a, b) => a - b);
  const high = some[Math.min(some.length - 1, Math.floor(some.length * 0.998))];
  return [Math.min(low, 0), high > low ? high : low + 1];
}

/** The channels of a map in part: a view, no copy. */
export function part(map, from, to) {
  const size = map.height * map.width;
  return { ...map, data: map.data.subarray(from * size, to * size), channels: to - from };
}

/** The mean over channels. */
export function mean(map) {
  const size = map.height * map.width;
  const data = new Float32Array(size);
  for (let channel = 0; channel < map.channels; channel += 1) {
    for (let at = 0; at < size; at += 1) data[at] += map.data[channel * size + at];
  }
  for (let at = 0; at < size; at += 1) data[at] /= Math.max(map.channels, 1);
  return { ...map, data, channels: 1 };
}

function coloured(map, [low, high]) {
  const { data, channels, height, width } = map;
  const picture = new ImageData(width, height * channels);
  const scale = 255 / (high - low);
  for (let at = 0; at < data.length; at += 1) {
    const colour = 3 * Math.max(0, Math.min(255, Math.round((data[at] - low) * scale)));
    picture.data[4 * at] = SEQUENTIAL[colour];
    picture.data[4 * at + 1] = SEQUENTIAL[colour + 1];
    picture.data[4 * at + 2] = SEQUENTIAL[colour + 2];
    picture.data[4 * at + 3] = 255;
  }
  return picture;
}

const scratch = document.createElement("canvas");

/**
 * Every channel of a map as a tile; as many in a row as fill the canvas with the largest tiles.
 *
 * @param {HTMLCanvasElement} canvas Its place on the page gives the size.
 * @param {{data: Float32Array, channels: number, height: number, width: number} | null} map `null`: nothing yet.
 * @param {{range?: number[], gap?: number}} how One scale for all of them, the map's own by default.
 * @returns {number | undefined} How wide the tiles are together, in pixels of the page.
 */
export function drawTiles(canvas, map, { range, gap = 2 } = {}) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const [wide, high] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (!wide || !high) return undefined;
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, wide, high);
  if (!map) return undefined;
  const space = gap * ratio;
  const { columns, across, down } = layout(map, wide, high, space);
  scratch.width = map.width;
  scratch.height = map.height * map.channels;
  scratch.getContext("2d").putImageData(coloured(map, range ?? rangeOf(map)), 0, 0);
  context.imageSmoothingEnabled = false;
  for (let channel = 0; channel < map.channels; channel += 1) {
    const x = (channel % columns) * (across + space);
    const y = Math.floor(channel / columns) * (down + space);
    context.drawImage(scratch, 0, channel * map.height, map.width, map.height, x, y, across, down);
  }
  return (Math.min(columns, map.channels) * (across + space) - space) / ratio;
}

/** Tiles for maps of time fill the width; those of pictures are squares. */
function layout(map, wide, high, space) {
  if (map.height === 1 && map.width > 1) {
    const down = Math.max(1, (high + space) / map.channels - space);
    return { columns: 1, across: wide, down };
  }
  let best = { columns: 1, across: 0, down: 0 };
  for (let columns = 1; columns <= map.channels; columns += 1) {
    const rows = Math.ceil(map.channels / columns);
    const across = Math.floor(Math.min((wide + space) / columns - space, ((high + space) / rows - space) * (map.width / map.height)));
    if (across > best.across) best = { columns, across, down: Math.floor((across * map.height) / map.width) };
  }
  return best.across >= 1 ? best : { columns: Math.ceil(Math.sqrt(map.channels)), across: 1, down: 1 };
}

/** A picture of what a network sees, as large as its canvas. */
export function drawPicture(canvas, pixels) {
  canvas.width = pixels.width;
  canvas.height = pixels.height;
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}
