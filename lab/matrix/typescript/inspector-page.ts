import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { LaneName } from "../sighting.ts";
import { projectFile } from "./kit.ts";

interface InspectorPage {
  /** Of the MCP server. */
  url: string;
  lane: LaneName;
  /** Of the Inspector's page. */
  port: number;
  /** The folder of what it stores. */
  artifacts: string;
}

/** Where the Inspector is installed. */
export const inspector = projectFile("@modelcontextprotocol/inspector");

/** Runs `mcp-inspector --transport … --server-url …`, until its page can be had. */
export async function startInspector({ url, lane, port, artifacts }: InspectorPage): Promise<ChildProcess> {
  const launcher = join(inspector, "clients/launcher/build/index.js");
  const transport: Record<LaneName, string> = { sse: "sse", mcp: "http" };
  const child = spawn(process.execPath, [launcher, "--transport", transport[lane], "--server-url", url], {
    stdio: ["ignore", "pipe", "ignore"],
    env: {
      ...process.env,
      CLIENT_PORT: String(port),
      MCP_SANDBOX_PORT: "0",
      MCP_AUTO_OPEN_ENABLED: "false",
      DANGEROUSLY_OMIT_AUTH: "true",
      MCP_STORAGE_DIR: join(artifacts, "storage"),
      HOME: join(artifacts, "home"),
    },
  });
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, "exit").then(() => Promise.reject(new Error("the Inspector ended before its page was up")));
  const up = new Promise<void>((resolve) => lines.on("line", (line) => line.includes("up and running") && resolve()));
  await Promise.race([up, ended]);
  // From here on it ends because it is told to.
  ended.catch(() => undefined);
  return child;
}
