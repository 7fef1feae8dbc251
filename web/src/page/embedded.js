// What lies in the page itself: facts as JSON, networks packed as text.

export const facts = () => JSON.parse(document.getElementById("facts").textContent);

/** The bytes of a script that holds gzip as base64. */
export async function embedded(id) {
  const packed = atob(document.getElementById(id).textContent.trim());
  const bytes = new Uint8Array(packed.length);
  for (let at = 0; at < packed.length; at += 1) bytes[at] = packed.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
