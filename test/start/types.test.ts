import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { offline } from "../support/bundle.ts";
import { copyProject, type ProjectCopy } from "../support/project-copy.ts";

const run = promisify(execFile);

async function typesOf({ folder }: ProjectCopy): Promise<string> {
  await run("npm", ["run", "types"], { cwd: folder, env: { ...process.env, ...offline } });
  return readFile(join(folder, "src/env.d.ts"), "utf8");
}

test("npm run types writes what wrangler.toml declares, and nothing of a local secret: every clone has the same", async () => {
  await using project = await copyProject();
  const declared = await typesOf(project);
  expect(declared).toContain('SESSION: DurableObjectNamespace<import("./worker").Session>');
  await project.write(".dev.vars", "API_KEY=local\n");
  expect(await typesOf(project)).toBe(declared);
});
