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
const maxUploadKib = 133.5;

/** What `jwt` adds for those who import it: jose, most of all. */
const maxJwtKib = 9;

/** What `keys` adds for those who import them. */
const maxKeysKib = 1.5;

async function uploaded(main: string): Promise<Buffer> {
  const { script } = await bundle(main);
  return await readFile(script);
}

async function uploadKib(main: string): Promise<number> {
  return gzipSync(await uploaded(main)).byteLength / 1024;
}

test(`all lanes together, with two small tools, are an upload of at most ${maxUploadKib} KiB`, async () => {
  expect(await uploadKib("lab/bench/contestants/ours.ts")).toBeLessThanOrEqual(maxUploadKib);
});

test(`with tokens of an identity provider it is at most ${maxJwtKib} KiB more`, async () => {
  const more = (await uploadKib("test/fixtures/echo-jwt.ts")) - (await uploadKib("lab/bench/contestants/ours.ts"));
  expect(more).toBeLessThanOrEqual(maxJwtKib);
});

test(`with keys it is at most ${maxKeysKib} KiB more`, async () => {
  const more =
    (await uploadKib("lab/bench/contestants/login-keys.ts")) - (await uploadKib("lab/bench/contestants/ours.ts"));
  expect(more).toBeLessThanOrEqual(maxKeysKib);
});

test("the documents about a login are with those alone whose clients log in elsewhere", async () => {
  const document = "authorizationServers";
  expect((await uploaded("test/fixtures/echo-jwt.ts")).includes(document)).toBe(true);
  expect((await uploaded("lab/bench/contestants/ours.ts")).includes(document)).toBe(false);
  expect((await uploaded("lab/bench/contestants/login-keys.ts")).includes(document)).toBe(false);
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
  expect(names).toContain("cfWorkerProvider.ts");
});

test("a deployed Worker has nothing of npm run inspect, which that of npm start has", async () => {
  await using project = await copyProject();
  const { NODE_ENV: _, ...env } = process.env;
  const wordsIn = async (more: NodeJS.Dict<string>): Promise<string[]> => {
    const out = join(project.folder, "out");
    const args = ["run", "deploy", "--", "--dry-run", "--outdir", out];
    await run("npm", args, { cwd: project.folder, env: { ...env, ...more } });
    const script = await readFile(join(out, "worker.js"), "utf8");
    return ["mcp-edge-inspect", "MCP_EDGE_INSPECT_KEY", "handed over", "isJournaled"].filter((word) =>
      script.includes(word),
    );
  };
  expect(await wordsIn({ NODE_ENV: "development" })).toHaveLength(4);
  expect(await wordsIn({})).toEqual([]);
});
