import { AsyncLocalStorage } from "node:async_hooks";
import { waitUntil } from "cloudflare:workers";
import type { JSONRPCMessage, ServerEvent, ServerEventBus } from "@modelcontextprotocol/server";
import { dropOldest } from "../protocol/drop-oldest.ts";
import { isObject } from "../protocol/json-rpc.ts";
import type { Tap } from "../sdk/tap.ts";
import * as link from "../link/link.ts";

/** A change of a list or a resource, as isolates tell it each other. */
interface Change {
  /** Tells it from every other. */
  id: string;
  method: string;
  uri?: string | undefined;
  /** The hash of the principal whose server said it. Absent without a login. */
  owner?: string | undefined;
}

/** What clients hear of by `subscriptions/listen`, and what the SDK calls it. */
const kinds = new Map<string, ServerEvent["kind"]>([
  ["notifications/tools/list_changed", "tools_list_changed"],
  ["notifications/prompts/list_changed", "prompts_list_changed"],
  ["notifications/resources/list_changed", "resources_list_changed"],
  ["notifications/resources/updated", "resource_updated"],
]);

/** The name of the one object through which all isolates hear of changes. */
const objectName = "changes";

/** What happens within it is told together: a request may ask objects a limited number of times. Milliseconds. */
const togetherMs = 20;

/** How many ids are remembered, one for all changes that were told together: more than are on their way at once. */
const maxSeen = 1_000;

/** How long a line that broke waits before it is opened again, milliseconds: at first `least`, then doubled up to `most`. */
const againMs = { least: 200, most: 10_000 };

/** Whose request is served: the SDK does not say who it is that listens. */
const owners = new AsyncLocalStorage<string | undefined>();

/**
 * Tells those who listen (revision 2026-07-28, Subscriptions) what servers say of their lists and resources, in whichever
 * isolate they listen.
 *
 * A server of the stateless revision has one request and no stream beside it, and the SDK drops what it says unasked. This
 * way `sendToolListChanged`, or a tool added at run time, means the same in every lane. Listeners of this isolate are told by
 * the SDK's bus; to the others it goes through one object, which passes on and keeps nothing. While nobody listens no line to
 * it is open.
 *
 * With a login, what the server of one user says is told to this user only, as in sessions: it may be of what is that user's.
 *
 * Loses: what is said while a listener's line is broken. Its lists' `ttlMs` bounds how long it goes by old ones.
 */
export class Changes {
  readonly #namespace: DurableObjectNamespace;
  /** Each who listens in this isolate, with whose request it was. */
  readonly #listeners = new Map<(event: ServerEvent) => void, string | undefined>();
  readonly #seen = new Set<string>();
  #untold: Change[] = [];

  constructor(namespace: DurableObjectNamespace) {
    this.#namespace = namespace;
  }

  /** Where the SDK has those wait who listen. By itself it would tell all of them: it does not know whose a change is. */
  readonly bus: ServerEventBus = {
    subscribe: (listener) => {
      this.#listeners.set(listener, owners.getStore());
      return () => void this.#listeners.delete(listener);
    },
    publish: () => undefined,
  };

  /** Has whoever `serve` lets listen hear of what is `owner`'s. */
  listenAs<Answer>(owner: string | undefined, serve: () => Answer): Answer {
    return owners.run(owner, serve);
  }

  /** Follows what the server of one request says, which is `owner`'s. */
  tap(owner: string | undefined): Tap {
    return {
      say: (message) => {
        const change = changeIn(message);
        if (change !== undefined) this.#tell({ ...change, owner });
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
    const changes = this.#untold.splice(0);
    // The lines of this isolate's listeners bring its own changes back.
    this.#noteIfNew(changes);
    const body = JSON.stringify(changes);
    const headers = link.askHeaders({ verb: "changes-tell" });
    await this.#object().fetch(link.url, { method: "POST", headers, body });
  }

  async #open(): Promise<WebSocket> {
    const headers = { ...link.askHeaders({ verb: "changes-listen" }), upgrade: "websocket" };
    const { webSocket } = await this.#object().fetch(link.url, { headers });
    if (webSocket === null) throw new Error("no line to the object of changes");
    webSocket.accept();
    webSocket.addEventListener("message", ({ data }) => {
      const changes = changesIn(data);
      if (this.#noteIfNew(changes)) for (const change of changes) this.#notify(change);
    });
    return webSocket;
  }

  #object(): DurableObjectStub {
    return this.#namespace.get(this.#namespace.idFromName(objectName));
  }

  /** Whether this isolate hears of changes, which each listener's line brings, for the first time. They go by the id of their first. */
  #noteIfNew([first]: Change[]): boolean {
    if (first === undefined || this.#seen.has(first.id)) return false;
    this.#seen.add(first.id);
    dropOldest(this.#seen, maxSeen);
    return true;
  }

  #notify(change: Change): void {
    const event = eventOf(change);
    if (event === undefined) return;
    for (const [listener, owner] of this.#listeners) if (owner === change.owner) listener(event);
  }
}

function eventOf({ method, uri }: Change): ServerEvent | undefined {
  const kind = kinds.get(method);
  if (kind !== "resource_updated") return kind && { kind };
  return uri === undefined ? undefined : { kind, uri };
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

/** Whether clients hear of it by `subscriptions/listen` (revision 2026-07-28, Subscriptions). */
export function isChange(method: string): boolean {
  return kinds.has(method);
}

function changeIn(message: JSONRPCMessage): Change | undefined {
  if (!("method" in message) || "id" in message) return undefined;
  if (!isChange(message.method)) return undefined;
  return { id: crypto.randomUUID(), method: message.method, uri: textIn(message.params?.["uri"]) };
}

/** What another isolate, perhaps of another release, tells; what is no change is passed over. */
function changesIn(data: unknown): Change[] {
  const told: unknown = typeof data === "string" ? JSON.parse(data) : undefined;
  if (!Array.isArray(told)) return [];
  return told.flatMap((change: unknown) => {
    if (!isObject(change)) return [];
    const { id, method, uri, owner } = change;
    if (typeof id !== "string" || typeof method !== "string") return [];
    return [{ id, method, uri: textIn(uri), owner: textIn(owner) }];
  });
}

function textIn(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function closed(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ["close", "error"] as const) socket.addEventListener(event, () => resolve(), { once: true });
  });
}
