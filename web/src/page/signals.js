// Which signal the network sees.

import { preparedSignal } from "../inputs/signals.js";

/** Shows the network a signal: `channels` are arrays of numbers, NaN where one is missing. */
export async function showChannels(page, channels, { label = null, example = null } = {}) {
  const { input, doubt } = preparedSignal(channels, page.signal.network.notes);
  await page.signal.show({ input, shown: channels, label, example, doubt });
}

/** One of the examples of the network. */
export async function showSignal(page, name) {
  const { values, label } = page.signal.examples.find((one) => one.name === name);
  await showChannels(page, channelsOf(values), { label, example: name });
}

/** The channels of an example; what JSON has as null is missing. */
export const channelsOf = (values) => values.map((channel) => channel.map((value) => value ?? NaN));
