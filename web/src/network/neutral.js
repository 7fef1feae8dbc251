// The input that says nothing: near the mean one, where two classes are equally likely. As
// googlenet.explain.branches.neutral finds it: Newton's steps, and where they end in a hollow a descent; then halves.

const NEWTON = 10, DESCENT = 300, HALVES = 60; // steps, at most
const RATE = 0.02; // of a deviation of the training part: how far a step of the descent moves each value
const FORGETS = [0.9, 0.999], SMALL = 1e-8; // of the descent (Kingma and Ba 2015)

/**
 * A zero of a function near a point, or the nearest to it that was found.
 * @param {(point: Float32Array) => Promise<{value: number, slope: Float32Array}>} at
 * @param {Float32Array} start @param {number} enough what is as good as 0.
 */
export async function neutral(at, start, enough) {
  let point = start;
  let here = await at(point);
  for (let step = 0; step < NEWTON; step++) {
    if (Math.abs(here.value) <= enough) return point;
    const size = here.slope.reduce((sum, each) => sum + each * each, 0);
    if (size === 0) break;
    const after = point.map((value, place) => value - (here.slope[place] * here.value) / size);
    const there = await at(after);
    if (there.value * here.value < 0) return between(at, point, after, here.value, enough);
    if (Math.abs(there.value) >= Math.abs(here.value)) break;
    [point, here] = [after, there];
  }
  return descent(at, point, here, enough);
}

async function descent(at, point, here, enough) {
  const sign = here.value < 0 ? -1 : 1;
  let best = { point, value: here.value };
  const first = new Float64Array(point.length), second = new Float64Array(point.length);
  for (let step = 1; step <= DESCENT; step++) {
    const [whole, squares] = FORGETS.map((kept) => 1 - kept ** step);
    const after = point.map((value, place) => {
      const slope = sign * here.slope[place];
      first[place] = FORGETS[0] * first[place] + (1 - FORGETS[0]) * slope;
      second[place] = FORGETS[1] * second[place] + (1 - FORGETS[1]) * slope * slope;
      return value - (RATE * (first[place] / whole)) / (Math.sqrt(second[place] / squares) + SMALL);
    });
    const there = await at(after);
    if (there.value * here.value < 0) return between(at, point, after, here.value, enough);
    if (Math.abs(there.value) < Math.abs(best.value)) best = { point: after, value: there.value };
    [point, here] = [after, there];
  }
  return best.point;
}

async function between(at, one, other, sign, enough) {
  let middle = one;
  for (let half = 0; half < HALVES; half++) {
    middle = one.map((value, place) => (value + other[place]) / 2);
    const { value } = await at(middle);
    if (Math.abs(value) <= enough) break;
    if (value * sign > 0) one = middle;
    else other = middle;
  }
  return middle;
}
