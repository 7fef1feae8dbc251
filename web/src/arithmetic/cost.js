// What an architecture costs: googlenet.arch.cost and its rows, to the letter, on the JSON of an architecture.

import { Cursor } from "./cursor.js";
import { sizeAfter, tensorflowFront } from "./sizes.js";

/**
 * The cost of a whole network for one input.
 *
 * @param {object} arch JSON of googlenet.arch.serial.
 * @param {{size?: number[], inChannels?: number, classes?: number}} of Its own size, 3 and 1000 by default.
 * @returns {{rows: object[], params: number, paramsWithAux: number, macs: number, macsWithAux: number}}
 */
export function cost(arch, { size = arch.input_size, inChannels = 3, classes = 1000 } = {}) {
  let cursor = new Cursor({ batchNorm: arch.norm === "batch", channels: inChannels, size });
  const rows = [];
  const auxiliaryRows = [];
  for (const stage of arch.stages) {
    const entry = cursor;
    for (const layer of stage.layers) {
      let row;
      [row, cursor] = rowOf(cursor, layer);
      rows.push(row);
      const head = arch.auxiliary.find((aux) => aux.after === layer.name);
      if (head) auxiliaryRows.push(auxiliaryRow(cursor, head, classes));
    }
    if (stage.residual) rows.push(shortcutRow(entry, cursor, stage));
  }
  const pooled = cursor.pool("pool5", "average pool", {
    kernel: Math.max(...cursor.size),
    stride: 1,
    size: Array(arch.dims).fill(1),
  });
  rows.push(single(pooled.done.at(-1)), single(pooled.linear("linear", classes).done.at(-1)));
  const every = [...rows, ...auxiliaryRows].map((row) => repeated(row, arch.members));
  const plain = every.filter((row) => row.type !== "auxiliary");
  return {
    rows: every,
    params: total(plain, "params"),
    macs: total(plain, "macs"),
    paramsWithAux: total(every, "params"),
    macsWithAux: total(every, "macs"),
  };
}

/** Where the arithmetic stands in front of a module: `{cursor, module}`. */
export function before(arch, name, { size = arch.input_size, inChannels = 3 } = {}) {
  let cursor = new Cursor({ batchNorm: arch.norm === "batch", channels: inChannels, size });
  for (const layer of arch.stages.flatMap((stage) => stage.layers)) {
    if (layer.name === name) return { cursor: cursor.restart(), module: layer };
    cursor = rowOf(cursor, layer)[1];
  }
  throw new RangeError(`There is no layer ${name}.`);
}

/** The row of a layer, and where the arithmetic stands behind it. */
export const rowOf = (cursor, layer) => ROWS[layer.type](cursor, layer);

/** The row of one branch of a module. */
export function branchRow(cursor, branch) {
  const after = along(cursor.restart(), branch);
  return rowFrom(branch.name, "branch", after);
}

const total = (rows, what) => rows.reduce((sum, row) => sum + row[what], 0);
const single = (layer) => ({ ...layer, layers: [layer], savedParams: 0, savedMacs: 0 });

function along(cursor, branch, prefix = "") {
  if (branch.pool) {
    const front = Math.floor((branch.pool - 1) / 2);
    cursor = cursor.pool(`${prefix}pool`, "max pool", { kernel: branch.pool, stride: 1, size: cursor.size, front });
  }
  if (branch.reduce) cursor = cursor.conv(`${prefix}reduce`, branch.reduce);
  if (branch.channels !== null) cursor = cursor.conv(`${prefix}conv`, branch.channels, branch);
  return cursor;
}

function convRow(cursor, branch) {
  const after = along(cursor.restart(), branch, `${branch.name}/`);
  return [rowFrom(branch.name, after.done.at(-1).type, after), after];
}

function poolRow(cursor, pool) {
  const size = cursor.size.map((n) => sizeAfter(pool, n));
  const front = pool.padding === "tensorflow" ? tensorflowFront(cursor.size[0], pool) : pool.padding;
  const after = cursor.restart().pool(pool.name, "max pool", { ...pool, size, front });
  return [single(after.done.at(-1)), after];
}

