import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./doors.ts";
import { orSentence } from "./or-sentence.ts";

const run = promisify(execFile);

export interface Packed {
  /** Tarballs, and the folders that are in them. */
  engine: { folder: string; tarball: string };
  create: { folder: string; tarball: string };
}

/** Makes both packages in `folder`, as they are published. */
export async function pack(folder = join(root, ".cache/pack")): Promise<Packed> {
  // Here, so that in a clone that is not installed this is said.
  const [{ makeEngine }, { makeCreate }] = await Promise.all([import("./engine.ts"), import("./template.ts")]);
  await mkdir(folder, { recursive: true });
  const engine = join(folder, "mcp-edge");
  const create = join(folder, "create-mcp-edge");
  await makeEngine(engine);
  await makeCreate(create);
  return {
    engine: { folder: engine, tarball: await tarballOf(engine, folder) },
    create: { folder: create, tarball: await tarballOf(create, folder) },
  };
}

async function tarballOf(folder: string, into: string): Promise<string> {
  await run("npm", ["pack", folder, "--pack-destination", into, "--loglevel=error"], { cwd: into });
  const { name, version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Record<string, string>;
  return join(into, `${name}-${version}.tgz`);
}

if (import.meta.main) {
  process.exitCode = await orSentence(async () => {
    const { engine, create } = await pack();
    console.log(`${engine.tarball}\n${create.tarball}`);
    return 0;
  });
}
