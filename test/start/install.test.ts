import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/bundle.ts";
import { npmRun } from "./npm-run.ts";

test("what npm ci runs at its end links a command that is missing, as npm 10 leaves it, and says nothing", async () => {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const { postinstall } = scripts as { postinstall: string };
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-install-"));
  try {
    const dependency = join(folder, "node_modules/platform-node");
    await mkdir(dependency, { recursive: true });
    const bin = { "a-node": "a-node" };
    await writeFile(join(dependency, "package.json"), JSON.stringify({ name: "platform-node", version: "1.0.0", bin }));
    await writeFile(join(dependency, "a-node"), "#!/usr/bin/env node\n");
    const project = {
      name: "mcp-edge",
      private: true,
      scripts: { postinstall },
      dependencies: { "platform-node": "*" },
    };
    await writeFile(join(folder, "package.json"), JSON.stringify(project));
    const run = npmRun(["run", "--silent", "postinstall"], folder);
    expect(await run.ended).toBe(0);
    expect(run.output()).toBe("");
    expect((await readdir(join(folder, "node_modules/.bin"))).filter((name) => name.startsWith("a-node"))).not.toEqual(
      [],
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
