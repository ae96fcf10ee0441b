import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { orSentence } from "./or-sentence.ts";
import { pack } from "./pack.ts";

/** `npm run create -- ../my-server`: what `npm create mcp-edge` does, with the engine of this clone in the project. */
async function run(): Promise<number> {
  // Not in the clone, which may be another user's, and of which two may be made at once.
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-pack-"));
  try {
    const { engine, create } = await pack(folder);
    const args = [join(create.folder, "create.js"), ...process.argv.slice(2), "--engine", engine.tarball];
    const child = spawn(process.execPath, args, {
      cwd: process.env["INIT_CWD"] ?? process.cwd(),
      stdio: "inherit",
    });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
    return await new Promise((done) => child.once("exit", (code) => done(code ?? 1)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await orSentence(run);
