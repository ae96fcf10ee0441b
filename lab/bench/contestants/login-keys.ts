import { keys } from "../../../src/auth/keys.ts";
import { edge } from "../../../src/index.ts";
import { createEchoServer } from "./echo-server.ts";

/** `ours`, for whoever has a key: one of four, as a small team has them. */
const auth = keys(() => ({ ann: "key-of-ann", ben: "key-of-ben", bench: "key-of-bench", ci: "key-of-ci" }));
const app = edge(createEchoServer, { auth });

export class Session extends app.Session {}

export default { fetch: app.fetch };
