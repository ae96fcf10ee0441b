import { type FSWatcher, readdirSync, watch } from "node:fs";
import { join, relative } from "node:path";

/**
 * Calls `onSaved` with the path, from `root`, of each file of the project that is saved.
 *
 * The folders are watched, never the files: most editors put a new file in the place of the old, and whoever watches that one
 * hears nothing more. A folder that is new is watched as soon as its parent says so.
 */
export function watchSources(root: string, onSaved: (path: string) => void): void {
  const watchers = new Map<string, FSWatcher>();
  const forget = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  const addBelow = (folder: string): void => {
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory() && !isIgnored(entry.name)) add(join(folder, entry.name));
      }
    } catch {
      // It is gone: a folder of the same name is watched anew.
      forget(folder);
    }
  };
  const add = (folder: string): void => {
    if (watchers.has(folder)) return;
    try {
      const watcher = watch(folder, (_, name) => {
        if (name === null || isIgnored(name)) return;
        addBelow(folder);
        if (!watchers.has(join(folder, name))) onSaved(relative(root, join(folder, name)));
      });
      watcher.on("error", () => forget(folder));
      watchers.set(folder, watcher);
    } catch {
      // It is gone again.
      return;
    }
    addBelow(folder);
  };
  add(root);
}

/** `.dev.vars` and `.env` are the only files with a dot that a server is made of. */
function isIgnored(name: string): boolean {
  if (name === "node_modules") return true;
  return name.startsWith(".") && !name.startsWith(".dev.vars") && !name.startsWith(".env");
}
