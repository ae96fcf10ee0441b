// The first import, so that no other prints on stdout while it loads.
import { messageOutput } from "./stdout.ts";
import { finished } from "node:stream";
import type { McpServer, McpServerFactory } from "@modelcontextprotocol/server";
import { serveStdio as serveSdkStdio } from "@modelcontextprotocol/server/stdio";
import { checkNames } from "../option-checks.ts";
import { hooksIn } from "../options.ts";
import { type CallHook, hookCalls } from "../sdk/call-hooks.ts";
import { checkedFactory } from "../sdk/build-server.ts";
import { callLogger } from "../sdk/call-logger.ts";
import { listOthers } from "../sdk/listings.ts";
import { MessageLines } from "./message-lines.ts";
import { StdioLines } from "./stdio-lines.ts";
import { acceptOtherCopies, isSdkV2 } from "../sdk/sdk-v2.ts";
import { tap } from "../sdk/tap.ts";
import { writable } from "../sdk/writable.ts";
import type { ServerFactory } from "../server-context.ts";
import { processMemory, processUserMemory } from "../session/stored/memory.ts";

/** What a tool left behind, a timer for one, keeps the process for so long once its client is gone. */
const leaveMs = 1_000;

/** Options of {@linkcode serveStdio}. */
export interface StdioOptions {
  /** As that of `edge`, around every tool call, resource read and prompt. None. */
  onCall?: CallHook | readonly CallHook[];
}

/**
 * Serves what `createServer` builds on stdin and stdout of this process (MCP, transports: stdio), which is one session:
 * `memory`, `user` and `env` are those of the process.
 *
 * Only messages are on stdout: from the import of this module on, `console` and `process.stdout` write to stderr. So import
 * it before your server's modules. A child process that inherits stdout would still write there: give it fd 2 instead.
 *
 * One line on stderr tells of each call; none if the environment variable `MCP_EDGE_LOG` is `off`.
 *
 * What goes wrong outside of a tool is written to stderr, with its cause, and the process goes on: a `createServer` that
 * throws, of which the client is told no more than -32603; a client that asks a server of SDK v1 for revision 2026-07-28, and
 * is told the same; a rejected promise that nobody awaits; an exception in a timer. The process ends when its input ends, or
 * when nobody reads its output any more.
 */
export function serveStdio<Env = Cloudflare.Env>(createServer: ServerFactory<Env>, options: StdioOptions = {}): void {
  acceptOtherCopies();
  checkNames("serveStdio", options, ["onCall"]);
  const create = checkedFactory(createServer);
  const hooks = hooksIn(options.onCall);
  const memory = processMemory();
  const user = { id: "local", memory: processUserMemory() };
  const factory: McpServerFactory = async (context) => {
    const server = await create({ ...context, env: process.env as Env, memory, user });
    if (context.era === "modern" && !isSdkV2(server)) {
      throw new Error("A server of SDK v1 does not speak revision 2026-07-28; a client can initialize a session.");
    }
    listOthers(server);
    hookCalls(server, hooks, { lane: () => "stdio", user: undefined });
    const isLogged = process.env["MCP_EDGE_LOG"] !== "off";
    tap(server, [
      writable(),
      ...(isLogged ? [callLogger({ lane: "stdio", whose: {}, write: (line) => console.error(line) })] : []),
    ]);
    // For a session it takes those of SDK v1 as well, though its type does not say so.
    return server as McpServer;
  };
  process.on("unhandledRejection", (reason: unknown) =>
    console.error("A promise was rejected, and nobody awaited it:", reason),
  );
  process.on("uncaughtException", (error: Error) =>
    console.error("An exception was thrown, and nobody caught it:", error),
  );
  const transport = new StdioLines(process.stdin.pipe(new MessageLines(messageOutput)), messageOutput);
  serveSdkStdio(factory, {
    transport,
    onerror: (error) => {
      // A client that is gone is no fault of the server's.
      if (!messageOutput.destroyed) console.error(error);
    },
  });
  const leave = (): void => void setTimeout(() => process.exit(), leaveMs).unref();
  finished(process.stdin, leave);
  finished(messageOutput, leave);
}
