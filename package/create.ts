import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pack } from "./pack.ts";

/** `npm run create -- ../my-server`: what `npm create mcp-edge` does, with the engine of this clone in the project. */
const { engine, create } = await pack();
const args = [join(create.folder, "create.js"), ...process.argv.slice(2), "--engine", engine.tarball];
const { status } = spawnSync(process.execPath, args, {
  cwd: process.env["INIT_CWD"] ?? process.cwd(),
  stdio: "inherit",
});
process.exitCode = status ?? 1;
