import * as z from "zod";
import { edge } from "../../../src/edge/index.ts";
import { createServer } from "../../../src/server.ts";
import type { ServerContext } from "../../../src/server-context.ts";

/** The example server as it is deployed, with one tool more: large arguments and results need an echo. */
export function createEchoServer(context: ServerContext) {
  const server = createServer(context);
  const inputSchema = z.object({ text: z.string() });
  server.registerTool("echo", { description: "Return the text.", inputSchema }, ({ text }) => ({
    content: [{ type: "text", text }],
  }));
  return server;
}

const app = edge(createEchoServer);

export class Session extends app.Session {}

export default { fetch: app.fetch };
