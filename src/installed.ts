import { createRequire } from "node:module";
import { join } from "node:path";

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

/** A package that the project lacks; the message has the command that installs it. */
export class MissingPackage extends Error {}

function found(root: string, name: string, path: string): string {
  return join(manifest(root, name), "..", path);
}

/** @throws {MissingPackage} if it is not there. */
function manifest(root: string, name: string): string {
  try {
    return createRequire(join(root, "package.json")).resolve(`${name}/package.json`);
  } catch (error) {
    throw new MissingPackage(`${name} is not installed in ${root}: npm install --save-dev ${name}`, { cause: error });
  }
}
