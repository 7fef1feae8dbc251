// Something that was given to the page is wrong. The text with this key says what, where, and what to do.

export class SentenceError extends Error {
  /** @param {string} key of a text of the page. @param {Object} values that it names. */
  constructor(key, values = {}) {
    super(`${key} ${JSON.stringify(values)}`);
    this.name = "SentenceError";
    this.key = key;
    this.values = values;
  }
}
