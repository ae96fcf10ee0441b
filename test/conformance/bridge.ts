import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type JSONRPCMessage, type RequestId, SSEClientTransport, SseError } from "@modelcontextprotocol/client";
import { isObject, isRequest, isResponse, parseBody } from "../../src/protocol/json-rpc.ts";

/** What the suite connects to: it speaks Streamable HTTP only. */
export interface Bridge {
  /** A Streamable HTTP endpoint. */
  url: string;
  /** How many HTTP+SSE sessions were opened through it. */
  sessionCount(): number;
  close(): Promise<void>;
}

/**
 * Streamable HTTP in, HTTP+SSE out: each session of the suite is a session at `sseUrl`, spoken to by the SDK's own
 * client transport. Messages pass as they are, both ways; the bridge answers nothing in the server's place.
 */
export async function startBridge(sseUrl: string): Promise<Bridge> {
  const sessions = new Map<string, BridgedSession>();
  let opened = 0;

  const open = async (request: IncomingMessage): Promise<BridgedSession | number> => {
    const { origin } = request.headers;
    const session = new BridgedSession(sseUrl, { origin, onNamed: (id) => sessions.set(id, session) });
    const refusal = await session.start();
    if (refusal !== undefined) return refusal;
    opened += 1;
    return session;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const id = request.headers["mcp-session-id"];
    const session = typeof id === "string" ? sessions.get(id) : undefined;
    switch (request.method) {
      case "POST": {
        const body = parseBody(await text(request));
        if (!body.ok) return void response.writeHead(400).end(body.detail);
        const sender = session ?? (id === undefined ? await open(request) : 404);
        if (typeof sender === "number") return void response.writeHead(sender).end();
        return await sender.post(body.messages, response);
      }
      case "GET":
        return session === undefined ? void response.writeHead(404).end() : session.listen(response);
      case "DELETE":
        if (session === undefined) return void response.writeHead(404).end();
        sessions.delete(session.id);
        await session.close();
        return void response.writeHead(204).end();
      default:
        response.writeHead(405).end();
    }
  };

  const server = createServer((request, response) => {
    // A stream that has begun can only be cut; the suite sees a broken connection and fails the scenario.
    const fail = (error: unknown) =>
      response.headersSent ? response.destroy() : response.writeHead(502).end(String(error));
    answer(request, response).catch(fail);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    sessionCount: () => opened,
    close: async () => {
      await Promise.all([...sessions.values()].map((session) => session.close()));
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The response to one POST, and the requests of it that are not answered yet. */
interface OpenPost {
  response: ServerResponse;
  waiting: Set<RequestId>;
}

/** One session on both sides. Lifetime: from `initialize` to DELETE, or to the end of the bridge. */
class BridgedSession {
  /** The server's own name for it, from the `endpoint` that the transport posts to; empty before its first message. */
  id = "";
  readonly #transport: SSEClientTransport;
  readonly #posts: OpenPost[] = [];
  #listener: ServerResponse | undefined;
  /** What the server said while no stream of this side was open. */
  #unsent: JSONRPCMessage[] = [];

  constructor(sseUrl: string, { origin, onNamed }: { origin: string | undefined; onNamed: (id: string) => void }) {
    this.#transport = new SSEClientTransport(new URL(sseUrl), {
      // The page that asks is judged by the server; the host is another one on this side of the bridge.
      requestInit: { headers: origin === undefined ? {} : { origin } },
      fetch: (url, init) => {
        if (this.id === "" && init?.method === "POST") {
          this.id = new URL(url).searchParams.get("sessionId") ?? "";
          onNamed(this.id);
        }
        return fetch(url, init);
      },
    });
    this.#transport.onmessage = (message) => this.#receive(message);
  }

  /** Connects. The status with which the server refused, or `undefined`. */
  async start(): Promise<number | undefined> {
    try {
      await this.#transport.start();
      return undefined;
    } catch (error) {
      await this.#transport.close();
      if (error instanceof SseError && error.code !== undefined) return error.code;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#transport.close();
    for (const { response } of this.#posts) response.end();
    this.#listener?.end();
  }

  async post(messages: JSONRPCMessage[], response: ServerResponse): Promise<void> {
    const waiting = new Set(messages.filter(isRequest).map((request) => request.id));
    const isAnswered = waiting.size > 0;
    if (isAnswered) this.#posts.push({ response, waiting });
    for (const message of messages) await this.#transport.send(message);
    if (isAnswered) this.#startEvents(response);
    else response.writeHead(202).end();
  }

  listen(response: ServerResponse): void {
    this.#startEvents(response);
    this.#listener?.end();
    this.#listener = response;
    response.on("close", () => {
      if (this.#listener === response) this.#listener = undefined;
    });
    for (const message of this.#unsent.splice(0)) this.#write(response, message);
  }

  #startEvents(response: ServerResponse): void {
    if (response.headersSent) return;
    response.writeHead(200, { "content-type": "text/event-stream", "mcp-session-id": this.id });
    response.flushHeaders();
  }

  #receive(message: JSONRPCMessage): void {
    if (!isResponse(message)) {
      // HTTP+SSE does not say which call a message belongs to: it goes where a call is waiting, as it may.
      const stream = this.#posts.at(-1)?.response ?? this.#listener;
      if (stream === undefined) this.#unsent.push(message);
      else this.#write(stream, message);
      return;
    }
    this.#noteVersion(message);
    const { id } = message;
    const post = id === undefined ? undefined : this.#posts.find(({ waiting }) => waiting.has(id));
    if (post === undefined || id === undefined) return;
    this.#write(post.response, message);
    post.waiting.delete(id);
    if (post.waiting.size > 0) return;
    this.#posts.splice(this.#posts.indexOf(post), 1);
    post.response.end();
  }

  #write(stream: ServerResponse, message: JSONRPCMessage): void {
    this.#startEvents(stream);
    stream.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  }

  /** What the SDK's `Client` tells its transport after `initialize`. */
  #noteVersion(message: JSONRPCMessage): void {
    const version = "result" in message && isObject(message.result) ? message.result["protocolVersion"] : undefined;
    if (typeof version === "string") this.#transport.setProtocolVersion(version);
  }
}
