import { keys } from "../../../src/auth/keys.ts";
import { edge } from "../../../src/index.ts";
import { createExampleServer } from "../../../test/fixtures/example-server.ts";

/** The example with a login: what it remembers is the user's. */
const app = edge(createExampleServer, { auth: keys(() => ({ ann: "key-of-ann" })) });

export class Session extends app.Session {}

export default { fetch: app.fetch };
