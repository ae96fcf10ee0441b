import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { createTortureServerV1 } from "./torture-server-v1.ts";

const transports = new Map<string, SSEServerTransport>();

/** The SDK's own example of a server over HTTP+SSE, with the tools of the torture. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (request.method === "GET" && url.pathname === "/sse") {
    const transport = new SSEServerTransport("/messages", response);
    transports.set(transport.sessionId, transport);
    response.on("close", () => transports.delete(transport.sessionId));
    await createTortureServerV1().connect(transport);
    return;
  }
  const transport = transports.get(url.searchParams.get("sessionId") ?? "");
  if (transport === undefined) response.writeHead(404).end("Session not found");
  else await transport.handlePostMessage(request, response);
}

createServer((request, response) => void answer(request, response).catch(() => response.destroy())).listen(
  Number(process.argv[2]),
  "127.0.0.1",
  () => console.log("serving"),
);
