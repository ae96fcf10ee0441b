import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { offline, root } from "../support/bundle.ts";

const run = promisify(execFile);

test("npm run types writes what wrangler.toml declares, and nothing of a local secret: every clone has the same", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-types-"));
  try {
    for (const name of ["src", "package.json", "wrangler.toml"]) {
      await cp(join(root, name), join(folder, name), { recursive: true });
    }
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
    await writeFile(join(folder, ".dev.vars"), "API_KEY=local\n");
    const env = { ...process.env, ...offline };
    await run("npm", ["run", "types"], { cwd: folder, env });
    const types = join("src", "env.d.ts");
    expect(await readFile(join(folder, types), "utf8")).toBe(await readFile(join(root, types), "utf8"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
