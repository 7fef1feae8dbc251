// Elements of SVG, and drawings that know how wide they are.

const SPACE = "http://www.w3.org/2000/svg";

/** An SVG element: attributes with underscores for hyphens, children or texts. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SPACE, tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key.replaceAll("_", "-"), value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * A drawing as wide as its place, drawn again whenever that changes, so that letters keep their size.
 *
 * @param {Element} host Holds the drawing; its height is the drawing's.
 * @param {(width: number) => {height: number, parts: Node[], label?: string}} draw
 * @returns {Function} Draws again.
 */
export function fitted(host, draw) {
  const picture = svg("svg", { width: "100%", role: "img" });
  host.append(picture);
  let wide = 0;
  const again = () => {
    if (!wide) return;
    const { height, parts, label } = draw(wide);
    picture.setAttribute("viewBox", `0 0 ${wide} ${height}`);
    picture.setAttribute("height", height);
    if (label) picture.setAttribute("aria-label", label);
    else picture.setAttribute("aria-hidden", "true");
    picture.replaceChildren(...parts.flat(3).filter(Boolean));
  };
  new ResizeObserver(([entry]) => {
    const next = Math.round(entry.contentRect.width);
    if (next === wide || next === 0) return;
    wide = next;
    again();
  }).observe(host);
  return again;
}

export const line = (x1, y1, x2, y2, more = {}) => svg("line", { x1, y1, x2, y2, stroke: "var(--line)", ...more });
export const rect = (x, y, width, height, more = {}) => svg("rect", { x, y, width: Math.max(0, width), height: Math.max(0, height), ...more });
export const words = (x, y, text, more = {}) => svg("text", { x, y, ...more }, String(text));
export const path = (d, more = {}) => svg("path", { d, fill: "none", ...more });
