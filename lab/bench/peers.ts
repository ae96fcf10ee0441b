import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { root } from "../../test/support/bundle.ts";

const run = promisify(execFile);

/** Peers that this project does not depend on live here, outside git and outside package.json. */
const benchFolder = join(root, ".cache", "bench");
const nodeFolder = join(benchFolder, "node");
const pythonFolder = join(benchFolder, "python");
export const python = join(pythonFolder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");

/** Exactly these versions were compared; a newer one is compared by raising it here. */
export const peerVersions = { express: "5.2.1", fastmcp: "4.20.16", "fastmcp (Python)": "4.1.2" };

/** A peer's module. `Module` is what the caller uses of it: its types are not installed. */
export async function importPeer<Module>(name: string): Promise<Module> {
  const path = createRequire(join(nodeFolder, "package.json")).resolve(name);
  return (await import(pathToFileURL(path).href)) as Module;
}

/** Installs the peers that run on Node. Rejects without a registry: their rows are then not run. */
export async function installNodePeers(): Promise<void> {
  const dependencies = { express: peerVersions.express, fastmcp: peerVersions.fastmcp };
  const wanted = JSON.stringify({ private: true, dependencies });
  const manifest = join(nodeFolder, "package.json");
  if (existsSync(join(nodeFolder, "node_modules")) && (await readFile(manifest, "utf8")) === wanted) return;
  await mkdir(nodeFolder, { recursive: true });
  await writeFile(manifest, wanted);
  await run("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock"], { cwd: nodeFolder });
}

/** Installs the Python peer into an environment of its own. Rejects without Python or without a registry. */
export async function installPythonPeer(): Promise<void> {
  const marker = join(pythonFolder, `fastmcp-${peerVersions["fastmcp (Python)"]}`);
  if (existsSync(marker)) return;
  await mkdir(benchFolder, { recursive: true });
  await run("python3", ["-m", "venv", pythonFolder]);
  await run(python, ["-m", "pip", "install", "--quiet", `fastmcp==${peerVersions["fastmcp (Python)"]}`, "uvicorn"]);
  await writeFile(marker, "");
}
