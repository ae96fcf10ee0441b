import { waitUntil } from "cloudflare:workers";
import type { JSONRPCMessage, ServerNotifier } from "@modelcontextprotocol/server";
import { isObject } from "../protocol/json-rpc.ts";
import type { Tap } from "../sdk/tap.ts";
import * as link from "../link/link.ts";

/** A change of a list or a resource, as isolates tell it each other. */
interface Change {
  /** Tells it from every other: an isolate hears of one as often as it has listeners. */
  id: string;
  method: string;
  uri?: string | undefined;
}

/** The name of the one object through which all isolates hear of changes. */
const objectName = "changes";

/** What happens within it is told together: a request may ask objects a limited number of times. Milliseconds. */
const togetherMs = 20;

/** How many ids are remembered: more than are on their way at once. */
const maxSeen = 1_000;

/** How long a line that broke waits before it is opened again, milliseconds: doubled each time, up to the second. */
const againMs = { least: 200, most: 10_000 };

/**
 * Tells those who listen (revision 2026-07-28, Subscriptions) what servers say of their lists and resources, in whichever
 * isolate they listen.
 *
 * A server of the stateless revision has one request and no stream beside it, and the SDK drops what it says unasked. This
 * way `sendToolListChanged`, or a tool added at run time, means the same in every lane. Listeners of this isolate are told by
 * the SDK's notifier; to the others it goes through one object, which passes on and keeps nothing. While nobody listens no
 * line to it is open.
 *
 * Loses: what is said while a listener's line is broken. Its lists' `ttlMs` bounds how long it goes by old ones.
 */
export class Changes {
  readonly #notifier: ServerNotifier;
  readonly #namespace: () => DurableObjectNamespace;
  readonly #seen = new Set<string>();
  #untold: Change[] = [];

  constructor(notifier: ServerNotifier, namespace: () => DurableObjectNamespace) {
    this.#notifier = notifier;
    this.#namespace = namespace;
  }

  /** Follows what one server says. */
  tap(): Tap {
    return {
      say: (message) => {
        const change = changeIn(message);
        if (change !== undefined) this.#tell(change);
        return message;
      },
    };
  }

  /** Hears what other isolates tell, in the request of a client that listens, until it is ended. */
  listen(): Line {
    const line = new Line(() => this.#open());
    void line.keepOpen();
    return line;
  }

  #tell(change: Change): void {
    this.#notify(change);
    this.#untold.push(change);
    if (this.#untold.length === 1) waitUntil(this.#tellOthers());
  }

  async #tellOthers(): Promise<void> {
    await scheduler.wait(togetherMs);
    const body = JSON.stringify(this.#untold.splice(0));
    const headers = link.askHeaders({ verb: "changes-tell" });
    await this.#object().fetch(link.url, { method: "POST", headers, body });
  }

  async #open(): Promise<WebSocket> {
    const headers = { ...link.askHeaders({ verb: "changes-listen" }), upgrade: "websocket" };
    const { webSocket } = await this.#object().fetch(link.url, { headers });
    if (webSocket === null) throw new Error("no line to the object of changes");
    webSocket.accept();
    webSocket.addEventListener("message", ({ data }) => {
      for (const change of changesIn(data)) if (!this.#seen.has(change.id)) this.#notify(change);
    });
    return webSocket;
  }

  #object(): DurableObjectStub {
    const namespace = this.#namespace();
    return namespace.get(namespace.idFromName(objectName));
  }

  #notify({ id, method, uri }: Change): void {
    this.#seen.add(id);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= maxSeen) break;
      this.#seen.delete(oldest);
    }
    switch (method) {
      case "notifications/tools/list_changed":
        return this.#notifier.toolsChanged();
      case "notifications/prompts/list_changed":
        return this.#notifier.promptsChanged();
      case "notifications/resources/list_changed":
        return this.#notifier.resourcesChanged();
      case "notifications/resources/updated":
        if (uri !== undefined) this.#notifier.resourceUpdated(uri);
    }
  }
}

/** A WebSocket to the object of changes, opened again whenever it breaks. */
class Line {
  readonly #open: () => Promise<WebSocket>;
  #socket: WebSocket | undefined;
  #isOver = false;

  constructor(open: () => Promise<WebSocket>) {
    this.#open = open;
  }

  async keepOpen(): Promise<void> {
    let waitMs = againMs.least;
    while (!this.#isOver) {
      this.#socket = await this.#open().catch(() => undefined);
      if (this.#socket !== undefined) {
        waitMs = againMs.least;
        await closed(this.#socket);
      }
      await scheduler.wait(waitMs);
      waitMs = Math.min(2 * waitMs, againMs.most);
    }
  }

  end(): void {
    this.#isOver = true;
    try {
      this.#socket?.close();
    } catch {
      // Ended by another client's request, which has no say over this one's sockets: it is closed with its own.
    }
  }
}

function changeIn(message: JSONRPCMessage): Change | undefined {
  if (!("method" in message) || "id" in message) return undefined;
  if (!/^notifications\/((tools|prompts|resources)\/list_changed|resources\/updated)$/.test(message.method))
    return undefined;
  const uri = message.params?.["uri"];
  return { id: crypto.randomUUID(), method: message.method, uri: typeof uri === "string" ? uri : undefined };
}

/** What another isolate, perhaps of another release, tells; what is no change is passed over. */
function changesIn(data: unknown): Change[] {
  const told: unknown = typeof data === "string" ? JSON.parse(data) : undefined;
  if (!Array.isArray(told)) return [];
  return told.flatMap((change: unknown) => {
    if (!isObject(change)) return [];
    const { id, method, uri } = change;
    if (typeof id !== "string" || typeof method !== "string") return [];
    return [{ id, method, uri: typeof uri === "string" ? uri : undefined }];
  });
}

function closed(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ["close", "error"] as const) socket.addEventListener(event, () => resolve(), { once: true });
  });
}
