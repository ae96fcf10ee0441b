import { expect } from "vitest";
import { root } from "../support/bundle.ts";
import { freePort } from "../support/free-port.ts";
import { type NpmRun, npmRun } from "./npm-run.ts";

/** `npm run inspector` once its page can be had, which `page` is the URL of, with its token. */
export async function startInspector(args: string[], folder = root): Promise<{ run: NpmRun; page: URL }> {
  const port = await freePort();
  const env = {
    CLIENT_PORT: String(port),
    MCP_SANDBOX_PORT: String(await freePort()),
    MCP_AUTO_OPEN_ENABLED: "false",
  };
  const run = npmRun(["run", "inspector", "--", ...args], folder, env);
  await run.written("MCP_INSPECTOR_API_TOKEN=");
  // Whole: what comes first may end in the middle of it.
  const url = new RegExp(`(http://\\S+:${port}\\S*MCP_INSPECTOR_API_TOKEN=\\w+)\\s`);
  await expect.poll(run.output).toMatch(url);
  return { run, page: new URL(url.exec(run.output())?.[1] ?? "") };
}
