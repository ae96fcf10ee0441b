import { type ChildProcess, spawn } from "node:child_process";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { freePort } from "../../test/support/free-port.ts";
import { connectV2 } from "../../test/support/official-clients.ts";
import { untilServing } from "../../test/support/until-serving.ts";
import { startWorkerd } from "../../test/support/workerd-process.ts";
import { kitDirectory, type KitName, prepareKit, pythonOf } from "../matrix/kits.ts";
import { connectTaskClient } from "../torture/task-clients.ts";

/**
 * `npm run cuts -- [--only NAME]`: what becomes of a call of 9 s whose connections are cut, and whether a server remembers, for
 * each client as it comes, on each server. One table.
 */

/** After it was sent, milliseconds: before a call becomes a task, and after that. */
const cutAfterMs = { early: 2_500, late: 7_000 };
const callArguments = { from: 90, stepMs: 100 };

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });

interface Served {
  name: string;
  url: string;
  headers: Record<string, string>;
  arguments: Record<string, number>;
  lanes: string[];
  close(): Promise<void>;
}

interface Seen {
  revision: string;
  recalled: string;
  cut: string;
}

interface Client {
  name: string;
  lane: "sse" | "mcp";
  /** `onCalling`: once the call is on its way. */
  see(server: Served, url: string, onCalling: () => void): Promise<Seen>;
}

/** Passes everything on, until all of it is cut at once. */
async function startProxy(target: string) {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      // What is cut has errors; the close says all.
      socket.on("error", () => undefined);
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      for (const socket of open) socket.resetAndDestroy();
    },
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

const textOf = (result: unknown): string =>
  (result as { content?: { text?: string }[] }).content?.[0]?.text ?? JSON.stringify(result);

const failing = (error: unknown): string => `failed: ${String(error)}`;

const typescript = (name: string, lane: "sse" | "mcp", mode: "legacy" | "auto"): Client => ({
  name,
  lane,
  async see({ headers, arguments: given }, url, onCalling) {
    const client = await connectV2(`${url}/${lane}`, lane === "sse" ? "sse" : "http", { mode, headers });
    const call = (tool: string, args: Record<string, unknown>) =>
      client.send({ method: "tools/call", params: { name: tool, arguments: args } }).then(textOf, failing);
    await call("remember", { key: "colour", value: "green" });
    const recalled = await call("recall", { key: "colour" });
    onCalling();
    const cut = await call("countdown", given);
    const revision = client.revision() ?? "";
    await client.close();
    return { revision, recalled, cut };
  },
});

const extTasks: Client = {
  name: "TypeScript SDK 2, auto, with ext-tasks",
  lane: "mcp",
  async see({ headers, arguments: given }, url, onCalling) {
    const client = await connectTaskClient("ext-tasks", url, headers);
    const call = async (tool: string, args: Record<string, unknown>): Promise<string> => {
      const begun = await client.begin(tool, args);
      return typeof begun === "string" ? begun : await begun.settle(40_000);
    };
    await call("remember", { key: "colour", value: "green" }).catch(failing);
    const recalled = await call("recall", { key: "colour" }).catch(failing);
    onCalling();
    const cut = await call("countdown", given).catch(failing);
    await client.close();
    return { revision: client.revision ?? "–", recalled, cut };
  },
};

const fastMcp = (name: string, lane: "sse" | "mcp", { mode, kit }: { mode: string; kit: KitName }): Client => ({
  name,
  lane,
  async see({ headers, arguments: given }, url, onCalling) {
    const program = join(import.meta.dirname, "client.py");
    const args = [program, `${url}/${lane}`, lane, mode, JSON.stringify(headers), JSON.stringify(given)];
    const child = spawn(pythonOf(kitDirectory(kit)), args, { stdio: ["ignore", "pipe", "ignore"] });
    let last = "{}";
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === "calling") onCalling();
      last = line;
    }
    const {
      revision = "–",
      recalled = "failed",
      cut = "failed",
    } = JSON.parse(last.startsWith("{") ? last : "{}") as Partial<Seen>;
    return { revision, recalled, cut };
  },
});

