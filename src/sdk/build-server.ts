import { tellTerminal, watchHandlers } from "../development.ts";
import { isTellable, textOf } from "../protocol/thrown.ts";
import type { AnyServer, ServerContext, ServerFactory } from "../server-context.ts";
import { answerAlways } from "./answerable.ts";
import { protocolOf } from "./handlers.ts";

/** How long `createServer` may take, milliseconds: its client waits, and the clients that give up soonest do so after 30 s. */
const maxBuildMs = 25_000;

/**
 * A `createServer` whose result is known to be a server that nobody has yet, and that answers whatever happens in it.
 * @throws {TypeError} if it is no function; on a call, with what it returned, if that is none.
 * Rejects on a call with whatever it throws itself, and with an `Error` if it does not end.
 */
export function checkedFactory<Env>(createServer: ServerFactory<Env>): ServerFactory<Env> {
  if (typeof createServer !== "function") {
    throw new TypeError(
      `createServer is ${typeof createServer} and no function: write "export function createServer() { … }" in src/server.ts.`,
    );
  }
  const given = new WeakSet<object>();
  return async (context: ServerContext<Env>): Promise<AnyServer> => {
    tellTerminal({ event: "started", what: "createServer" });
    try {
      const made: unknown = createServer(context);
      const server = isServer(made) ? made : await inTime(made);
      if (!isServer(server)) {
        throw new TypeError(
          `createServer returned ${typeof server === "object" ? "no McpServer" : typeof server}: end it with "return server;".`,
        );
      }
      if (given.has(server)) {
        throw new TypeError(
          "createServer returned the same server twice: make it inside of createServer, as each session has its own.",
        );
      }
      if (isConnected(server)) {
        throw new TypeError(
          "createServer returned a server that is connected already: leave out server.connect(…), which is done for it.",
        );
      }
      given.add(server);
      watchHandlers(server);
      answerAlways(server);
      return server;
    } catch (thrown) {
      throw isTellable(thrown) ? thrown : new Error(`createServer threw ${textOf(thrown)}`);
    } finally {
      tellTerminal({ event: "ended", what: "createServer" });
    }
  };
}

/** What `building` resolves with. Something it awaits may never come: then somebody has to say so. */
async function inTime(building: unknown): Promise<unknown> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(
        new Error(
          `createServer has not ended after ${maxBuildMs / 1_000} s: what does it wait for? It should only register things.`,
        ),
      ),
    maxBuildMs,
  );
  try {
    return await Promise.race([building, late]);
  } finally {
    clearTimeout(timer);
  }
}

function isServer(value: unknown): value is AnyServer {
  return typeof value === "object" && value !== null && "connect" in value && typeof value.connect === "function";
}

/** Both SDKs have it under this name. */
function isConnected(server: AnyServer): boolean {
  return Reflect.get(protocolOf(server), "transport") !== undefined;
}
