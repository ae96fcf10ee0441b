import { DurableObject } from "cloudflare:workers";
import { steadyNow } from "../steady-clock.ts";
import * as refusals from "../protocol/refusals.ts";
import { shortHash } from "../protocol/hash.ts";
import { inspectHeader, noteSeen } from "../link/inspection.ts";
import * as link from "../link/link.ts";
import { namespaceOf } from "../link/namespace.ts";
import type { Clock } from "./clock.ts";
import { inspectSession } from "./inspect.ts";
import { isLine, isOfChanges, listenForChanges, tellChanges } from "./changes.ts";
import { dropRows } from "./stored/rows.ts";
import { Session, type SessionOptions } from "./session.ts";
import { StoredUserMemory } from "./stored/user-memory.ts";
import { UnreadableRow } from "./stored/stored-format.ts";
import { TaskBook } from "./tasks/task-book.ts";
import { TaskObject, type TaskOptions } from "./tasks/task.ts";

export type SessionObjectOptions<Env> = Pick<SessionOptions<Env>, "createServer" | "settings"> &
  Pick<TaskOptions, "answer">;

const clock: Clock = steadyNow;

/** How long an object stays after its session's end, milliseconds: what it said last is on its way by then. */
const lingerMs = 1_000;

/** How long, if a client had not read all that was written for it. */
const unreadLingerMs = 60_000;

/** What an object is for: one of these, which it has in memory. `undefined`: nothing of it was read yet. */
type Role<Env> = Session<Env> | TaskObject | StoredUserMemory | TaskBook | undefined;

/**
 * The Durable Object of one session. It is built when the first event comes, which says whether there can be anything to
 * read: most objects are new, and to open a database takes longer than all else that they do for a stream.
 */
