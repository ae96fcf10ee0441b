import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";

const require = createRequire(import.meta.url);

/** The command of each release of `@modelcontextprotocol/conformance`, by the name it is installed under. */
const commands = {
  "conformance-0-1": require.resolve("conformance-0-1/dist/index.js"),
  "conformance-0-2": require.resolve("conformance-0-2/dist/index.js"),
};

export type Release = keyof typeof commands;

/** One thing that a scenario looked at. */
export type Check = z.infer<typeof checkSchema>;

const checkSchema = z.object({
  id: z.string(),
  status: z.enum(["SUCCESS", "FAILURE", "WARNING", "INFO", "SKIPPED"]),
  errorMessage: z.string().optional(),
});

/** A bound on hanging, milliseconds: a run takes seconds. */
const maxRunMs = 170_000;

/** Runs the suite as a process of its own, and reads what it wrote of each scenario. */
export async function runSuite(
  release: Release,
  { url, selection = [] }: { url: string; selection?: string[] },
): Promise<Map<string, Check[]>> {
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    await start(release, ["server", "--url", url, "--output-dir", folder, ...selection]);
    return await readResults(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The names of all scenarios for servers in a release, whether they are run or not. */
export async function listScenarios(release: Release): Promise<string[]> {
  const output = await start(release, ["list", "--server"]);
  return [...output.matchAll(/^ +- (\S+)/gm)].map(([, name = ""]) => name);
}

/**
 * Its exit code is not asked for: it says nothing that the checks do not, and is 0 for warnings and for scenarios that
 * tested nothing.
 */
function start(release: Release, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [commands[release], ...args],
      { timeout: maxRunMs, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout) => {
        // Not a number: it could not be started, or was ended.
        if (error !== null && typeof error.code !== "number") reject(error);
        else resolve(stdout);
      },
    );
  });
}

/** One folder a scenario: `server-<scenario>-<time>/checks.json`. */
async function readResults(folder: string): Promise<Map<string, Check[]>> {
  const results = new Map<string, Check[]>();
  for (const name of await readdir(folder)) {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name)?.[1];
    if (scenario === undefined) throw new Error(`the suite wrote a folder of no scenario: ${name}`);
    const json: unknown = JSON.parse(await readFile(join(folder, name, "checks.json"), "utf8"));
    results.set(scenario, z.array(checkSchema).parse(json));
  }
  return results;
}

/** How many checks of each scenario passed. */
export function passedCounts(results: Map<string, Check[]>, scenarios: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const scenario of scenarios) {
    counts[scenario] = (results.get(scenario) ?? []).filter(({ status }) => status === "SUCCESS").length;
  }
  return counts;
}

/** The scenarios that tested something, and in which nothing failed. */
export function passedScenarios(results: Map<string, Check[]>): string[] {
  const counts = passedCounts(results, results.keys());
  return Object.keys(counts).filter(
    (scenario) => counts[scenario] !== 0 && notPassed(results, [scenario]).length === 0,
  );
}

/** Every check of `scenarios` that did not pass, as a line to read; `INFO` is the suite's own notes. */
export function notPassed(results: Map<string, Check[]>, scenarios: Iterable<string>): string[] {
  const lines: string[] = [];
  for (const scenario of scenarios) {
    for (const { id, status, errorMessage } of results.get(scenario) ?? []) {
      if (status !== "SUCCESS" && status !== "INFO") lines.push(`${scenario}: ${id}: ${status}: ${errorMessage ?? ""}`);
    }
  }
  return lines;
}
