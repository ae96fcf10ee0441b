import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../../../test/support/bundle.ts";
import { kitDirectory } from "../kits.ts";
import type { LaneName, Sighting } from "../sighting.ts";

const kit = kitDirectory("typescript");
const inKit = createRequire(join(kit, "package.json"));

/**
 * A module of a package in the kit. The kit is no dependency of the project, so the compiler knows nothing of it: each
 * program says what it uses.
 */
export async function importFromKit<Module>(specifier: string): Promise<Module> {
  return (await import(pathToFileURL(inKit.resolve(specifier)).href)) as Module;
}

/** A file of a package in the kit, whether the package exports it or not. */
export const kitFile = (path: string): string => join(kit, "node_modules", path);

/** A file of a package that the project itself depends on. */
export const projectFile = (path: string): string => join(root, "node_modules", path);

/** The version of an installed package, whose folder is given. */
export function versionIn(directory: string): string {
  return (JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as { version: string }).version;
}

/** The URL and the lane that the program was given, and what was said before them. */
export function programArguments(): { url: string; lane: LaneName; rest: string[] } {
  const given = process.argv.slice(2);
  const [url = "", lane] = given.slice(-2);
  if (lane !== "sse" && lane !== "mcp") throw new Error("Give the program a URL and a lane, sse or mcp.");
  return { url, lane, rest: given.slice(0, -2) };
}

export function report(sighting: Sighting): void {
  console.log(JSON.stringify(sighting));
}

/** The first text of a tool's result. */
export function textOf(result: unknown): string {
  const { content } = result as { content?: { text?: string }[] };
  return content?.[0]?.text ?? JSON.stringify(result);
}
