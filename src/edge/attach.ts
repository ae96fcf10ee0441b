import { join } from "../link/joined.ts";
import { holderHeaders } from "../link/caller.ts";
import * as link from "../link/link.ts";
import { findSession } from "./objects.ts";
import type { Uplink } from "./uplink.ts";
import * as refusals from "../protocol/refusals.ts";
import { objectIdIn, secretIn } from "../protocol/session-id.ts";

/** Where a relay attaches. */
export interface AttachTarget {
  sessionId: string;
  kind: link.AttachKind;
  /** The last sequence the client has; `undefined` if it does not say. */
  after: number | undefined;
}

/** What feeds a client's stream, for as long as it lives. Nothing of its GET is kept: thousands of them lie here and are quiet. */
export interface StreamSource {
  /** How POSTs of the session go to its object, if this stream carries them. */
  readonly uplink?: Uplink | undefined;
  /** Opens a WebSocket to a session's object, or gives the refusal. Rejects if the object cannot be reached. */
  attach(target: AttachTarget): Promise<WebSocket | Response>;
  /** Gives an object that crashed what was written for its client lately. Rejects if the object cannot be reached. */
  giveBack(sessionId: string, packed: Uint8Array[]): Promise<void>;
  /** The id by which the object that was attached to knows its session. Absent: the one that was asked for. */
  idOf?(sessionId: string): string;
}

/** The source of `stream`, one of those that a session has. */
export class SessionSource implements StreamSource {
  readonly #uplink: Uplink | undefined;
  /** That of the object that was attached to last. */
  #objectVersion: number = link.version;
  readonly #namespace: DurableObjectNamespace;
  readonly #stream: string;
  /** When the GET arrived, milliseconds since 1970. */
  readonly #openedAtMs: number;
  /** The hash of whose stream it is; empty without a login. */
  readonly #owner: string;

  constructor(
    namespace: DurableObjectNamespace,
    { stream, openedAtMs, owner, uplink }: { stream: string; openedAtMs: number; owner: string; uplink?: Uplink },
  ) {
    this.#namespace = namespace;
    this.#stream = stream;
    this.#openedAtMs = openedAtMs;
    this.#owner = owner;
    this.#uplink = uplink;
  }

  /** An object of version 1 knows no epochs: each POST goes to it by a request. */
  get uplink(): Uplink | undefined {
    return this.#objectVersion === 1 ? undefined : this.#uplink;
  }

  /** An object of version 2 knows no secrets. */
  idOf(sessionId: string): string {
    return this.#objectVersion < 3 ? (objectIdIn(sessionId) ?? sessionId) : sessionId;
  }

  async giveBack(sessionId: string, packed: Uint8Array[]): Promise<void> {
    const headers = this.#headers("return", sessionId);
    await findSession(this.#namespace, sessionId)?.fetch(link.url, {
      method: "POST",
      headers,
      body: join(packed.map(link.plainFrame)),
    });
  }

  async attach({ sessionId, kind, after }: AttachTarget): Promise<WebSocket | Response> {
    const headers = this.#headers("attach", sessionId);
    headers.upgrade = "websocket";
    headers[link.attachHeader] = kind;
    headers[link.versionHeader] = String(link.version);
    if (after !== undefined) headers[link.afterHeader] = String(after);
    if (this.#uplink !== undefined) headers[link.postHeader] = this.#uplink.lastKey;
    const attach = (): Promise<Response> | undefined =>
      findSession(this.#namespace, sessionId)?.fetch(link.url, { headers });
    // The object may go away under the request. Then there is a new one, which the old one's word does not bind.
    const response = (await attach()?.catch(attach)) ?? refusals.unknownSession();
    if (response.webSocket === null) return response;
    this.#objectVersion = link.versionOf(response.headers);
    return response.webSocket;
  }

  #headers(verb: link.Verb, sessionId: string): Record<string, string> {
    return {
      ...holderHeaders({ secret: secretIn(sessionId), owner: this.#owner }),
      [link.verbHeader]: verb,
      [link.streamHeader]: this.#stream,
      [link.openedHeader]: String(this.#openedAtMs),
    };
  }
}
