import { logIn } from "./agreeing-user.ts";

/** What a client starts as `xdg-open <URL>`: its user logs in, agrees, and is sent back to where the client listens. */
const { back } = await logIn(new URL(process.argv[2] ?? ""));
await (await fetch(back)).text();