function averageRow(cursor, pool) {
  const size = cursor.size.map((n) => sizeAfter(pool, n));
  const after = cursor.restart().pool(pool.name, "average pool", { kernel: pool.window, stride: pool.window, size });
  return [single(after.done.at(-1)), after];
}

function normRow(cursor, norm) {
  const after = cursor.restart().pool(norm.name, "response norm", { kernel: 1, stride: 1, size: cursor.size });
  return [single({ ...after.done.at(-1), type: "response norm" }), after];
}

function inceptionRow(cursor, module) {
  const start = cursor.restart();
  let narrow = start;
  if (module.bottleneck && cursor.channels > 1) {
    narrow = start.conv(`${module.name}/bottleneck`, module.bottleneck, { linear: true });
  }
  const ends = module.branches.map((branch) =>
    along(branch.pool ? start : narrow.restart(), branch, `${module.name}/${branch.name}/`),
  );
  const after = concatenated(ends, narrow.done);
  const naive = concatenated(withoutReductions(module).map((branch) => along(start, branch)));
  const row = rowFrom(module.name, "inception", after);
  row.savedParams = total(naive.done, "params") - row.params;
  row.savedMacs = total(naive.done, "macs") - row.macs;
  return [row, after];
}

/** Where branches that started together meet again. */
function concatenated(ends, shared = []) {
  return new Cursor({
    ...ends[0],
    channels: ends.reduce((sum, end) => sum + end.channels, 0),
    field: Math.max(...ends.map((end) => end.field)),
    done: [...shared, ...ends.flatMap((end) => end.done)],
  });
}

/** The naive module with the same kernels and widths: no reduction, and a pool without projection. */
function withoutReductions(module) {
  return module.branches.map((branch) =>
    branch.pool
      ? { name: branch.name, channels: null, kernel: 1, stride: 1, reduce: null, pool: branch.pool, dilation: 1 }
      : { ...branch, reduce: null },
  );
}

function shortcutRow(entry, end, stage) {
  const conv = entry.restart().conv(`${stage.name} shortcut`, end.channels).done.at(-1);
  return single({ ...conv, output: [end.channels, ...end.size], field: end.field, stride: end.stride, first: end.first });
}

function auxiliaryRow(cursor, head, classes) {
  const [kernel, stride] = head.pool ?? Array(2).fill(Math.max(1, roundHalfEven(Math.max(...cursor.size) / head.grid)));
  const after = cursor
    .restart()
    .pool(`aux ${head.after}/pool`, "average pool", { kernel, stride, size: cursor.size.map(() => head.grid) })
    .conv(`aux ${head.after}/conv`, head.channels)
    .linear(`aux ${head.after}/fc1`, head.hidden)
    .linear(`aux ${head.after}/fc2`, classes);
  return rowFrom(`aux ${head.after}`, "auxiliary", after);
}

/** As Python rounds. */
function roundHalfEven(number) {
  const below = Math.floor(number);
  return number - below === 0.5 ? below + (below % 2) : Math.round(number);
}

function rowFrom(name, type, after) {
  const { channels, size, field, stride, first, done: layers } = after;
  const sums = { params: total(layers, "params"), macs: total(layers, "macs") };
  return { name, type, output: [channels, ...size], ...sums, field, stride, first, layers, savedParams: 0, savedMacs: 0 };
}

function repeated(row, members) {
  const times = ({ output: [channels, ...size], params, macs }) => ({
    output: [channels * members, ...size],
    params: params * members,
    macs: macs * members,
  });
  return {
    ...row,
    ...times(row),
    layers: row.layers.map((layer) => ({ ...layer, ...times(layer) })),
    savedParams: row.savedParams * members,
    savedMacs: row.savedMacs * members,
  };
}

const ROWS = {
  branch: convRow,
  max_pool: poolRow,
  average_pool: averageRow,
  response_norm: normRow,
  inception: inceptionRow,
};
