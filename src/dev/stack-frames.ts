import { readdirSync, readFileSync, statSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isClone } from "./commands.ts";

const frame =
  /^\s*at (?:(?<name>.+?) \()?(?:async )?(?<place>[^\s()]+):(?<line>\d+):(?<column>\d+)\)?(?: in (?<after>\S+))?$/;

/** Where workerd says that a bundle lies, while it loads it. */
const insideWorkerd = "file:///bundle/";

/**
 * The folders and modules of a clone's `src` that serve the user's: in a stack they say nothing about a fault of his. In a
 * project of one's own they are a package, and these names are the user's.
 */
const ours =
  /^src\/(auth|dev|edge|hooks|link|page|protocol|sdk|serve|session|shims|stdio|stream|tasks)\/|^src\/(call-log|development|edge-app|fault|index(\.node)?|installed|main|options|outputs|server-context|testing|tools)\.ts/;

/** Stack frames of a bundle, told in places of its sources. */
export class StackFrames {
  readonly #root: string;
  #maps = new Map<string, { writtenAtMs: number; map: SourceMap }>();

  constructor(root: string) {
    this.#root = root;
  }

  /** `text`, with only those lines of its stack that lie in the project, and of these the user's if there are any. */
  shorten(text: string): string {
    const [said, frames]: [string[], string[]] = [[], []];
    for (const line of text.split("\n")) {
      if (frame.test(line)) frames.push(...this.#place(line));
      else said.push(line);
    }
    const theirs = frames.filter((place) => !this.#isOurs(place));
    const others = /createServer (returned|threw|has not)/.test(text) ? this.createServer() : frames;
    const shown = theirs.length > 0 ? theirs : others;
    return [...said, ...shown.map((place) => `    at ${place}`)].join("\n");
  }

  /** Where the user's `createServer` begins: what it did not return has no stack. */
  createServer(): string[] {
    try {
      const lines = readFileSync(join(this.#root, "src/server.ts"), "utf8").split("\n");
      const index = lines.findIndex((line) => /\bcreateServer\b/.test(line));
      return index < 0 ? [] : [`createServer (src/server.ts:${index + 1})`];
    } catch {
      return [];
    }
  }

  isFrame(line: string): boolean {
    return frame.test(line);
  }

  /** One frame, `name (src/server.ts:12:5)`; none if it does not lie in the user's own modules. */
  theirs(line: string): string[] {
    return this.#place(line).filter((place) => !this.#isOurs(place));
  }

  #isOurs(place: string): boolean {
    return isClone && ours.test(place.replace(/^.*\(/, ""));
  }

  /** Likewise, if it does not lie in the project. */
  #place(line: string): string[] {
    const { name, place = "", line: row, column } = frame.exec(line)?.groups ?? {};
    const found = this.#original(place, Number(row), Number(column));
    if (found === undefined) return [];
    const path = relative(this.#root, found.file);
    if (path.startsWith("..") || path.includes("node_modules") || path.startsWith(".wrangler")) return [];
    const where = `${path}:${found.line}:${found.column}`;
    return [name === undefined || name.startsWith("null.") ? where : `${name.replace("async ", "")} (${where})`];
  }

  #original(place: string, line: number, column: number): { file: string; line: number; column: number } | undefined {
    if (!place.startsWith("file://") && !place.startsWith("/")) return undefined;
    const file = place.startsWith(insideWorkerd) ? this.#newestBundle() : toPath(place);
    if (file === undefined) return undefined;
    if (!file.includes(join(".wrangler", "tmp"))) return { file, line, column };
    const entry = this.#mapOf(file)?.findEntry(line - 1, column - 1);
    if (entry === undefined || !("originalSource" in entry)) return undefined;
    const source = resolve(dirname(file), toPath(entry.originalSource));
    return { file: source, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  }

  #mapOf(bundle: string): SourceMap | undefined {
    try {
      const path = `${bundle}.map`;
      const writtenAtMs = statSync(path).mtimeMs;
      const known = this.#maps.get(path);
      if (known?.writtenAtMs === writtenAtMs) return known.map;
      const map = new SourceMap(JSON.parse(readFileSync(path, "utf8")));
      this.#maps.set(path, { writtenAtMs, map });
      return map;
    } catch {
      // wrangler has removed it: the frame is left out.
      return undefined;
    }
  }

  /** wrangler has a folder for each time that it runs, and removes it when it ends. */
  #newestBundle(): string | undefined {
    const folder = join(this.#root, ".wrangler/tmp");
    try {
      const names = readdirSync(folder).filter((name) => name.startsWith("dev-"));
      const bundles = names.map((name) => join(folder, name, "worker.js"));
      const byAge = bundles.map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }));
      return byAge.toSorted((a, b) => b.at - a.at)[0]?.path;
    } catch {
      return undefined;
    }
  }
}

function toPath(place: string): string {
  return place.startsWith("file://") ? fileURLToPath(place) : place;
}
