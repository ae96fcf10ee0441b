import { env as bindings } from "cloudflare:workers";
import { checkedFactory } from "./sdk/build-server.ts";
import { type EdgeOptions, resolveOptions, type Settings } from "./options.ts";
import * as refusals from "./protocol/refusals.ts";
import type { ServerFactory } from "./server-context.ts";
import { SessionObject } from "./session/object.ts";
import { convertSchemasOnce } from "./sdk/convert-once.ts";
import { acceptOtherCopies } from "./sdk/sdk-v2.ts";
import { withBoundHosts, withCors, withoutOurHeaders } from "./edge/gate.ts";
import { route } from "./edge/router.ts";
import { createStatelessLane, type StatelessLane } from "./edge/stateless.ts";
import { logUnawaited } from "./edge/unawaited.ts";

convertSchemasOnce();
acceptOtherCopies();

/** What `edge` makes: a Durable Object class to export under the binding's class name, and a fetch handler. */
export interface EdgeApp<Env> {
  /** The class of the Durable Objects: one for each session. Export it under the name that wrangler.toml binds. */
  Session: new (ctx: DurableObjectState, env: Env) => SessionObject<Env>;
  /** Answers what comes to `ssePath` and `mcpPath`; anything else is 404. Never rejects: a fault becomes 500 with its number in the log. */
  fetch(request: Request, env: Env): Promise<Response>;
}

/**
 * Publishes the servers that `factory` builds over HTTP+SSE (`/sse`), Streamable HTTP and the stateless revision
 * 2026-07-28 (`/mcp`): MCP, transports, of 2024-11-05 and of every revision since.
 *
 * @param factory `createServer`: builds one server: for a session, or for one stateless request.
 * @param options see {@linkcode EdgeOptions}; all have defaults.
 * @throws {RangeError} at start-up for an option that cannot be.
 * @throws {TypeError} on a request, if wrangler.toml has no Durable Object binding of the name `options.binding`.
 */
export function edge<Env = Cloudflare.Env>(factory: ServerFactory<Env>, options: EdgeOptions = {}): EdgeApp<Env> {
  const createServer = checkedFactory(factory);
  const settings = resolveOptions(options);
  logUnawaited();
  // The bindings are the same for every request; asked for late, because a module is loaded before they are there.
  const env = (): Env => bindings as Env;
  let stateless: StatelessLane | undefined;
  let bound: Settings | undefined;

  class Session extends SessionObject<Env> {
    constructor(ctx: DurableObjectState, objectEnv: Env) {
      super(ctx, objectEnv, { createServer, settings });
    }
  }

  const answer = async (request: Request, requestEnv: Env): Promise<Response> => {
    const namespace = namespaceOf(requestEnv, settings.binding);
    bound ??= withBoundHosts(settings, requestEnv);
    stateless ??= createStatelessLane(createServer, { env, settings });
    return await route(request, { namespace, settings: bound, stateless });
  };

  return {
    Session,
    async fetch(received, requestEnv) {
      const request = withoutOurHeaders(received);
      const response = await answer(request, requestEnv).catch((error: unknown) => refusals.incident(error));
      return withCors(request.method === "HEAD" ? new Response(null, response) : response, request);
    },
  };
}

function namespaceOf(env: unknown, binding: string): DurableObjectNamespace {
  const namespace = (env as Record<string, DurableObjectNamespace | undefined>)[binding];
  if (namespace === undefined) {
    throw new TypeError(
      `wrangler.toml has no Durable Object binding named ${binding}: see its [[durable_objects.bindings]].`,
    );
  }
  return namespace;
}
