import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { bundleDirectory, offline, root } from "../support/bundle.ts";
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

/** A line of the compiler's about what is the user's. */
const hers = /^(src\/(server|worker|stdio|env\.d)|test\/[^/]+)\.ts\(/;

test("with secrets of a user's among the types, all that is ours compiles", async () => {
  await mkdir(bundleDirectory(), { recursive: true });
  const folder = await mkdtemp(join(bundleDirectory(), "types-"));
  try {
    // What npm run types writes for `required = ["THEIR_KEY"]`.
    const secret = "THEIR_KEY: string";
    await writeFile(
      join(folder, "their-env.d.ts"),
      `declare namespace Cloudflare { interface Env { ${secret} } }\ndeclare namespace NodeJS { interface ProcessEnv { ${secret} } }\n`,
    );
    const { include, exclude } = JSON.parse(await readFile(join(root, "tsconfig.json"), "utf8")) as Record<
      string,
      string[]
    >;
    const inRoot = (paths: string[] = []): string[] => paths.map((path) => join(root, path));
    const config = {
      extends: join(root, "tsconfig.json"),
      include: [...inRoot(include), "their-env.d.ts"],
      exclude: inRoot(exclude),
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = [join(root, "node_modules/typescript/bin/tsc"), "--project", folder];
    const said = await run(process.execPath, tsc, { cwd: root }).catch((error: { stdout: string }) => error);
    const errors = said.stdout.split("\n").filter((line) => /^\S/.test(line) && !hers.test(line));
    expect(errors).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
