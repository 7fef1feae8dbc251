// A network that answers: which it is, what it is shown, what it says. One for pictures, one for signals.

import { latest } from "./schedule.js";

export class Live {
  network = null;
  input = null; // as the network takes it
  shown = null; // as people see it: ImageData, or the channels of a signal
  label = null; // what it is, where that is known
  answer = null;
  example = null; // which of the examples, if it is one
  examples = [];
  doubt = null; // key of a text: why the answer may mean little

  #listeners = { network: [], input: [], answer: [] };
  #turn = Promise.resolve();
  #answerNow = latest(async () => {
    const { network, input } = this;
    const answer = await this.ask();
    if (network !== this.network || input !== this.input) return;
    this.answer = answer;
    this.#tell("answer");
  });

  /** @param {"picture" | "signal"} kind */
  constructor(kind) {
    this.kind = kind;
  }

  /** Calls with every "network", "input" or "answer". */
  on(event, listener) {
    this.#listeners[event].push(listener);
  }

  /** From now on that network answers; nothing is shown to it yet. */
  use(network, examples = []) {
    Object.assign(this, { network, examples, input: null, shown: null, answer: null, doubt: null });
    this.#tell("network");
  }

  /** Shows it something, and has it answer. */
  async show({ input, shown, label = null, example = null, doubt = null }) {
    Object.assign(this, { input, shown, label, example, doubt });
    this.#tell("input");
    await this.#answerNow();
  }

  /** Its answer to what it is shown, with switches; one run at a time. */
  ask(switches = {}) {
    return this.inTurn((network, input) => network.answer(input, switches));
  }

  /** Work with the network, after what it does already. */
  inTurn(work) {
    const { network, input } = this;
    const done = this.#turn.then(() => work(network, input));
    this.#turn = done.catch(() => {});
    return done;
  }

  #tell(event) {
    this.#listeners[event].forEach((listener) => listener());
  }
}

/** The layer in front of a module, by the architecture: its name, or null where the input itself comes in. */
export function layerBefore(arch, name) {
  const layers = arch.stages.flatMap((stage) => stage.layers);
  const at = layers.findIndex((layer) => layer.name === name);
  return at > 0 ? layers[at - 1].name : null;
}

/** The modules of an architecture. */
export const modulesOf = (arch) => arch.stages.flatMap((stage) => stage.layers).filter((layer) => layer.type === "inception");

/** Classes by probability: `[{label, probability, place}]`. */
export function ranked(network, probabilities) {
  return Array.from(probabilities, (probability, place) => ({ label: String(network.classes[place]), probability, place })).sort(
    (a, b) => b.probability - a.probability,
  );
}
