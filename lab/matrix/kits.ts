import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, delimiter, join, relative } from "node:path";
import { promisify } from "node:util";
import { root } from "../../test/support/bundle.ts";

const run = promisify(execFile);

/** Where the programs of the clients are: what is interpreted runs from here, what is compiled from its kit's folder. */
export const sources = import.meta.dirname;
const cache = join(root, ".cache", "clients");

/** Clients that are installed together. Each kit is a folder beside this file, and one of the same name in `.cache/clients`. */
export type KitName = "typescript" | "python" | "python-langchain" | "python-agents" | "python-tasks" | "go" | "java";

interface Kit {
  /** What it is made of, beside this file. */
  from: string[];
  /** Without these on the PATH its clients are not run. */
  tools: string[];
  /** Makes the clients runnable in `target`, which has a copy of `from`. */
  install(target: string): Promise<void>;
}

const kits: Record<KitName, Kit> = {
  typescript: {
    from: ["typescript/package.json"],
    tools: ["npm"],
    install: (target) => shell(target, "npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"]),
  },
  python: { from: ["python/requirements.txt"], tools: ["python3"], install: installPython },
  "python-langchain": { from: ["python/langchain/requirements.txt"], tools: ["python3"], install: installPython },
  "python-agents": { from: ["python/agents/requirements.txt"], tools: ["python3"], install: installPython },
  "python-tasks": { from: ["python/tasks/requirements.txt"], tools: ["python3"], install: installPython },
  go: {
    from: ["go/go.mod", "go/go.sum", "go/main.go"],
    tools: ["go"],
    install: (target) => shell(target, "go", ["build", "-o", "client", "."]),
  },
  java: {
    from: ["pom.xml", "src", "sdk-0.17", "sdk-1.1", "sdk-2", "spring-webflux"].map((path) => `java/${path}`),
    tools: ["java", "mvn"],
    install: (target) => shell(target, "mvn", ["-q", "-B", "package", "dependency:copy-dependencies"]),
  },
};

/** Where a kit is installed. */
export const kitDirectory = (name: KitName): string => join(cache, name);

export type KitState =
  | { state: "ready" }
  | { state: "no toolchain"; missing: string }
  | { state: "failed"; why: string };

/** Installs a kit into the ignored folder, unless it is there already as its sources say. */
export async function prepareKit(name: KitName): Promise<KitState> {
  const kit = kits[name];
  for (const tool of kit.tools) {
    if ((await findOnPath(tool)) === undefined) return { state: "no toolchain", missing: tool };
  }
  const target = kitDirectory(name);
  const stamp = join(target, ".installed");
  const wanted = await fingerprint(kit.from);
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return { state: "ready" };
  try {
    await rm(target, { recursive: true, force: true });
    await mkdir(target, { recursive: true });
    for (const path of kit.from) await cp(join(sources, path), join(target, basename(path)), { recursive: true });
    await kit.install(target);
    await writeFile(stamp, wanted);
    return { state: "ready" };
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return { state: "failed", why: `${stdout}${stderr}`.trim().split("\n").slice(0, 8).join("\n") || String(error) };
  }
}

/** The Python that a kit's clients are installed for. */
export const pythonOf = (kit: string): string =>
  join(kit, "venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");

async function installPython(target: string): Promise<void> {
  await shell(target, "python3", ["-m", "venv", "venv"]);
  await shell(target, pythonOf(target), ["-m", "pip", "install", "-q", "-r", "requirements.txt"]);
}

async function shell(cwd: string, command: string, args: string[]): Promise<void> {
  await run(command, args, { cwd, maxBuffer: 64 * 1024 * 1024 });
}

/** Where `command` is on the PATH. */
export async function findOnPath(command: string): Promise<string | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const names = await readdir(folder).catch((): string[] => []);
    const found = names.find((name) => name === command || name === `${command}.exe`);
    if (found !== undefined) return join(folder, found);
  }
  return undefined;
}

/** Of the files and folders at `paths`. */
async function fingerprint(paths: string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    const inside = await readdir(join(sources, path), { recursive: true, withFileTypes: true }).catch(() => undefined);
    const files = inside?.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files?.toSorted() ?? [join(sources, path)]) {
      // Not where the repository is: a copy of the folder is as good.
      hash.update(relative(sources, file)).update(await readFile(file));
    }
  }
  return hash.digest("hex");
}
