import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { preload, settleMs } from "../../src/dev/wrangler-process.ts";

const run = promisify(execFile);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-settled-"));
});

afterAll(() => rm(folder, { recursive: true }));

/** What a program says that has the preload of wrangler, and watches by the esbuild that it finds. */
async function watched(): Promise<string> {
  const program = join(folder, "cli.cjs");
  await writeFile(
    program,
    `let esbuild = { context: async () => ({ watch: () => "watches" }) };
try { esbuild = require("esbuild"); } catch {}
esbuild.context({ name: "a bundle" }).then(async (made) => console.log(await made.watch()));`,
  );
  return (await run(process.execPath, ["--import", preload, program])).stdout.trim();
}

test("a wrangler that has no esbuild of its own watches as it does", async () => {
  expect(await watched()).toBe("watches");
});

test("wrangler bundles what was saved after a moment, in which the rest of it is written", async () => {
  const place = join(folder, "node_modules/esbuild");
  await mkdir(place, { recursive: true });
  const esbuild =
    "exports.context = async ({ name }) => ({ watch: (options) => JSON.stringify({ name, ...options }) });";
  await writeFile(join(place, "index.js"), esbuild);
  expect(JSON.parse(await watched())).toEqual({ name: "a bundle", delay: settleMs });
});
