import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { offline, root } from "./bundle.ts";
import { freePort } from "./free-port.ts";
import { untilServing } from "./until-serving.ts";

export interface LoginExample {
  /** `http://localhost:<port>` */
  url: string;
  output(): string;
  close(): Promise<void>;
}

/** `wrangler dev` of examples/login with these variables. Its state is gone when it is closed. */
export async function startLoginExample(vars: Record<string, string>): Promise<LoginExample> {
  const state = await mkdtemp(join(tmpdir(), "mcp-edge-login-"));
  const port = await freePort();
  const set = Object.entries({ LOGIN_CLIENT_ID: "mcp-edge", LOGIN_CLIENT_SECRET: "hush", ALLOWED_USERS: "*", ...vars });
  const child = spawn(
    process.execPath,
    [
      join(root, "node_modules/wrangler/bin/wrangler.js"),
      "dev",
      "--config",
      join(root, "examples/login/wrangler.toml"),
      `--port=${port}`,
      "--inspector-port=0",
      `--persist-to=${state}`,
      ...set.flatMap(([name, value]) => ["--var", `${name}:${value}`]),
    ],
    // A group of its own: wrangler starts more than one process.
    {
      cwd: root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...offline, NODE_ENV: "development" },
    },
  );
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise((resolve) => child.once("close", resolve));
  const url = `http://localhost:${port}`;
  const close = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    await ended;
    await rm(state, { recursive: true, force: true });
  };
  await untilServing(url, child).catch(async (error: unknown) => {
    await close();
    throw new Error(`wrangler dev: ${String(error)}\n${output}`, { cause: error });
  });
  return { url, output: () => output, close };
}