const clients: Client[] = [
  typescript("TypeScript SDK 2, default", "sse", "legacy"),
  typescript("TypeScript SDK 2, default", "mcp", "legacy"),
  typescript("TypeScript SDK 2, auto", "mcp", "auto"),
  extTasks,
  fastMcp("FastMCP 4.2.3, default", "mcp", { mode: "auto", kit: "python" }),
  fastMcp("FastMCP 4.1.4 with fastmcp-tasks", "mcp", { mode: "auto", kit: "python-tasks" }),
  fastMcp('FastMCP 4.2.3, mode="legacy"', "mcp", { mode: "legacy", kit: "python" }),
  fastMcp("FastMCP 4.2.3", "sse", { mode: "legacy", kit: "python" }),
];

const worker = (name: string, main: string, more: Partial<Served> = {}) => ({
  name,
  async start(): Promise<Served> {
    const { url, close } = await startWorkerd({ main });
    return { name, url, headers: {}, arguments: callArguments, lanes: ["sse", "mcp"], close, ...more };
  },
});

const fastMcpServer = {
  name: "FastMCP 4.2.3 under Uvicorn",
  async start(): Promise<Served> {
    const port = await freePort();
    const program = join(import.meta.dirname, "peers/fastmcp_server.py");
    const child: ChildProcess = spawn(pythonOf(kitDirectory("python")), [program, String(port), "mcp"], {
      stdio: "ignore",
    });
    const url = `http://127.0.0.1:${port}`;
    await untilServing(url, child);
    const close = async (): Promise<void> => void child.kill();
    return { name: fastMcpServer.name, url, headers: {}, arguments: { stepMs: 150 }, lanes: ["mcp"], close };
  },
};

const servers = [
  worker("mcp-edge, as it comes", "test/fixtures/example.ts"),
  worker('mcp-edge, sessions: "preferred"', "test/fixtures/sessions-preferred.ts"),
  worker("mcp-edge, with a login", "lab/cuts/peers/login.ts", { headers: { authorization: "Bearer key-of-ann" } }),
  worker("createMcpHandler of agents", "lab/cuts/peers/agents.ts", { lanes: ["mcp"] }),
  fastMcpServer,
].filter(({ name }) => name.includes(values.only));

for (const kit of ["python", "python-tasks"] as const) {
  const state = await prepareKit(kit);
  if (state.state !== "ready") console.log(`${kit}: ${JSON.stringify(state)}`);
}

const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
const columns = ["server", "client", "URL", "negotiates", "cut after 2.5 s", "cut after 7 s", "recall"];
const rows = [line(columns), line(columns.map(() => "---"))];
for (const { start } of servers) {
  const server = await start();
  // Side by side: each has a proxy of its own.
  const seen = await Promise.all(
    clients.filter(({ lane }) => server.lanes.includes(lane)).map(async (client) => await seeCut(client, server)),
  );
  rows.push(...seen);
  console.log(seen.join("\n"));
  await server.close();
}
console.log(`\n${rows.join("\n")}`);

async function seeCut(client: Client, server: Served): Promise<string> {
  const [early, late] = await Promise.all(
    Object.values(cutAfterMs).map(async (afterMs) => {
      const proxy = await startProxy(server.url);
      let wasCut = false;
      const cutLater = () =>
        void setTimeout(() => {
          wasCut = true;
          proxy.cut();
        }, afterMs);
      const seen = await client.see(server, proxy.url, cutLater).catch((error: unknown) => ({
        revision: "–",
        recalled: failing(error),
        cut: failing(error),
      }));
      proxy.close();
      console.error(
        `${server.name}, ${client.name} /${client.lane}, ${afterMs} ms: ${JSON.stringify({ ...seen, wasCut })}`,
      );
      return seen;
    }),
  );
  const outcome = (said = "failed"): string => (said.startsWith("Counted") ? "answered" : "**failed**");
  const memory = early?.recalled === "green" ? "remembers" : "no";
  return line([
    server.name,
    client.name,
    `/${client.lane}`,
    early?.revision ?? "–",
    outcome(early?.cut),
    outcome(late?.cut),
    memory,
  ]);
}
