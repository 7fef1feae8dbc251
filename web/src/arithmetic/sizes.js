// The size that a convolution or a pool gives: googlenet.arch.shapes, to the letter.

/**
 * Output size of a convolution or pool along one axis; below 1 where the input is too small.
 *
 * @param {number} n Samples.
 * @param {{kernel: number, stride?: number, padding?: number | "tensorflow", dilation?: number, ceil?: boolean}} window
 */
export function outputSize(n, { kernel, stride = 1, padding = 0, dilation = 1, ceil = false }) {
  if (padding === "tensorflow") return Math.ceil(n / stride);
  const span = n + 2 * padding - dilation * (kernel - 1) - 1;
  if (!ceil) return Math.floor(span / stride) + 1;
  const out = Math.ceil(span / stride) + 1;
  return (out - 1) * stride >= n + padding ? out - 1 : out;
}

/** The same with the sign of the padding as the notes print it. */
export function printedSize(n, { kernel, stride, padding, dilation }) {
  return Math.floor((n - 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

/** Samples that TensorFlow's SAME padding puts in front: an odd one comes at the end. */
export function tensorflowFront(n, { kernel, stride = 1, dilation = 1 }) {
  const lacking = (Math.ceil(n / stride) - 1) * stride + dilation * (kernel - 1) + 1 - n;
  return Math.floor(Math.max(lacking, 0) / 2);
}

/** By type of layer: samples along an axis that it makes of n. */
const SIZES = {
  branch: (branch, n) => Math.ceil(n / branch.stride),
  max_pool: (pool, n) => outputSize(n, pool),
  average_pool: (pool, n) => Math.floor(n / pool.window),
  response_norm: (norm, n) => n,
  inception: (module, n) => n,
};

export const sizeAfter = (layer, n) => SIZES[layer.type](layer, n);

/** Whether every layer of an architecture still has an output for inputs of that size. */
export function fits(arch, n) {
  for (const layer of arch.stages.flatMap((stage) => stage.layers)) {
    n = sizeAfter(layer, n);
    if (n < 1) return false;
  }
  return true;
}
