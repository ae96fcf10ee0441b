import { setTimeout as delay } from "node:timers/promises";
import { logIn } from "./agreeing-user.ts";

/** A person is not so quick: some clients listen only after they have opened the browser. */
const untilListeningMs = 90_000;

/** What a client starts as `xdg-open <URL>`: its user logs in, agrees, and is sent back to where the client listens. */
const { back } = await logIn(new URL(process.argv[2] ?? ""));
const givenUpMs = Date.now() + untilListeningMs;
for (;;) {
  const page = await fetch(back).catch((error: unknown) => error);
  if (page instanceof Response) break;
  if (Date.now() > givenUpMs) throw page;
  await delay(50);
}
