// From a signal of any length, with gaps, to what the network reads: SignalPreprocessing of
// googlenet.data.signals.preparation, and what is to be said of a signal unlike all that was learned from.

import { SentenceError } from "../network/errors.js";
import * as scale from "./scale.js";

const STRANGE = 10, SMALL = 0.01, FEWEST = 8, LONGER = 1.25; // as preparation/doubt.py has them

/**
 * A signal as the network reads it: its channels, then their first differences, in float32.
 * @param {number[][]} channels NaN where a value is missing.
 * @returns {{input: Float32Array, doubt: string | null}} doubt is the key of a text, where there is one.
 */
export function preparedSignal(channels, notes) {
  const reading = notes.preprocessing;
  const signal = channels.map((channel) => Array.from(channel, Number));
  check(signal, reading);
  const far = signal.map((values, at) => farOff(values, at, reading));
  const count = signal[0].length;
  if (Math.max(...far.map((marks) => marks.filter(Boolean).length)) > Math.max(1, scale.FEW * count)) {
    throw new SentenceError("signal.unit");
  }
  const standard = signal.map((values, at) => standardised(values, far[at], at, reading));
  const input = inputOf(standard, reading);
  if (!input.every(Number.isFinite)) throw new SentenceError("signal.too_large");
  return { input, doubt: doubtOf(signal, standard, far.flat().some(Boolean), reading) };
}

function check(signal, { channels }) {
  if (signal.length !== channels) throw new SentenceError("signal.channels", { given: signal.length, wanted: channels });
  const count = signal[0].length;
  if (!count || signal.some((values) => values.length !== count)) throw new SentenceError("signal.lengths");
  if (signal.some((values) => values.some((value) => Math.abs(value) === Infinity))) throw new SentenceError("signal.infinite");
  if (signal.every((values) => values.every(Number.isNaN))) throw new SentenceError("signal.missing");
}

function farOff(values, at, { low, high, constant, mean }) {
  if (!low.length || constant.includes(at)) return values.map(() => false);
  return scale.glitches(mean.length ? values : scale.ratios(values), low[at], high[at]);
}

// A channel without gaps, to a mean of 0 and a deviation of 1; no longer than the network reads.
function standardised(values, far, at, { constant, mean, std, low, high, length }) {
  const flat = constant.includes(at);
  let known = flat ? values.map(() => 0) : values;
  if (far.some(Boolean)) known = mean.length ? scale.without(known, far, low[at], high[at]) : scale.missing(known, far);
  if (!mean.length) return scale.standardByItself(scale.filled(known), length);
  const centre = scale.held(mean[at], std[at]);
  const power = scale.exponent(std[at]);
  const gaps = scale.filled(known.map((value) => value - centre));
  const centred = gaps.map((value) => (flat ? 0 : Math.fround(scale.ldexp(value, -power))));
  const size = Math.fround(scale.ldexp(std[at], -power));
  return scale.squeezed(centred, length).map((value) => Math.fround(value / size));
}

function inputOf(standard, { channels, length, slope }) {
  const input = new Float32Array((channels + slope.length) * length);
  standard.forEach((values, at) => input.set(values, at * length));
  slope.forEach((size, at) => {
    const by = Math.fround(size);
    if (!(by > 0)) return;
    const values = standard[at];
    for (let time = 1; time < values.length; time++) {
      input[(channels + at) * length + time] = Math.fround(values[time] - values[time - 1]) / by;
    }
  });
  return input;
}

function doubtOf(signal, standard, beyond, { std, least = [], longest, length }) {
  if (beyond) return "signal.beyond";
  const count = signal[0].length;
  if (longest > 0 && longest * LONGER < count) return "signal.longer";
  const present = signal.map(scale.finite);
  const flat = present.map((values) => count >= FEWEST && scale.isConstant(values));
  if (flat.every(Boolean)) return "signal.constant";
  if (flat.some((is, at) => is && least[at] > 0)) return "signal.channel_off";
  if (!std.length) return null;
  const off = Math.max(...standard.map((values) => values.reduce((sum, value) => sum + Math.abs(value), 0) / length));
  if (off > STRANGE) return "signal.strange";
  if (count < FEWEST) return null;
  const spread = present.map((values) => (values.length ? scale.deviation(values) : 0));
  const weak = spread.map((own, at) => own < SMALL * std[at]);
  const small = Math.max(...spread) > 0 && weak.every(Boolean);
  return small || weak.some((is, at) => is && spread[at] < least[at]) ? "signal.small" : null;
}
