// What lies in the page itself: facts as JSON, networks packed as text.

import { packedBytes } from "../network/runtime.js";

export const facts = () => JSON.parse(document.getElementById("facts").textContent);

/** The bytes of a network of the page. */
export const embedded = (id) => packedBytes(document.getElementById(`network-${id}`));
