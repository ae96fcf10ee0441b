/**
 * What `mcp-edge` is outside of Workers: under stdio, in tests, in scripts. There is no `cloudflare:workers` there, so a
 * server's module that also runs there gets its helpers from here.
 */
import type * as edgeApp from "./edge-app.ts";

export { failure, structured, text, tool } from "./tools.ts";

/** @throws {Error} always: a Worker is made where Workers run. */
export const edge: typeof edgeApp.edge = () => {
  throw new Error(
    'edge() makes a Worker, which Node cannot run. Serve it by `mcp-edge dev`, or over stdio: serveStdio of "mcp-edge/stdio".',
  );
};
