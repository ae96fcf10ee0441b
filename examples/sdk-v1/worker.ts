import { edge } from "mcp-edge";
import { createServer } from "./server.ts";

const app = edge(createServer);

export class Session extends app.Session {}

export default { fetch: app.fetch };
