import { waitUntil } from "cloudflare:workers";
import type { EventId } from "../protocol/event-id.ts";
import * as link from "../link/link.ts";
import { findSession } from "./objects.ts";
import type { Uplink } from "./uplink.ts";
import * as refusals from "../protocol/refusals.ts";
import { objectIdIn, secretIn } from "../protocol/session-id.ts";

/** Where a relay attaches. */
export interface AttachTarget extends Pick<link.AttachRequest, "session" | "position"> {
  sessionId: string;
}

/** How far a client says it is by `Last-Event-ID`, if it does. */
export function clientsPosition(last: EventId | undefined): link.Position | undefined {
  return last && { after: last.sequence, saidBy: "client" };
}

/** What feeds a client's stream, for as long as it lives. Nothing of its GET is kept: thousands of them lie here and are quiet. */
export interface StreamSource {
  /** How POSTs of the session go to its object, if this stream carries them. */
  readonly uplink?: Uplink | undefined;
  /** Opens a WebSocket to a session's object, or gives the refusal. Rejects if the object cannot be reached. */
  attach(target: AttachTarget): Promise<WebSocket | Response>;
  /** Gives an object that crashed what was written for its client lately. Rejects if the object cannot take it now. */
  giveBack(sessionId: string, packed: Uint8Array[]): Promise<void>;
  /** Has `work` go on after the client has gone. */
  goOn?(work: Promise<unknown>): void;
  /** The id by which the object that was attached to knows its session. Absent: the one that was asked for. */
  idOf?(sessionId: string): string;
}

interface SessionSourceOptions {
  namespace: DurableObjectNamespace;
  stream: string;
  /** When the GET arrived, milliseconds since 1970. */
  openedAtMs: number;
  /** The hash of whose stream it is; empty without a login. */
  owner: string;
  uplink?: Uplink;
}

/** The source of `stream`, one of those that a session has. */
export class SessionSource implements StreamSource {
  readonly #options: SessionSourceOptions;
  /** That of the object that was attached to last. */
  #objectVersion: number = link.version;

  constructor(options: SessionSourceOptions) {
    this.#options = options;
  }

  get uplink(): Uplink | undefined {
    return link.takesPosts(this.#objectVersion) ? this.#options.uplink : undefined;
  }

  /** The session's id as the object that was attached to last knows it. */
  idOf(sessionId: string): string {
    return link.knowsSecrets(this.#objectVersion) ? sessionId : (objectIdIn(sessionId) ?? sessionId);
  }

  goOn(work: Promise<unknown>): void {
    waitUntil(work);
  }

  async giveBack(sessionId: string, packed: Uint8Array[]): Promise<void> {
    const headers = link.askHeaders({ verb: "return", ...this.#endOf(sessionId) });
    const body = link.join(packed.map(link.plainFrame));
    const object = findSession(this.#options.namespace, sessionId);
    const taken = await object?.fetch(link.url, { method: "POST", headers, body });
    if (taken !== undefined && taken.status >= 500) throw new Error(`${taken.status}`);
  }

  async attach({ sessionId, session, position }: AttachTarget): Promise<WebSocket | Response> {
    const { namespace, uplink } = this.#options;
    const request = { ...this.#endOf(sessionId), session, position, lastPost: uplink?.lastKey };
    const headers = { ...link.askHeaders({ verb: "attach", attach: request }), upgrade: "websocket" };
    const attach = (): Promise<Response> | undefined => findSession(namespace, sessionId)?.fetch(link.url, { headers });
    // The object may go away under the request. Then there is a new one, which the old one's word does not bind.
    const response = (await attach()?.catch(attach)) ?? refusals.unknownSession();
    if (response.webSocket === null) return response;
    this.#objectVersion = link.versionOf(response.headers);
    return response.webSocket;
  }

  #endOf(sessionId: string): link.StreamEnd {
    const { stream, openedAtMs, owner } = this.#options;
    return { stream, openedAtMs, holder: { secret: secretIn(sessionId), owner } };
  }
}
