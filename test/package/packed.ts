import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { pack, type Packed } from "../../package/pack.ts";

const run = promisify(execFile);

/** Both packages, made anew, in a folder that goes with them. */
export interface PackedInFolder extends Packed, AsyncDisposable {
  folder: string;
}

export async function packInFolder(): Promise<PackedInFolder> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-pack-"));
  return {
    folder,
    ...(await pack(folder)),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface Ended {
  code: number;
  output: string;
}

/** Runs a program to its end; what it wrote to both of its outputs, whatever its exit code. */
export async function runToEnd(
  file: string,
  args: string[],
  { cwd, env }: { cwd: string; env?: NodeJS.Dict<string> },
): Promise<Ended> {
  return await run(file, args, { cwd, env: { ...process.env, ...env }, maxBuffer: 16 * 1024 * 1024 }).then(
    ({ stdout, stderr }) => ({ code: 0, output: `${stdout}${stderr}` }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: `${error.stdout}${error.stderr}`,
    }),
  );
}

/** What `npm create mcp-edge` does once npm has fetched it, on a machine with this Node. */
export async function create(
  { create: { folder } }: Packed,
  args: string[],
  { cwd, node = process.versions.node, env }: { cwd: string; node?: string; env?: NodeJS.Dict<string> },
): Promise<Ended> {
  const agent = `npm/11.0.0 node/v${node} linux x64`;
  const told = { ...env, npm_config_user_agent: agent };
  return await runToEnd(process.execPath, [join(folder, "create.js"), ...args], { cwd, env: told });
}
