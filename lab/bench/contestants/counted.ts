import { AsyncLocalStorage } from "node:async_hooks";
import { edge } from "../../../src/index.ts";
import type { Counts } from "../counts.ts";
import { createEchoServer } from "./echo-server.ts";

/** This project with a meter on everything that is billed: `GET /bench/counts` reads it. One session at a time. */
const counts: Counts = { workerRequests: 0, objectRequests: 0, rowsWritten: 0, pinnedMs: 0 };

/** Whether what runs is the object: its Worker shares the globals, and its timers pin nothing. */
const isObject = new AsyncLocalStorage<boolean>();
let pins = 0;
let pinnedSinceMs = 0;

/** Something begins that keeps the object from hibernating; returns what ends it. */
function pin(): () => void {
  if (pins++ === 0) pinnedSinceMs = Date.now();
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--pins === 0) counts.pinnedMs += Date.now() - pinnedSinceMs;
  };
}

async function asObject<Result>(work: () => Promise<Result> | Result): Promise<Result> {
  const unpin = pin();
  try {
    return await isObject.run(true, work);
  } finally {
    unpin();
  }
}

const unpins = new Map<unknown, () => void>();
const {
  setTimeout: startTimeout,
  clearTimeout: endTimeout,
  setInterval: startInterval,
  clearInterval: endInterval,
} = globalThis;

function unpinTimer(timer: unknown): void {
  unpins.get(timer)?.();
  unpins.delete(timer);
}

// The global declarations have overloads that no implementation can satisfy without a cast.
globalThis.setTimeout = ((run: () => void, ms?: number) => {
  if (isObject.getStore() !== true) return startTimeout(run, ms);
  const timer = startTimeout(() => {
    unpinTimer(timer);
    run();
  }, ms);
  unpins.set(timer, pin());
  return timer;
}) as never;
globalThis.clearTimeout = ((timer: never) => {
  unpinTimer(timer);
  endTimeout(timer);
}) as never;
globalThis.setInterval = ((run: () => void, ms?: number) => {
  const timer = startInterval(run, ms);
  if (isObject.getStore() === true) unpins.set(timer, pin());
  return timer;
}) as never;
globalThis.clearInterval = ((timer: never) => {
  unpinTimer(timer);
  endInterval(timer);
}) as never;

/** Counts the rows that `target[method]` writes. */
function countRows(target: object, method: string, rowsOf: (result: unknown, args: unknown[]) => number): void {
  const methods = target as Record<string, (...args: unknown[]) => unknown>;
  const original = methods[method];
  if (original === undefined) throw new TypeError(`there is no ${method} to count`);
  methods[method] = function counted(this: unknown, ...args: unknown[]) {
    const result = original.apply(this, args);
    counts.rowsWritten += rowsOf(result, args);
    return result;
  };
}

let isMetered = false;

/** The prototypes are only to be had from an object's own storage. */
function meter(storage: DurableObjectStorage): void {
  if (isMetered) return;
  isMetered = true;
  const one = (): number => 1;
  countRows(Object.getPrototypeOf(storage.kv), "put", one);
  countRows(Object.getPrototypeOf(storage.kv), "delete", (existed) => (existed === false ? 0 : 1));
  const prototype: object = Object.getPrototypeOf(storage);
  countRows(prototype, "put", (_result, [key]) => (typeof key === "string" ? 1 : Object.keys(key as object).length));
  countRows(prototype, "delete", (_result, [key]) => (Array.isArray(key) ? key.length : 1));
  countRows(prototype, "setAlarm", one);
  countRows(prototype, "deleteAlarm", one);
  countRows(prototype, "deleteAll", one);
  const { sql } = storage;
  countRows(Object.getPrototypeOf(sql), "exec", (cursor) => (cursor as SqlStorageCursor<never>).rowsWritten);
}

/** Its clocks run fast, so that the end of a session is seen too: a lost client is noticed at the next keep-alive. */
const app = edge(createEchoServer, { keepAliveMs: 500, sessionIdleMs: 2_000 });

export class Session extends app.Session {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    meter(ctx.storage);
    super(ctx, env);
  }

  override fetch(request: Request): Promise<Response> {
    counts.objectRequests += 1;
    return asObject(() => super.fetch(request));
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    void asObject(() => super.webSocketClose(socket, code));
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    // Messages that come in are charged as a twentieth of a request.
    counts.objectRequests += 1 / 20;
    return asObject(() => super.webSocketMessage(socket, message));
  }

  override alarm(): Promise<void> {
    counts.objectRequests += 1;
    return asObject(() => super.alarm());
  }
}

export default {
  async fetch(request: Request, env: Cloudflare.Env): Promise<Response> {
    if (new URL(request.url).pathname === "/bench/counts") return Response.json(counts);
    counts.workerRequests += 1;
    return await app.fetch(request, env);
  },
};
