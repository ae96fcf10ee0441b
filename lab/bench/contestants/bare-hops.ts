import { DurableObject } from "cloudflare:workers";

/**
 * The hops that every HTTP+SSE session on this platform makes: Worker, Durable Object, hibernatable WebSocket, SSE; and
 * for Streamable HTTP the first two. No session, no bound, nothing that survives anything: what is left when nothing is
 * left out.
 */
export interface Message {
  id?: number | string;
  method: string;
  params?: {
    name?: string;
    arguments?: { a?: number; b?: number; text?: string; parts?: number; bytes?: number };
    _meta?: { progressToken?: number };
  };
}

interface Bindings {
  SESSION: DurableObjectNamespace;
}

const encoder = new TextEncoder();

export abstract class BareSession extends DurableObject<Bindings> {
  /** The answer as JSON; undefined to a notification. */
  abstract answerTo(message: Message): string | undefined | Promise<string | undefined>;

  /** Sends a message that is no answer. */
  protected emit(json: string): void {
    const frame = encoder.encode(`event: message\ndata: ${json}\n\n`);
    for (const socket of this.ctx.getWebSockets()) socket.send(frame);
  }

  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("upgrade") === "websocket") {
      const { 0: relayEnd, 1: ownEnd } = new WebSocketPair();
      this.ctx.acceptWebSocket(ownEnd);
      return new Response(null, { status: 101, webSocket: relayEnd });
    }
    const answering = this.answerTo(await request.json());
    const answer = typeof answering === "object" ? await answering : answering;
    if (new URL(request.url).pathname === "/mcp") {
      if (answer === undefined) return new Response(null, { status: 202 });
      return new Response(answer, {
        headers: { "content-type": "application/json", "mcp-session-id": this.ctx.id.toString() },
      });
    }
    if (answer !== undefined) this.emit(answer);
    return new Response(null, { status: 202 });
  }

  override webSocketClose(socket: WebSocket): void {
    socket.close(1000);
  }
}

export const bareWorker = {
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
