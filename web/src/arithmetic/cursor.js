// From layer to layer, how sizes, parameters and receptive fields go on: googlenet.arch.cursor, to the letter.
// `first` is what the drawings need beside it: the place in the input, in samples, at which the first output is centred.

import { tensorflowFront } from "./sizes.js";

const product = (numbers) => numbers.reduce((a, b) => a * b, 1);
const windowName = (kernel, dims) => Array(dims).fill(kernel).join("×");

export class Cursor {
  /** @param {{batchNorm: boolean, channels: number, size: number[]}} place */
  constructor({ batchNorm, channels, size, field = 1, stride = 1, first = 0, done = [] }) {
    Object.assign(this, { batchNorm, channels, size, field, stride, first, done });
  }

  /** After a convolution that gives ceil(n / stride) samples. */
  conv(name, channels, { kernel = 1, stride = 1, dilation = 1, linear = false, padding = "same" } = {}) {
    const dims = this.size.length;
    const size = this.size.map((n) => Math.ceil(n / stride));
    const weights = channels * this.channels * kernel ** dims;
    const front =
      padding === "tensorflow"
        ? tensorflowFront(this.size[0], { kernel, stride, dilation })
        : Math.floor((dilation * (kernel - 1)) / 2);
    return this.#after(name, `conv ${windowName(kernel, dims)}/${stride}${dilation > 1 ? `, dilation ${dilation}` : ""}`, {
      channels,
      size,
      params: weights + channels * (linear ? 0 : this.batchNorm ? 2 : 1),
      macs: weights * product(size),
      kernel: dilation * (kernel - 1) + 1,
      stride,
      front,
    });
  }

  /** After a pool; `front` is its padding in front. */
  pool(name, kind, { kernel, stride, size, front = 0 }) {
    const type = `${kind} ${windowName(kernel, size.length)}/${stride}`;
    return this.#after(name, type, { channels: this.channels, size, kernel, stride, front });
  }

  /** After a linear layer that reads everything. */
  linear(name, units) {
    const inputs = this.channels * product(this.size);
    return this.#after(name, "linear", { channels: units, size: [], params: (inputs + 1) * units, macs: inputs * units });
  }

  /** The same place, with no layers behind it. */
  restart() {
    return new Cursor({ ...this, done: [] });
  }

  #after(name, type, { channels, size, params = 0, macs = 0, kernel = 1, stride = 1, front = 0 }) {
    const field = this.field + (kernel - 1) * this.stride;
    const first = this.first + ((kernel - 1) / 2 - front) * this.stride;
    const step = this.stride * stride;
    const layer = { name, type, output: [channels, ...size], params, macs, field, stride: step, first };
    return new Cursor({ batchNorm: this.batchNorm, channels, size, field, stride: step, first, done: [...this.done, layer] });
  }
}
