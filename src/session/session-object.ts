import { DurableObject } from "cloudflare:workers";
import * as refusals from "../protocol/refusals.ts";
import * as link from "./link.ts";
import { Session, type SessionOptions } from "./session.ts";

export type SessionObjectOptions<Env> = Pick<SessionOptions<Env>, "createServer" | "settings">;

/**
 * The Durable Object of one session. It is built when the first event comes, which says whether there can be anything to
 * read: most objects are new, and to open a database takes longer than all else that they do for a stream.
 */
export class SessionObject<Env> extends DurableObject<Env> {
  readonly #options: SessionObjectOptions<Env>;
  #session: Session<Env> | undefined;

  constructor(ctx: DurableObjectState, env: Env, options: SessionObjectOptions<Env>) {
    super(ctx, env);
    this.#options = options;
    // Woken from hibernation, perhaps by the close of a socket, which is open no more once that event is here.
    if (ctx.getWebSockets().length > 0) this.#begun();
  }

  /** Every request comes through our own Worker, see `link.ts`. */
  override async fetch(request: Request): Promise<Response> {
    try {
      const verb = link.verbOf(request);
      const kind = request.headers.get(link.attachHeader) as link.AttachKind | null;
      // The verb first: a client's message may have any header.
      const isNew = verb === "mcp-initialize" || (verb === "attach" && kind === "new");
      return await this.#begun(isNew).fetch(verb, request);
    } catch (error) {
      return refusals.incident(error);
    }
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> | void {
    return this.#begun().webSocketMessage(socket, message);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#begun().webSocketClose(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    this.#begun().detach(socket);
  }

  override alarm(info?: AlarmInvocationInfo): Promise<void> {
    return this.#begun().alarm(info);
  }

  #begun(isNew = false): Session<Env> {
    return (this.#session ??= new Session({ ctx: this.ctx, env: this.env, isNew, ...this.#options }));
  }
}
