import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { clonedConfig, root } from "./bundle.ts";

const run = promisify(execFile);

/** This project in a folder of its own, to be changed and to be run by its npm scripts. */
export interface ProjectCopy extends AsyncDisposable {
  folder: string;
  /** Writes a file, whose path is from the folder. */
  write(path: string, text: string): Promise<void>;
  /** The same as most editors save: another file takes its place. */
  replace(path: string, text: string): Promise<void>;
  /** What the compiler says about `files`, the entries and all that they import; empty if nothing. */
  typeErrors(...files: string[]): Promise<string>;
}

/** What an npm script of a server needs, and its users' tests. */
const copied = ["src", "examples", "test/fixtures/example-server.ts", ".npmrc", "package.json", "tsconfig.json"];

const entries = ["src/worker.ts", "src/stdio.ts", "src/env.d.ts"];

/** Its `src/server.ts`. Those of the repository, its Worker and its configuration are the user's. */
export const exampleServer =
  'export { createExampleServer as createServer } from "../test/fixtures/example-server.ts";\n';

const clonedWorker = `import { edge } from "mcp-edge";
import { createServer } from "./server.ts";

const app = edge(createServer);

export class Session extends app.Session {}

export default { fetch: app.fetch };
`;

/** A copy that serves the example server, with the configuration of a fresh clone. */
export async function copyProject(): Promise<ProjectCopy> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-copy-"));
  for (const path of copied) await cp(join(root, path), join(folder, path), { recursive: true });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  const replace = async (path: string, text: string): Promise<void> => {
    await write(`${path}~`, text);
    await rename(join(folder, `${path}~`), join(folder, path));
  };
  const typeErrors = async (...files: string[]): Promise<string> => {
    const config = { extends: "./tsconfig.json", include: [], files: [...entries, ...files] };
    await write("tsconfig.files.json", JSON.stringify(config));
    const tsc = [join(root, "node_modules/typescript/bin/tsc"), "--project", "tsconfig.files.json"];
    return (await run(process.execPath, tsc, { cwd: folder }).catch((error: { stdout: string }) => error)).stdout;
  };
  await cp(clonedConfig, join(folder, "wrangler.toml"));
  await write("src/worker.ts", clonedWorker);
  await write("src/server.ts", exampleServer);
  return {
    folder,
    write,
    replace,
    typeErrors,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
