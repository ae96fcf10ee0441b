import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as z from "zod";
import { importPeer } from "../peers.ts";

const add = { description: "Add two integers.", inputSchema: { a: z.int(), b: z.int() } };
const echo = { description: "Return the text.", inputSchema: { text: z.string() } };
const wait = { description: "Take some time.", inputSchema: { ms: z.int() }, annotations: { idempotentHint: true } };
const tell = { description: "Tell so many parts.", inputSchema: { parts: z.int(), bytes: z.int() } };

/** `SSEServerTransport` of SDK v1 on express, as its examples show it. The port is the first argument. */
interface Express {
  get(path: string, handler: (request: IncomingMessage, response: ServerResponse) => unknown): void;
  post(path: string, handler: (request: IncomingMessage, response: ServerResponse) => unknown): void;
  listen(port: number, host: string): void;
}

const { default: express } = await importPeer<{ default: () => Express }>("express");
const transports = new Map<string, SSEServerTransport>();
const app = express();

app.get("/sse", async (_request, response) => {
  const transport = new SSEServerTransport("/sse/message", response);
  transports.set(transport.sessionId, transport);
  response.on("close", () => transports.delete(transport.sessionId));
  await createServer().connect(transport);
});

app.post("/sse/message", async (request, response) => {
  const sessionId = new URL(request.url ?? "", "http://localhost").searchParams.get("sessionId") ?? "";
  const transport = transports.get(sessionId);
  if (transport === undefined) response.writeHead(404).end();
  else await transport.handlePostMessage(request, response);
});

app.listen(Number(process.argv[2]), "127.0.0.1");

function createServer(): McpServer {
  const server = new McpServer({ name: "sdk-express", version: "1.0.0" });
  server.registerTool("add", add, ({ a, b }) => ({ content: [{ type: "text", text: String(a + b) }] }));
  server.registerTool("echo", echo, ({ text }) => ({ content: [{ type: "text", text }] }));
  server.registerTool("tell", tell, async ({ parts, bytes }, { _meta, sendNotification }) => {
    for (let progress = 1; progress <= parts; progress++) {
      const params = { progressToken: _meta?.progressToken ?? 0, progress, total: parts, message: "x".repeat(bytes) };
      await sendNotification({ method: "notifications/progress", params });
    }
    return { content: [{ type: "text", text: "told" }] };
  });
  server.registerTool("wait", wait, async ({ ms }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return { content: [{ type: "text", text: "waited" }] };
  });
  let count = 0;
  server.registerTool("count", { description: "Count the calls of this session." }, () => ({
    content: [{ type: "text", text: String(++count) }],
  }));
  return server;
}
