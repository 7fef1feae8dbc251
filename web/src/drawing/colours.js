// Scales of colour that those see who tell few colours apart: viridis from low to high, blue to orange around zero.

const VIRIDIS =
  "440154 481567 482677 453781 404788 39568c 33638d 2d708e 287d8e 238a8d 1f968b 20a387 29af7f 3cbb75 55c667 73d055 95d840 b8de29 dce319 fde725";

const parsed = (hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
const STOPS = VIRIDIS.split(" ").map(parsed);
const mixed = (a, b, share) => a.map((value, at) => Math.round(value + (b[at] - value) * share));

/** 256 colours from low to high, three bytes each. */
export const SEQUENTIAL = Uint8Array.from(
  Array.from({ length: 256 }, (_, at) => {
    const place = (at / 255) * (STOPS.length - 1);
    const low = Math.min(Math.floor(place), STOPS.length - 2);
    return mixed(STOPS[low], STOPS[low + 1], place - low);
  }).flat(),
);

export const sequentialGradient = `linear-gradient(to right, ${STOPS.map((stop) => `rgb(${stop})`).join(", ")})`;
export const divergingGradient = "linear-gradient(to right, var(--blue), var(--page), var(--orange))";
export const softGradient = `linear-gradient(to right, ${diverging(-1, 2)}, var(--page), ${diverging(1, 2)})`; // behind numbers

/** The colour of a number between -most and most, as CSS mixes it in either theme. */
export function diverging(value, most) {
  const share = most > 0 ? Math.min(Math.abs(value) / most, 1) : 0;
  return `color-mix(in srgb, var(--${value < 0 ? "blue" : "orange"}) ${(share * 100).toFixed(1)}%, var(--page))`;
}

/** The colour of a branch, by its name or its place among the branches. */
export function branchColour(name, at) {
  const known = { "1x1": "blue", "3x3": "orange", "5x5": "green", pool: "soft" };
  return `var(--${known[name] ?? (name.startsWith("pool") ? "soft" : ["green", "orange", "blue", "soft"][at % 4])})`;
}
