import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/bundle.ts";

const folder = join(root, ".github/workflows");

test("every action of a workflow is pinned by commit, with the version that it is beside it: a tag can be moved", async () => {
  const workflows = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), "utf8")));
  const used = workflows.flatMap((text) => Array.from(text.matchAll(/uses: (.+)$/gm), ([, action = ""]) => action));
  expect(used.length).toBeGreaterThan(0);
  expect(used.filter((action) => !/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([]);
});

test("a release publishes what npm run pack makes, of the tag's version, with provenance, after all tests", async () => {
  const text = await readFile(join(folder, "release.yml"), "utf8");
  const runs = Array.from(text.matchAll(/^ +(?:- )?run: (?<run>.+)$/gm), ({ groups }) => groups?.["run"] ?? "");
  const packed = ["mcp-edge", "create-mcp-edge"].map(
    (name) => `npm publish --provenance --access public .cache/pack/${name}-*.tgz`,
  );
  expect(runs).toEqual([expect.stringContaining('= "v$(node -p'), ".ci/run", "npm run pack", ...packed]);
  expect(text).toContain("id-token: write");
});
