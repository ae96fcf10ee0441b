import { McpServer } from "@modelcontextprotocol/server";
import { Hono } from "hono";
import { edge, text, tool } from "mcp-edge";
import * as z from "zod";

/** An application that was there before, and two paths of it for MCP. */

interface Env {
  MCP_SESSION: DurableObjectNamespace;
}

const name = z.object({ name: z.string() });

function createServer(): McpServer {
  const server = new McpServer({ name: "hono", version: "1.0.0" });
  tool(server, "greet", { inputSchema: name, annotations: { readOnlyHint: true } }, ({ name: whom }) =>
    text(`Hello, ${whom}!`),
  );
  return server;
}

const mcp = edge<Env>(createServer, { binding: "MCP_SESSION" });

export class McpSession extends mcp.Session {}

const app = new Hono<{ Bindings: Env }>();
app.get("/", (c) => c.text("The application is here."));
// With what is below them: the messages of HTTP+SSE.
for (const path of ["/sse/*", "/mcp/*"]) app.all(path, (c) => mcp.fetch(c.req.raw, c.env));

export default app;
