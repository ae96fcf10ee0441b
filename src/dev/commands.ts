import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./wrangler-process.ts";

/** Whether this is a clone: the project is the engine, too. Elsewhere the engine lies among its packages. */
export const isClone = import.meta.dirname === join(root, "src/dev");

/** The scripts of a clone that are the commands of the package. */
const ofClone = { dev: "start", inspect: "inspector", session: "inspect", build: "build", serve: "serve" } as const;

/**
 * What a person types, with `options`, for a command of the package: the script of the project that is this command and no more,
 * or else the command itself, which each project has.
 */
export function typed(command: keyof typeof ofClone, options = ""): string {
  const script = isClone ? ofClone[command] : scriptThatIs(`mcp-edge ${command}`);
  if (script === undefined) return `npx mcp-edge ${command} ${options}`.trimEnd();
  const run = script === "start" ? "npm start" : `npm run ${script}`;
  return options === "" ? run : `${run} -- ${options}`;
}

function scriptThatIs(line: string): string | undefined {
  try {
    const { scripts = {} } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts?: object };
    return Object.entries(scripts).find(([, said]) => said === line)?.[0];
  } catch {
    // A Worker may be served from any folder.
    return undefined;
  }
}
