import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "./bundle.ts";
import { initialize, postJson, RawSseClient } from "./raw-client.ts";
import { RawMcpClient } from "./raw-mcp-client.ts";

/** One request, and the JSON of all that came on account of it, as it came; the answer is the last. */
type Ask = (method: string, params: Record<string, unknown>, headers?: Record<string, string>) => Promise<string[]>;

export interface WireLane {
  ask: Ask;
  /** What the process wrote for its developer; nothing on the edge, whose log is one for all lanes. */
  log(): string;
  close(): void;
}

const statelessVersion = "2026-07-28";

/** The lines of an event stream that carry a message, or a JSON body. */
function messagesIn(body: string): string[] {
  if (!body.includes("data: ")) return [body];
  return Array.from(body.matchAll(/^data: (?<json>\{.*)$/gmu), ({ groups }) => groups?.["json"] ?? "");
}

async function openSse(base: string): Promise<WireLane> {
  const client = await RawSseClient.open(base);
  let id = 0;
  return {
    async ask(method, params, headers) {
      id += 1;
      const own = id;
      await client.post({ jsonrpc: "2.0", id: own, method, params }, headers);
      const came: string[] = [];
      for (;;) {
        const { data } = await client.stream.next(({ event }) => event === "message");
        came.push(data);
        const message = JSON.parse(data) as Record<string, unknown>;
        if (message["id"] === own && !("method" in message)) return came;
      }
    },
    log: () => "",
    close: () => client.close(),
  };
}

async function openMcp(base: string): Promise<WireLane> {
  const client = await RawMcpClient.open(base);
  let id = 0;
  return {
    async ask(method, params, headers) {
      const response = await client.post({ jsonrpc: "2.0", id: ++id, method, params }, headers);
      return messagesIn(await response.text());
    },
    log: () => "",
    close: () => undefined,
  };
}

/** A request of the stateless revision, and the headers that go with it. */
function stateless(method: string, params: Record<string, unknown>) {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": statelessVersion,
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/logLevel": "info",
    ...(params["_meta"] as object | undefined),
  };
  const headers: Record<string, string> = { "mcp-protocol-version": statelessVersion, "mcp-method": method };
  const name = params["name"] ?? params["uri"];
  if (typeof name === "string") headers["mcp-name"] = name;
  return { headers, params: { ...params, _meta: meta } };
}

function openStateless(base: string): WireLane {
  return {
    async ask(method, given, more) {
      const { headers, params } = stateless(method, given);
      const response = await postJson(
        `${base}/mcp`,
        { jsonrpc: "2.0", id: 1, method, params },
        { ...headers, ...more },
      );
      return messagesIn(await response.text());
    },
    log: () => "",
    close: () => undefined,
  };
}

async function openStdio(main: string): Promise<WireLane> {
  const child = spawn(process.execPath, [join(root, main)], { stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const came: string[] = [];
  let wake = (): void => undefined;
  // Not by readline, for which a line ends at U+2028 as well.
  let rest = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    came.push(...parts);
    wake();
  });
  let id = 0;
  const ask: Ask = async (method, params) => {
    id += 1;
    const own = id;
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: own, method, params })}\n`);
    const isAnswer = (line: string): boolean => {
      const message = JSON.parse(line) as Record<string, unknown>;
      return message["id"] === own && !("method" in message);
    };
    while (!came.some(isAnswer)) await new Promise<void>((resolve) => (wake = resolve));
    return came.splice(0);
  };
  await ask("initialize", initialize().params);
  child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })}\n`);
  return { ask, log: () => errors, close: () => child.stdin.end() };
}

export const lanes = ["/sse", "/mcp", "stateless", "stdio"] as const;

/** `base` serves on the edge what `stdioMain` (a path from the root) serves over stdio. */
export async function openLane(
  lane: (typeof lanes)[number],
  { base, stdioMain }: { base: string; stdioMain: string },
): Promise<WireLane> {
  switch (lane) {
    case "/sse":
      return await openSse(base);
    case "/mcp":
      return await openMcp(base);
    case "stateless":
      return openStateless(base);
    case "stdio":
      return await openStdio(stdioMain);
  }
}
