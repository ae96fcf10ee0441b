// Before the server: what its modules print while they load is no message, and goes to stderr.
import { serveStdio } from "./serve-stdio.ts";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { StackFrames } from "../dev/stack-frames.ts";
import { Fault, ofMissingPackage } from "../fault.ts";
import { stackOf } from "../protocol/thrown.ts";
import type { ServerFactory } from "../server-context.ts";

/** `mcp-edge stdio`: serves the `createServer` of the project in this folder. */

/** By when a server has loaded, on a machine with much else to do, milliseconds. */
const lateAfterMs = 20_000;

const onlyOnEdge = `
Over stdio Node loads it, and only the edge has that: import it by await import(…) in the tool that needs it.`;

const root = process.cwd();
const path = join(root, "src/server.ts");

if (!existsSync(path)) {
  throw new Fault(`There is no ${path}: run this in the folder of a project, or call serveStdio of "mcp-edge/stdio".`);
}
const { createServer } = await loaded();
if (typeof createServer !== "function") {
  throw new Fault(`${path} exports no createServer: write "export function createServer() { … }".`);
}
serveStdio(createServer);

/**
 * Its module, for which a client waits without a word.
 * @throws {Fault} for one that cannot be loaded, with the places in the project.
 */
async function loaded(): Promise<{ createServer?: ServerFactory }> {
  const endless = `${path} waits at its top for something that does not come: do it in createServer, or in the tool.`;
  const late = setTimeout(() => console.error(`Not loaded after ${lateAfterMs / 1_000} s: ${endless}`), lateAfterMs);
  late.unref();
  // Node would end with a line of ours once there is nothing that it could wait for.
  const noneLeft = (): void => {
    console.error(endless);
    process.exit(1);
  };
  process.once("beforeExit", noneLeft);
  try {
    return (await import(pathToFileURL(path).href)) as { createServer?: ServerFactory };
  } catch (error) {
    if (ofMissingPackage(error) !== undefined || isShownByNode(error)) throw error;
    const said = new StackFrames(root).shorten(stackOf(error));
    throw new Fault(`${path} cannot be loaded: ${said}${isOfEdge(error) ? onlyOnEdge : ""}`, { cause: error });
  } finally {
    clearTimeout(late);
    process.off("beforeExit", noneLeft);
  }
}

/** Where a file of JavaScript has no syntax is told to nobody but Node, which shows it. */
function isShownByNode(error: unknown): boolean {
  return error instanceof SyntaxError && error.stack?.startsWith(error.name) === true;
}

function isOfEdge(error: unknown): boolean {
  const { code } = Object(error) as NodeJS.ErrnoException;
  return code === "ERR_UNSUPPORTED_ESM_URL_SCHEME" || code === "ERR_UNKNOWN_FILE_EXTENSION";
}
