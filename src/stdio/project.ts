// Before the server: what its modules print while they load is no message, and goes to stderr.
import { serveStdio } from "./serve-stdio.ts";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ServerFactory } from "../server-context.ts";

/** `mcp-edge stdio`: serves the `createServer` of the project in this folder. */

const path = join(process.cwd(), "src/server.ts");

if (existsSync(path)) {
  const { createServer }: { createServer?: ServerFactory } = await import(pathToFileURL(path).href);
  if (typeof createServer === "function") serveStdio(createServer);
  else end(`${path} exports no createServer: write "export function createServer() { … }".`);
} else {
  end(`There is no ${path}: run this in the folder of a project, or call serveStdio of "mcp-edge/stdio".`);
}

function end(sentence: string): void {
  console.error(sentence);
  process.exitCode = 1;
}
