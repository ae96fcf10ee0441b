import { edge } from "../../../src/index.ts";
import { createEchoServer } from "./echo-server.ts";

/** With a hook around each call, which does nothing. */
const app = edge(createEchoServer, { onCall: async (_call, next) => await next() });

export class Session extends app.Session {}

export default { fetch: app.fetch };
