// Cells of a table of text: numbers, nothing, or words, as googlenet.data.signals.rows tells them.

const MISSING = new Set(["", "?", "na", "n/a", "nan", "null", "none"]);
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITE = /^[+-]*(inf|infinity|nan)$/i;

export const isNumber = (cell) => NUMBER.test(cell);
export const isMissing = (cell) => MISSING.has(cell.toLowerCase());
export const isText = (cell) => !isNumber(cell) && !isMissing(cell) && !INFINITE.test(cell);
export const isWhole = (cell) => isNumber(cell) && Number.isInteger(Number(cell));
