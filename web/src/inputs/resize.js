// Resizing as Pillow does it, bit for bit: whole pixels averaged first where a picture is much too large, then a
// triangle filter, along rows and then along columns, in whole numbers of 22 bits.

const BITS = 22; // of a coefficient
const GAP = 2; // times as large as what is wanted is what the averaging leaves, at least

/**
 * The central square of a picture: `googlenet.data.images.crops.centre_square`.
 * @param {{data: Uint8Array, width: number, height: number, channels: number}} picture
 * @param {number} size of the square. @param {number} resize what the shorter side would be resized to.
 */
export function centreSquare(picture, size, resize) {
  const { width, height } = picture;
  const side = (Math.min(width, height) * size) / resize;
  const [left, top] = [(width - side) / 2, (height - side) / 2];
  const box = [Math.max(0, left), Math.max(0, top), Math.min(width, left + side), Math.min(height, top + side)];
  if (width === size && height === size && box[2] - box[0] === size && box[3] - box[1] === size) return picture;
  return resized(picture, size, box);
}

// `Image.resize((size, size), BILINEAR, box, reducing_gap=2)`.
function resized(picture, size, box) {
  const factors = [0, 1].map((axis) => Math.trunc((box[2 + axis] - box[axis]) / size / GAP) || 1);
  if (Math.max(...factors) > 1) {
    const safe = safeBox(picture, size, box);
    picture = reduced(picture, factors, safe);
    box = box.map((edge, at) => (edge - safe[at % 2]) / factors[at % 2]);
  }
  const rows = (part) => alongRows(part, size, box[0], box[2]);
  const columns = (part) => alongColumns(part, size, box[1], box[3]);
  const [less, narrower] = [picture.height - size, picture.width - size];
  return less > 0 && less > 2 * narrower ? rows(columns(picture)) : columns(rows(picture)); // as Pillow 13 orders them
}

// All pixels that the filter may read.
function safeBox({ width, height }, size, box) {
  const reach = [0, 1].map((axis) => (0.5 * (box[2 + axis] - box[axis])) / size);
  return [
    ...[0, 1].map((axis) => Math.max(0, Math.trunc(box[axis] - reach[axis]))),
    ...[0, 1].map((axis) => Math.min([width, height][axis], Math.ceil(box[2 + axis] + reach[axis]))),
  ];
}

// `Image.reduce`: means of cells of pixels; those at the right and at the bottom may be smaller.
function reduced({ data, width, channels }, [wide, high], [left, top, right, bottom]) {
  const [columns, rows] = [Math.ceil((right - left) / wide), Math.ceil((bottom - top) / high)];
  const out = new Uint8Array(columns * rows * channels);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [top + row * high, Math.min(bottom, top + (row + 1) * high)];
    for (let column = 0; column < columns; column++) {
      const [start, end] = [left + column * wide, Math.min(right, left + (column + 1) * wide)];
      const count = (to - from) * (end - start);
      const times = Math.trunc(Math.fround(2 ** 32 / (256 * count)));
      for (let channel = 0; channel < channels; channel++) {
        let sum = Math.trunc(count / 2);
        for (let y = from; y < to; y++) {
          for (let x = start; x < end; x++) sum += data[(y * width + x) * channels + channel];
        }
        out[(row * columns + column) * channels + channel] = Math.floor((sum * times) / 2 ** 24);
      }
    }
  }
  return { data: out, width: columns, height: rows, channels };
}

/**
 * What each sample of a resized axis reads: `[first, weights]`, the weights a triangle's, their sum 1.
 * @param {number} length of the axis. @param {number} from @param {number} to its part that is resized, as float32.
 */
export function windows(length, from, to, size) {
  [from, to] = [Math.fround(from), Math.fround(to)];
  const scale = Math.fround(to - from) / size;
  const reach = Math.max(scale, 1);
  return Array.from({ length: size }, (_, at) => {
    const centre = from + (at + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.min(length, Math.trunc(centre + reach + 0.5));
    const weights = [];
    let sum = 0;
    for (let x = first; x < last; x++) {
      const weight = Math.max(0, 1 - Math.abs((x - centre + 0.5) * (1 / reach)));
      weights.push(weight);
      sum += weight;
    }
    return [first, sum ? weights.map((weight) => weight / sum) : weights];
  });
}

const whole = (weights) => Int32Array.from(weights, (weight) => Math.trunc(weight * 2 ** BITS + (weight < 0 ? -0.5 : 0.5)));
const clipped = (sum) => Math.min(255, Math.max(0, sum >> BITS));

function alongRows({ data, width, height, channels }, size, from, to) {
  if (size === width && from === 0 && to === width) return { data, width, height, channels };
  const out = new Uint8Array(size * height * channels);
  windows(width, from, to, size).forEach(([first, weights], column) => {
    const times = whole(weights);
    for (let row = 0; row < height; row++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 1 << (BITS - 1);
        const at = (row * width + first) * channels + channel;
        for (let x = 0; x < times.length; x++) sum += data[at + x * channels] * times[x];
        out[(row * size + column) * channels + channel] = clipped(sum);
      }
    }
  });
  return { data: out, width: size, height, channels };
}

function alongColumns({ data, width, height, channels }, size, from, to) {
  if (size === height && from === 0 && to === height) return { data, width, height, channels };
  const line = width * channels;
  const out = new Uint8Array(line * size);
  windows(height, from, to, size).forEach(([first, weights], row) => {
    const times = whole(weights);
    for (let at = 0; at < line; at++) {
      let sum = 1 << (BITS - 1);
      for (let y = 0; y < times.length; y++) sum += data[(first + y) * line + at] * times[y];
      out[row * line + at] = clipped(sum);
    }
  });
  return { data: out, width, height: size, channels };
}
