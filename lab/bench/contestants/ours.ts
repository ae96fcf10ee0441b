import { edge } from "../../../src/index.ts";
import { createEchoServer } from "./echo-server.ts";

const app = edge(createEchoServer);

export class Session extends app.Session {}

export default { fetch: app.fetch };