export class SessionObject<Env> extends DurableObject<Env> {
  readonly #options: SessionObjectOptions<Env>;
  #role: Role<Env>;
  /** Events that are being handled. */
  #busy = 0;
  #leaveTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(ctx: DurableObjectState, env: Env, options: SessionObjectOptions<Env>) {
    super(ctx, env);
    this.#options = options;
    // Woken from hibernation, perhaps by the close of a socket, which is open no more once that event is here.
    if (ctx.getWebSockets().length > 0 && !isOfChanges(ctx)) this.#begun();
  }

  /** Every request comes through our own Worker, see `link.ts`. */
  override async fetch(request: Request): Promise<Response> {
    if (process.env["NODE_ENV"] === "development" && request.headers.has(inspectHeader)) {
      const isSession =
        !(this.#role instanceof StoredUserMemory) && !isOfChanges(this.ctx) && this.#storedTask() === undefined;
      return Response.json(isSession ? await inspectSession(this.#begun()) : null);
    }
    this.#busy += 1;
    try {
      return await this.#answer(request);
    } catch (error) {
      return refusals.incident(error);
    } finally {
      this.#busy -= 1;
      this.#leaveIfOver();
    }
  }

  #answer(request: Request): Response | Promise<Response> {
    const ask = link.parseAsk(request.headers);
    if (ask === undefined) {
      link.logUnknown("worker");
      return refusals.otherRelease();
    }
    if (ask.verb === "changes-listen") return listenForChanges(this.ctx);
    if (ask.verb === "changes-tell") return tellChanges(this.ctx, request);
    if (ask.verb === "user-memory") return this.#userMemory().answer(request);
    if (ask.verb === "task-book") return (this.#role = this.#openBook()).answer(request);
    // Its id is no secret, and no session's.
    if (!(this.#role instanceof Session) && isOfChanges(this.ctx)) return refusals.unknownSession();
    if (ask.verb === "task-call") return (this.#role = this.#openTask({ isNew: true })).call(request);
    const isNew = ask.verb === "mcp-initialize" || (ask.verb === "attach" && ask.attach.session === "new");
    const task = isNew ? undefined : this.#storedTask();
    if (ask.verb === "task-question") return this.#askTask(task, request);
    // Its id is no session's.
    if (task !== undefined) return refusals.unknownSession();
    return this.#begun(isNew).fetch(ask, request);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> | void {
    if (this.#isLine(socket)) return;
    return this.#begun().webSocketMessage(socket, message);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    if (this.#isLine(socket)) return;
    this.#begun().webSocketClose(socket, code);
    this.#leaveIfOver();
  }

  override webSocketError(socket: WebSocket): void {
    if (this.#isLine(socket)) return;
    this.#begun().detach(socket);
    this.#leaveIfOver();
  }

  /** To ask the platform takes longer than to know that there is a session. */
  #isLine(socket: WebSocket): boolean {
    return !(this.#role instanceof Session) && isLine(this.ctx, socket);
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    const own = this.#storedTask() ?? this.#storedBook();
    this.#busy += 1;
    try {
      await (own?.alarm() ?? this.#begun().alarm(info));
    } finally {
      this.#busy -= 1;
      this.#leaveIfOver();
    }
  }

  /**
   * Once its session is over, the object is to be gone with all that a tool left behind: a timer of its would go on, and
   * keep it in memory. Whoever comes later finds a new object that knows of nothing, and is told so.
   */
  #leaveIfOver(): void {
    // A call that waits for its client may be large: nothing of it stays in memory.
    if (this.#busy === 0 && this.#role instanceof TaskObject && this.#role.isResting) this.#role = undefined;
    if (!this.#isOver) return;
    this.#leaveTimer ??= setTimeout(
      () => {
        this.#leaveTimer = undefined;
        // A request may have come, after which this is asked again, or a relay.
        if (this.#busy === 0 && this.#isOver) this.ctx.abort(link.overReason);
      },
      this.#role instanceof Session && this.#role.hasUnreadAtEnd ? unreadLingerMs : lingerMs,
    );
  }

  get #isOver(): boolean {
    return (this.#role instanceof Session || this.#role instanceof TaskObject) && this.#role.isOver;
  }

  /** The task of this object, if it has one. */
  #storedTask(): TaskObject | undefined {
    if (this.#role instanceof TaskObject) return this.#role;
    if (this.#role instanceof Session) return undefined;
    const task = this.#openTask({ isNew: false });
    return task.isStored ? (this.#role = task) : undefined;
  }

  async #askTask(task: TaskObject | undefined, request: Request): Promise<Response> {
    try {
      if (task !== undefined) return await task.answer(request);
    } catch (error) {
      if (!(error instanceof UnreadableRow)) throw error;
      // How it ended is read only when it is asked for.
      this.#deleteUnreadable(error);
      this.#role = undefined;
    }
    return Response.json(null);
  }

  #openTask({ isNew }: { isNew: boolean }): TaskObject {
    const { ctx, env } = this;
    const { settings, answer } = this.#options;
    const namespace = namespaceOf(env, settings.binding);
    const options = { clock, ctx, namespace, settings, answer, onRunEnded: () => this.#leaveIfOver() };
    return this.#readable((again) => new TaskObject({ ...options, isNew: isNew || again }));
  }

  /** Where tasks are counted, if this object is that and counts any. */
  #storedBook(): TaskBook | undefined {
    if (this.#role instanceof Session || this.#role instanceof StoredUserMemory) return undefined;
    const book = this.#openBook();
    return book.isEmpty ? undefined : book;
  }

  #openBook(): TaskBook {
    if (this.#role instanceof TaskBook) return this.#role;
    const { maxTasks } = this.#options.settings;
    return this.#readable(() => new TaskBook({ clock, storage: this.ctx.storage, maxTasks }));
  }

  #userMemory(): StoredUserMemory {
    if (this.#role instanceof StoredUserMemory) return this.#role;
    return (this.#role = new StoredUserMemory(this.ctx.storage, this.#options.settings.maxMemoryBytes));
  }

  #begun(isNew = false): Session<Env> {
    if (process.env["NODE_ENV"] === "development") noteSeen(this.ctx.id.toString());
    if (this.#role instanceof Session) return this.#role;
    const { ctx, env } = this;
    const open = (again: boolean): Session<Env> =>
      new Session({ clock, ctx, env, isNew: isNew || again, ...this.#options });
    return (this.#role = this.#readable(open));
  }

  /** What is stored and cannot be read would keep the session from every request, and from its end: it goes, as a whole. */
  #readable<Stored>(open: (isEmpty: boolean) => Stored): Stored {
    try {
      return open(false);
    } catch (error) {
      if (!(error instanceof UnreadableRow)) throw error;
      this.#deleteUnreadable(error);
      return open(true);
    }
  }

  #deleteUnreadable(error: UnreadableRow): void {
    const { ctx } = this;
    ctx.waitUntil(tellUnreadable(ctx.id.toString(), error));
    dropRows(ctx.storage.sql);
    ctx.waitUntil(ctx.storage.deleteAll());
    for (const socket of ctx.getWebSockets()) socket.close(link.closeCode.ended, "the session cannot be read");
  }
}

async function tellUnreadable(objectId: string, { message }: UnreadableRow): Promise<void> {
  const session = await shortHash(objectId);
  console.error(JSON.stringify({ event: "unreadable", session, error: `${message}. All of it is deleted.` }));
}
