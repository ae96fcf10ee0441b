import { join } from "node:path";
import { root } from "./wrangler-process.ts";

/** Whether this is a clone: the project is the engine, too. Elsewhere the engine lies among its packages. */
export const isClone = import.meta.dirname === join(root, "src/dev");

/**
 * What a person types, with `options`, to serve the project. A clone has scripts for that; what scripts another project has
 * nobody knows, but each has the command of the package.
 */
export function startCommand(options = ""): string {
  return isClone ? script("npm start", options) : `npx mcp-edge dev ${options}`.trimEnd();
}

/** Likewise, to open the Inspector on it. */
export function inspectCommand(options = ""): string {
  return isClone ? script("npm run inspector", options) : `npx mcp-edge inspect ${options}`.trimEnd();
}

function script(name: string, options: string): string {
  return options === "" ? name : `${name} -- ${options}`;
}
