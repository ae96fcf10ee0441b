import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bundle } from "../support/bundle.ts";
import { copyProject } from "../support/project-copy.ts";

const run = promisify(execFile);

/** What a deploy uploads at most, all lanes together. The free plan takes 3 MiB; start-up time is what it is kept for. */
const maxUploadKib = 124;

/** What `jwt` adds for those who import it: jose, most of all. */
const maxJwtKib = 9;

async function uploadKib(main: string): Promise<number> {
  const { script } = await bundle(main);
  return gzipSync(await readFile(script)).byteLength / 1024;
}

test(`all lanes together, with two small tools, are an upload of at most ${maxUploadKib} KiB`, async () => {
  expect(await uploadKib("lab/bench/contestants/ours.ts")).toBeLessThanOrEqual(maxUploadKib);
});

test(`with tokens of an identity provider it is at most ${maxJwtKib} KiB more`, async () => {
  const more = (await uploadKib("test/fixtures/echo-jwt.ts")) - (await uploadKib("lab/bench/contestants/ours.ts"));
  expect(more).toBeLessThanOrEqual(maxJwtKib);
});

test("npm run deploy takes the wrangler.toml of a clone as it is, and builds no schemas at start-up", async () => {
  await using project = await copyProject();
  const out = join(project.folder, "out");
  const { stdout } = await run("npm", ["run", "deploy", "--", "--dry-run", "--outdir", out], { cwd: project.folder });
  expect(stdout).toContain("env.SESSION (Session)");
  const { sources } = JSON.parse(await readFile(join(out, "worker.js.map"), "utf8")) as { sources: string[] };
  const names = sources.map((source) => source.replace(/.*\//, ""));
  // The SDK's choice for Workers builds the schemas of all revisions at start-up: wrangler.toml replaces it.
  expect(names).not.toContain("shimsWorkerd.ts");
  // And its validator, three times as large as ours.
  expect(names).not.toContain("cfWorkerProvider.ts");
});
