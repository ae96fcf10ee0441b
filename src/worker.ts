import { edge } from "mcp-edge";
import { createServer } from "./server.ts";

const app = edge(createServer);

/** The Durable Object class that wrangler.toml binds: one object for each session. */
export class Session extends app.Session {}

export default { fetch: app.fetch };
