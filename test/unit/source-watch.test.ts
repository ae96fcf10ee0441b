import { mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { watchSources } from "../../src/dev/source-watch.ts";

const folder = mkdtempSync(join(tmpdir(), "mcp-edge-watch-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("what npm start writes itself into a file of the project, or anybody into a log, is no source that was saved", async () => {
  const output = openSync(join(folder, "output.txt"), "w");
  const saved: string[] = [];
  watchSources(folder, (path) => saved.push(path), [output]);
  writeSync(output, "Save a source, and it starts again.\n");
  writeFileSync(join(folder, "server.log"), "tee\n");
  writeFileSync(join(folder, "server.ts"), "");
  await expect.poll(() => saved).toContain("server.ts");
  expect(new Set(saved)).toEqual(new Set(["server.ts"]));
});
