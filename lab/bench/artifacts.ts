import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { bundle, offline, root } from "../../test/support/bundle.ts";
import { type SourceAt, sourcesOf } from "./source-map.ts";
import { inTurns } from "./turns.ts";

const run = promisify(execFile);
const startUpTurns = 7;

/** What is uploaded by a deploy, and what it does before its first request. */
export interface Artifact {
  /** The minified bundle, compressed, bytes. */
  gzipBytes: number;
  /** CPU time of loading it, on this machine, milliseconds: the active time of `wrangler check startup`. */
  startUpMs: number;
}

/** The Worker in `main`, a path from the root, by the wrangler.toml of a fresh clone with `changes`. */
export interface Deployable {
  main: string;
  changes?: Record<string, unknown>;
}

/** Of each, by its name. They start in turns. */
export async function measureArtifacts<Name extends string>(
  deployables: Record<Name, Deployable>,
): Promise<Record<Name, Artifact>> {
  const all = Object.entries<Deployable>(deployables);
  const startUps = await inTurns(all, startUpTurns, ([, deployable]) => startUp(deployable));
  const artifacts: [string, Artifact][] = [];
  for (const entry of all) {
    const [name, { main, changes }] = entry;
    const { script } = await bundle(main, changes);
    const gzipBytes = gzipLength(await readFile(script, "utf8"));
    artifacts.push([name, { gzipBytes, startUpMs: startUps.get(entry) ?? Number.NaN }]);
  }
  // Its keys are those of `deployables`.
  return Object.fromEntries(artifacts) as Record<Name, Artifact>;
}

async function startUp({ main, changes }: Deployable): Promise<number> {
  const { config } = await bundle(main, changes);
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  const args = [wrangler, "check", "startup", "--config", config, "--outfile", join(dirname(config), "profile")];
  const { stdout } = await run(process.execPath, args, { cwd: root, env: { ...process.env, ...offline } });
  return Number(/Active: ([\d.]+) ms/.exec(stdout)?.[1] ?? Number.NaN);
}

/** A package, or a folder of our own, whose code is in a bundle. */
export interface BundlePart {
  name: string;
  /** What is left of it, minified. */
  bytes: number;
  /** How much smaller the compressed bundle would be without it. */
  gzipBytes: number;
}

const ownPart = "mcp-edge";

/** The whole of the bundle of `main`, all that is ours in it, and its parts, the largest first. */
export async function bundleParts(main: string): Promise<BundlePart[]> {
  const { script } = await bundle(main);
  const text = await readFile(script, "utf8");
  const pieces = cut(text, await sourcesOf(script));
  const textOf = (wanted: (part: string) => boolean): string =>
    pieces.map((piece) => (wanted(piece.part) ? piece.text : "")).join("");
  const of = (name: string, isIn: (part: string) => boolean): BundlePart => {
    const gzipBytes = gzipLength(text) - gzipLength(textOf((part) => !isIn(part)));
    return { name, bytes: Buffer.byteLength(textOf(isIn)), gzipBytes };
  };
  const names = [...new Set(pieces.map(({ part }) => part))];
  const parts = names.map((name) => of(name, (part) => part === name)).sort((a, b) => b.bytes - a.bytes);
  return [of("all", () => true), of(ownPart, (part) => part.startsWith(ownPart)), ...parts];
}

/** Cuts a bundle where the code of one part ends and that of another begins. */
function cut(text: string, sourceAt: SourceAt): { part: string; text: string }[] {
  const pieces: { part: string; text: string }[] = [];
  for (const [row, line] of text.split("\n").entries()) {
    let from = 0;
    let part = partOf(sourceAt(row, 0));
    const end = (to: number): void => void pieces.push({ part, text: line.slice(from, to) });
    for (let column = 1; column < line.length; column++) {
      const next = partOf(sourceAt(row, column));
      if (next === part) continue;
      end(column);
      from = column;
      part = next;
    }
    end(line.length);
  }
  return pieces;
}

function partOf(source: string | undefined): string {
  if (source === undefined) return "the bundler";
  const ownFolder = dirname(source.replace(/.*\/(?=(?:src|test)\/)/, ""));
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? `${ownPart}, ${ownFolder}`;
}

/** What is uploaded of a Worker, compressed, bytes. */
export async function gzipOf(main: string): Promise<number> {
  const { script } = await bundle(main);
  return gzipLength(await readFile(script, "utf8"));
}

function gzipLength(text: string): number {
  return gzipSync(text, { level: 9 }).byteLength;
}
