import { createRequire } from "node:module";
import { join } from "node:path";
import { Fault } from "./fault.ts";

/**
 * Programs of packages that the project has, found from its own folder: the engine may lie elsewhere, and package managers
 * differ in where they put what.
 */

/** The script of the wrangler of the project at `root`. */
export function wranglerIn(root: string): string {
  return found(root, "wrangler", "bin/wrangler.js");
}

/** The script that starts the MCP Inspector. */
export function inspectorIn(root: string): string {
  return found(root, "@modelcontextprotocol/inspector", "clients/launcher/build/index.js");
}

/** The workerd that wrangler brought for this platform. */
export function workerdIn(root: string): string {
  // By require, because a CommonJS module with a default export means something else to each bundler.
  const workerd = createRequire(manifest(root, "wrangler"))("workerd") as { default: string };
  return workerd.default;
}

function found(root: string, name: string, path: string): string {
  return join(manifest(root, name), "..", path);
}

/** @throws {Fault} if it is not there, or the project's own package.json cannot be read. */
function manifest(root: string, name: string): string {
  try {
    return createRequire(join(root, "package.json")).resolve(`${name}/package.json`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "MODULE_NOT_FOUND") throw new Fault(`${name} cannot be found: ${message}`, { cause: error });
    throw new Fault(`${name} is not installed in ${root}: npm install --save-dev ${name}`, { cause: error });
  }
}
