import { readdirSync } from "node:fs";
import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };

export const root = join(import.meta.dirname, "..");

/** Conditions of an export, each with a source of this repository. */
export type Conditions = Record<string, string>;

/** What one can import of the package, by its path there: the `exports` of package.json, patterns written out. */
export function doors(): Map<string, Conditions> {
  const found = new Map<string, Conditions>();
  for (const [door, target] of Object.entries<string | Conditions>(manifest.exports)) {
    if (door === "./package.json") continue;
    if (typeof target !== "string") found.set(door, target);
    else for (const [name, source] of matches(door, target)) found.set(name, { types: source, default: source });
  }
  return found;
}

/** `./auth/*` → `./src/auth/*.ts` is one door for each of these files; none while the folder is not there. */
function matches(door: string, target: string): [string, string][] {
  if (!door.includes("*")) return [[door, target]];
  const [folder = "", suffix = ""] = target.split("*");
  return filesOf(folder)
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length))
    .map((name) => [door.replace("*", name), `${folder}${name}${suffix}`]);
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(join(root, folder)).toSorted();
  } catch {
    // A room that is not built yet.
    return [];
  }
}
