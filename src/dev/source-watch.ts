import { type FSWatcher, readdirSync, watch } from "node:fs";
import { join, relative } from "node:path";

/**
 * Calls `onSaved` with the path, from the root, of each file of the project that is saved.
 *
 * The folders are watched, never the files: most editors put a new file in the place of the old, and whoever watches that one
 * hears nothing more. A folder that is new is watched as soon as its parent says so.
 */
export class SourceWatch {
  readonly #root: string;
  readonly #onSaved: (path: string) => void;
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(root: string, onSaved: (path: string) => void) {
    this.#root = root;
    this.#onSaved = onSaved;
    this.#add(root);
  }

  #add(folder: string): void {
    if (this.#watchers.has(folder)) return;
    try {
      const watcher = watch(folder, (_, name) => {
        if (name === null || isIgnored(name)) return;
        const path = join(folder, name);
        this.#addBelow(folder);
        if (!this.#watchers.has(path)) this.#onSaved(relative(this.#root, path));
      });
      const forget = (): void => {
        watcher.close();
        this.#watchers.delete(folder);
      };
      watcher.on("error", forget);
      this.#watchers.set(folder, watcher);
    } catch {
      // It is gone again, or no folder.
      return;
    }
    this.#addBelow(folder);
  }

  #addBelow(folder: string): void {
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory() && !isIgnored(entry.name)) this.#add(join(folder, entry.name));
      }
    } catch {
      // It is gone: a folder of the same name is watched anew.
      this.#watchers.get(folder)?.close();
      this.#watchers.delete(folder);
    }
  }
}

/** `.dev.vars` and `.env` are the only files with a dot that a server is made of. */
function isIgnored(name: string): boolean {
  if (name === "node_modules") return true;
  return name.startsWith(".") && !name.startsWith(".dev.vars") && !name.startsWith(".env");
}
