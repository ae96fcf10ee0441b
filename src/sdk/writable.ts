import { SpokenMessages } from "../protocol/message-json.ts";
import type { Tap } from "./tap.ts";

/** Answers with an error what the SDK's transports could not write. Before whoever follows what is said. */
export function writable(): Tap {
  const spoken = new SpokenMessages();
  return { hear: (message) => spoken.hear(message), say: (message) => spoken.say(message) };
}
