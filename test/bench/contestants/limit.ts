import { DurableObject } from "cloudflare:workers";

/**
 * The physical limit: the same hops (Worker, Durable Object, hibernatable WebSocket, SSE) and no MCP. It parses each
 * message as JSON and answers one fixed shape: no schema, no session, no bound, nothing that survives anything.
 */
interface Message {
  id?: number | string;
  method: string;
  params?: { name?: string; arguments?: { a?: number; b?: number; text?: string } };
}

interface Bindings {
  SESSION: DurableObjectNamespace;
}

const encoder = new TextEncoder();

export class Session extends DurableObject<Bindings> {
  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("upgrade") === "websocket") {
      const { 0: relayEnd, 1: ownEnd } = new WebSocketPair();
      this.ctx.acceptWebSocket(ownEnd);
      return new Response(null, { status: 101, webSocket: relayEnd });
    }
    const message = (await request.json()) as Message;
    const answer = answerTo(message);
    if (new URL(request.url).pathname === "/mcp") {
      if (answer === undefined) return new Response(null, { status: 202 });
      return new Response(answer, {
        headers: { "content-type": "application/json", "mcp-session-id": this.ctx.id.toString() },
      });
    }
    if (answer !== undefined) {
      const frame = encoder.encode(`event: message\ndata: ${answer}\n\n`);
      for (const socket of this.ctx.getWebSockets()) socket.send(frame);
    }
    return new Response(null, { status: 202 });
  }

  override webSocketClose(socket: WebSocket): void {
    socket.close(1000);
  }
}

function answerTo({ id, method, params }: Message): string | undefined {
  if (id === undefined) return undefined;
  if (method === "initialize") {
    const serverInfo = { name: "limit", version: "1.0.0" };
    const result = { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo };
    return JSON.stringify({ jsonrpc: "2.0", id, result });
  }
  const { a = 0, b = 0, text = String(a + b) } = params?.arguments ?? {};
  return JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text }] } });
}

export default {
  async fetch(request: Request, { SESSION }: Bindings): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/sse/message") return await stubOf(SESSION, searchParams.get("sessionId")).fetch(request);
    if (pathname === "/mcp") return await stubOf(SESSION, request.headers.get("mcp-session-id")).fetch(request);
    if (pathname === "/sse") return await openStream(SESSION);
    return new Response(null, { status: 404 });
  },
};

function stubOf(namespace: DurableObjectNamespace, id: string | null): DurableObjectStub {
  return namespace.get(id === null ? namespace.newUniqueId() : namespace.idFromString(id));
}

async function openStream(namespace: DurableObjectNamespace): Promise<Response> {
  const id = namespace.newUniqueId();
  const { webSocket } = await namespace.get(id).fetch("http://session/", { headers: { upgrade: "websocket" } });
  if (webSocket === null) return new Response(null, { status: 500 });
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(`event: endpoint\ndata: /sse/message?sessionId=${id.toString()}\n\n`));
      webSocket.binaryType = "arraybuffer";
      // It sends nothing but bytes.
      webSocket.addEventListener("message", ({ data }) => controller.enqueue(new Uint8Array(data as ArrayBuffer)));
      webSocket.accept();
    },
    cancel: () => webSocket.close(1000),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream", "cache-control": "no-cache" } });
}
