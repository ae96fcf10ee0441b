import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { browserOnPath } from "../support/browser-on-path.ts";
import { root } from "../support/bundle.ts";
import { freePort } from "../support/free-port.ts";
import { IdentityProvider } from "../support/identity-provider.ts";
import { type LoginExample, startLoginExample } from "../support/login-example.ts";

const run = promisify(execFile);
const launcher = join(root, "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js");

let provider: IdentityProvider;
let example: LoginExample;

beforeAll(async () => {
  provider = await IdentityProvider.start();
  example = await startLoginExample({ OPENID_ISSUER: provider.issuer });
});

afterAll(async () => {
  await example.close();
  await provider.close();
});

test.each(["sse", "mcp"])("Inspector --cli on /%s: it opens a browser, and its call is answered", async (lane) => {
  await using browser = await browserOnPath();
  const home = await mkdtemp(join(tmpdir(), "mcp-edge-inspector-"));
  try {
    const url = `${example.url}/${lane}`;
    const callback = `http://127.0.0.1:${await freePort()}/oauth/callback`;
    const call = ["--method", "tools/call", "--tool-name", "add", "--tool-arg", "a=25", "--tool-arg", "b=25"];
    const { stdout } = await run(process.execPath, [launcher, "--cli", url, "--callback-url", callback, ...call], {
      env: { ...process.env, ...browser.env, HOME: home, MCP_STORAGE_DIR: home, MCP_AUTO_OPEN_ENABLED: "true" },
      timeout: 120_000,
    });
    expect(JSON.parse(stdout)).toMatchObject({ content: [{ type: "text", text: "50" }] });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
