import { type DurableObject, env as bindings } from "cloudflare:workers";
import { checkedAuth } from "./auth/authenticate.ts";
import { checkedFactory } from "./sdk/build-server.ts";
import { checkObject } from "./option-checks.ts";
import { type EdgeOptions, resolveOptions, type Settings } from "./options.ts";
import * as refusals from "./protocol/refusals.ts";
import type { ServerFactory } from "./server-context.ts";
import { SessionObject } from "./session/object.ts";
import { convertSchemasOnce } from "./sdk/convert-once.ts";
import { namespaceOf } from "./link/namespace.ts";
import { acceptOtherCopies } from "./sdk/sdk-v2.ts";
import { withBoundHosts, withCors, withoutOddHeaders } from "./edge/gate.ts";
import { answerInspection } from "./edge/inspect.ts";
import { route } from "./edge/router.ts";
import { answerStateless, createStatelessServer, type StatelessServer } from "./edge/stateless.ts";
import { logUnawaited } from "./edge/unawaited.ts";
import { mendTimers } from "./edge/timers.ts";
import { fillConsole } from "./edge/full-console.ts";
import { keptAwake } from "./stream/late-answer.ts";
import { refuseExit } from "./edge/no-exit.ts";

convertSchemasOnce();
acceptOtherCopies();
refuseExit();
fillConsole();
mendTimers();

/** The object of one session: the platform calls it, a class of yours may extend it, and nobody else has to do with it. */
export interface SessionInstance<Env> extends DurableObject<Env> {
  /** Answers what a Worker asks it. Never rejects: a fault becomes 500 with its number in the log. */
  fetch(request: Request): Promise<Response>;
  /** What is due: the end of a session that nobody came back to, or a look at a call that was interrupted. */
  alarm(info?: AlarmInvocationInfo): Promise<void>;
  /** What the Worker says that holds a client's stream. */
  webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void | Promise<void>;
  /** That stream is gone, by its Worker's word. */
  webSocketClose(socket: WebSocket, code: number): void;
  /** It is gone without a word. */
  webSocketError(socket: WebSocket): void;
}

/** What `edge` makes: a Durable Object class to export under the binding's class name, and a fetch handler. */
export interface EdgeApp<Env> {
  /** The class of the Durable Objects: one for each session. Export it under the name that wrangler.toml binds. */
  Session: new (ctx: DurableObjectState, env: Env) => SessionInstance<Env>;
  /**
   * Answers MCP at `ssePath`, at `mcpPath` and at `message` below either, `/health`, and with `jwt` or `withResource` the documents
   * below `/.well-known/`; anything else is a file of the page, or 404. Never rejects: a fault becomes 500 with its number in the
   * log. `ctx` is for `auth`: `fromContext` finds in it who logged in.
   */
  fetch(request: Request, env: Env, ctx?: ExecutionContext): Promise<Response>;
}

/**
 * Publishes the servers that `factory` builds over HTTP+SSE (`/sse`), Streamable HTTP and the stateless revision
 * 2026-07-28 (`/mcp`): MCP, transports, of 2024-11-05 and of every revision since.
 *
 * @param factory `createServer`: builds one server: for a session, or for one stateless request.
 * @param options see {@linkcode EdgeOptions}; all have defaults. If wrangler.toml binds no Durable Object under the name of `binding`,
 * each request is an incident, 500, that says so in the log.
 * @throws {RangeError} at start-up for an option that cannot be; {TypeError} for a `factory` or an `auth` that cannot be.
 */
export function edge<Env = Cloudflare.Env>(factory: ServerFactory<Env>, options: EdgeOptions<Env> = {}): EdgeApp<Env> {
  const createServer = checkedFactory(factory);
  checkObject("edge", options);
  const { auth: chosen, ...others } = options;
  const settings = resolveOptions(others);
  // Also one that turned out to be undefined is refused: that server was not meant to be open.
  const auth = "auth" in options ? checkedAuth<Env>(chosen) : undefined;
  logUnawaited();
  let stateless: StatelessServer | undefined;
  let bound: Settings | undefined;

  // The bindings are the same for every request; asked for late, because a module is loaded before they are there.
  const statelessServer = (): StatelessServer =>
    (stateless ??= createStatelessServer(createServer, {
      env: bindings as Env,
      namespace: namespaceOf(bindings, settings.binding),
      settings,
    }));

  class Session extends SessionObject<Env> {
    constructor(ctx: DurableObjectState, objectEnv: Env) {
      super(ctx, objectEnv, {
        createServer,
        settings,
        answer: (request, body) => keptAwake(answerStateless(request, body, statelessServer()), settings.keepAliveMs),
      });
    }
  }

  const answer = (request: Request, requestEnv: Env, ctx?: ExecutionContext): Promise<Response> => {
    const namespace = namespaceOf(requestEnv, settings.binding);
    bound ??= withBoundHosts(settings, requestEnv);
    // The name is ours: a project with files of its own binds them under another.
    const { PAGE: page } = requestEnv as { PAGE?: Fetcher };
    const served = { namespace, page, settings: bound, stateless: statelessServer() };
    return route(request, served, auth && { auth, env: requestEnv, ctx });
  };

  return {
    Session,
    async fetch(received, requestEnv, ctx) {
      if (process.env["NODE_ENV"] === "development") {
        const inspected = await answerInspection(received, requestEnv, settings.binding);
        if (inspected !== undefined) return inspected;
      }
      const request = withoutOddHeaders(received);
      let response: Response;
      try {
        response = await answer(request, requestEnv, ctx);
      } catch (error) {
        response = refusals.incident(error);
      }
      return withCors(request.method === "HEAD" ? new Response(null, response) : response, request);
    },
  };
}
