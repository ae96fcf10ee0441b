import { type FSWatcher, fstatSync, readdirSync, type Stats, statSync, watch } from "node:fs";
import { join, relative } from "node:path";

/**
 * Calls `onSaved` with the path, from `root`, of each file of the project that is saved.
 *
 * The folders are watched, never the files: most editors put a new file in the place of the old, and whoever watches that one
 * hears nothing more. A folder that is new is watched as soon as its parent says so.
 *
 * What this process writes, by the file descriptors `outputs`, is no source, though it be in the project: whoever starts again at
 * each save, and says so, would never come to an end.
 */
export function watchSources(root: string, onSaved: (path: string) => void, outputs: readonly number[] = [1, 2]): void {
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
        const path = join(folder, name);
        if (!watchers.has(path) && !isOneOf(path, outputs)) onSaved(relative(root, path));
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

function isOneOf(path: string, descriptors: readonly number[]): boolean {
  try {
    const written = statSync(path);
    const isSame = ({ dev, ino }: Stats): boolean => dev === written.dev && ino === written.ino;
    return descriptors.some((descriptor) => isSame(fstatSync(descriptor)));
  } catch {
    // It was deleted.
    return false;
  }
}

/** A log is written, by whomever. `.dev.vars` and `.env` are the only files with a dot that a server is made of. */
function isIgnored(name: string): boolean {
  if (name === "node_modules" || name.endsWith(".log")) return true;
  return name.startsWith(".") && !name.startsWith(".dev.vars") && !name.startsWith(".env");
}
