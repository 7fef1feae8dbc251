// The scale of signals: googlenet.data.signals.preparation.scale, in float64 (NaN where a value is missing).

import { windows } from "./resize.js";

const FEW = 0.1; // of a signal's samples
const ROUNDING = 8 * Number.EPSILON;

const finite = (values) => values.filter(Number.isFinite);
const largest = (values) => values.reduce((most, value) => Math.max(most, value), -Infinity);
const smallest = (values) => values.reduce((least, value) => Math.min(least, value), Infinity);
const sorted = (values) => Float64Array.from(values).sort();

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function deviation(values) {
  const power = exponent(largest(values.map(Math.abs)));
  const scaled = values.map((value) => ldexp(value, -power));
  const centre = mean(scaled);
  return ldexp(Math.sqrt(mean(scaled.map((value) => (value - centre) ** 2))), power);
}

export function isConstant(values) {
  if (!values.length) return true;
  const [least, most] = [smallest(values), largest(values)];
  return most - least <= ROUNDING * Math.max(Math.abs(least), Math.abs(most));
}

/** The power of two nearest below a positive size, `frexp`; 0 for 0. */
export function exponent(size) {
  if (!size) return 0;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, size);
  const bits = (view.getUint16(0) >> 4) & 0x7ff;
  return bits ? bits - 1022 : exponent(size * 2 ** 64) - 64;
}

/** value × 2 ** power; no digit changes. */
export function ldexp(value, power) {
  const half = Math.trunc(power / 2);
  return value * 2 ** half * 2 ** (power - half);
}

function median(values) {
  const order = sorted(values);
  const middle = order.length >> 1;
  return order.length % 2 ? order[middle] : (order[middle - 1] + order[middle]) / 2;
}

function nineOfTen(sizes) {
  let place = Math.ceil((1 - FEW) * (sizes.length - 1));
  if (sizes.length > 2) place = Math.min(place, sizes.length - 2);
  return sorted(sizes)[place];
}

/** How far each value is from the median, in what nine of ten of them keep within. */
export function ratios(values) {
  const present = values.filter((value) => !Number.isNaN(value));
  if (!present.length) return values;
  const middle = median(present);
  const centred = values.map((value) => value - middle);
  const sizes = centred.filter((value) => !Number.isNaN(value)).map(Math.abs);
  const unit = nineOfTen(sizes) || largest(sizes);
  return unit ? centred.map((value) => value / unit) : centred;
}

/** Which values lie beyond limits. */
export const glitches = (values, low, high) => values.map((value) => value < low || value > high);

/** Values whose glitches are missing: few of them, or one value again and again; what is beyond for longer is clipped. */
export function without(values, far, low, high) {
  const there = values.filter((value) => !Number.isNaN(value)).length;
  const wrong = values.filter((_, at) => far[at]);
  if (wrong.length <= FEW * there || (wrong.length < there && new Set(wrong).size === 1)) return missing(values, far);
  return values.map((value) => Math.min(Math.max(value, low), high));
}

export const missing = (values, far) => values.map((value, at) => (far[at] ? NaN : value));

/** The mean, rounded to float32 where that makes no difference. */
export function held(centre, std) {
  const rounded = Math.fround(centre);
  return Math.abs(rounded - centre) <= 1e-6 * std ? rounded : centre;
}

/** Missing values interpolated between their neighbours; 0 in a channel that has none. */
export function filled(values) {
  const known = [...values.keys()].filter((at) => !Number.isNaN(values[at]));
  if (!known.length) return values.map(() => 0);
  let next = 0;
  return values.map((value, at) => {
    if (!Number.isNaN(value)) return value;
    while (next < known.length && known[next] < at) next++;
    if (next === 0) return values[known[0]];
    if (next === known.length) return values[known[next - 1]];
    const [before, behind] = [known[next - 1], known[next]];
    const slope = (values[behind] - values[before]) / (behind - before);
    return slope * (at - before) + values[before];
  });
}

/** To that length, if it was longer: each sample a triangle-weighted mean, in float32. */
export function squeezed(values, length) {
  if (values.length <= length) return values;
  return windows(values.length, 0, values.length, length).map(([first, weights]) =>
    Math.fround(weights.reduce((sum, weight, at) => sum + values[first + at] * weight, 0)));
}

/** A channel, squeezed if it is longer, to a mean of 0 and a deviation of 1; zeros where it is constant. */
export function standardByItself(values, length) {
  const constant = isConstant(values);
  const centre = mean(values);
  const centred = values.map((value) => value - centre);
  const power = exponent(largest(centred.map(Math.abs)));
  const small = squeezed(centred.map((value) => Math.fround(ldexp(value, -power))), length);
  const middle = mean(small);
  const scaled = small.map((value) => value - middle);
  const size = Math.sqrt(mean(scaled.map((value) => value * value)));
  return constant || size <= 1e-6 ? scaled.map(() => 0) : scaled.map((value) => Math.fround(value / size));
}

export { FEW, finite };
