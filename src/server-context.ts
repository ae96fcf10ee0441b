import type { McpRequestContext } from "@modelcontextprotocol/server";

/**
 * A small key-value store that belongs to one session.
 *
 * On the edge it is the session's own SQLite and survives eviction, crashes and deploys; over stdio it is the process.
 * Values are JSON: plain objects, arrays, strings, finite numbers, booleans and null, and come back as they were.
 */
export interface SessionMemory {
  /** The value stored under `key`, or `undefined`. */
  get(key: string): unknown;
  /**
   * Stores `value` under `key`. It is durable before any answer that is sent afterwards.
   * @throws {RangeError} if the session would hold more than `maxMemoryBytes`, keys and JSON as UTF-8; if `value` is not
   * JSON, or JSON would change it (a Map, a Date, an instance of a class, undefined, NaN, a gap in an array, a cycle, a thousand levels, what is not enumerable), which
   * says where; or if `key` is no text, or holds half of a surrogate pair. In a value such a half becomes U+FFFD, and -0 is 0.
   */
  set(key: string, value: unknown): void;
  /** Forgets `key`; false if there was nothing. */
  delete(key: string): boolean;
  /** All keys, in order. */
  keys(): string[];
}

/**
 * A small key-value store that belongs to one user: all sessions, and all requests of the stateless revision, of one principal
 * share it, wherever on the edge they are.
 *
 * On the edge it is an object of the user's own, which does one thing after the other: of two that write different keys at
 * once, neither is lost. Over stdio it is the process. Values are JSON, as those of {@linkcode SessionMemory}.
 */
export interface UserMemory {
  /** Resolves with the value stored under `key`, or `undefined`. */
  get(key: string): Promise<unknown>;
  /**
   * Stores `value` under `key`; it is durable once this resolves.
   * Rejects with a `RangeError` if the user would have more than `maxMemoryBytes`, or if `value` is not JSON, or `key` no text.
   */
  set(key: string, value: unknown): Promise<void>;
  /** Forgets `key`; resolves with false if there was nothing. */
  delete(key: string): Promise<boolean>;
  /** Resolves with all keys, in order. */
  keys(): Promise<string[]>;
  /** Forgets everything: nothing of the user is stored any more. */
  clear(): Promise<void>;
}

/** Who a server is built for. */
export interface User {
  /** The principal, as `auth` says it: the name of a key, or `issuer|subject`. The same in all sessions of one user. */
  id: string;
  /** What belongs to this user, not to a session. */
  memory: UserMemory;
}

/** What {@linkcode ServerFactory} is told about the server it is to build. */
export interface ServerContext<Env = Cloudflare.Env> extends McpRequestContext {
  /**
   * The HTTP request that made the server necessary: of a session the one that initialized it, and after an eviction the one
   * that woke it, or brought a call that is run again; in the stateless revision the one that is answered. Its body has been
   * read, and its headers cannot be changed. Absent over stdio. What belongs to a single call is in `ctx.http`.
   */
  requestInfo?: Request;
  /**
   * Whose session or request it is. Absent without the option `auth`. Over stdio, whoever started the process: `id` is
   * `local`, and `memory` that of the process. What belongs to a single call, as the scopes of its token, is in `ctx.http.authInfo`.
   */
  user?: User;
  /** The bindings of wrangler.toml on the edge; the environment variables over stdio. */
  env: Env;
  /** Absent in the stateless revision 2026-07-28, which has no sessions. Over stdio it is there: the process is the session. */
  memory?: SessionMemory;
}

/**
 * A server of the official SDK: `McpServer` or `Server` of `@modelcontextprotocol/server`, or either of the v1 package
 * `@modelcontextprotocol/sdk`. (`never` accepts both: their `Transport` types have no common name.)
 */
export interface AnyServer {
  /** Takes a transport, and speaks on it from then on. */
  connect(transport: never): Promise<void>;
  /** Ends what it speaks on. */
  close(): Promise<void>;
}

/**
 * Builds one server: for a session, for a stateless request, or for a stdio connection.
 * It runs again when a session's object was evicted, so it only registers; what must last goes into `memory`.
 */
export type ServerFactory<Env = Cloudflare.Env> = (context: ServerContext<Env>) => AnyServer | Promise<AnyServer>;
