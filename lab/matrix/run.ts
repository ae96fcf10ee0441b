import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { Opening } from "../../test/fixtures/matrix.ts";
import { offline } from "../../test/support/bundle.ts";
import { startEdge } from "../../test/support/edge-server.ts";
import { startServed } from "../../test/support/served-process.ts";
import { startNginx } from "../self-hosted/nginx.ts";
import { findOnPath, kitDirectory, type KitName, type KitState, prepareKit } from "./kits.ts";
import { type Row, rows, type Variant } from "./rows.ts";
import {
  judge,
  judgeElicitation,
  judgeLog,
  judgeMemory,
  judgeOpenings,
  judgeSampling,
  type LaneName,
  type Sighting,
} from "./sighting.ts";
import { type Cell, formatTable, perLane, type TableRow } from "./table.ts";

/** A client that hangs is ended after this long. The slowest starts a browser or a virtual machine. */
const clientTimeoutMs = 90_000;

const { values: options } = parseArgs({
  options: {
    /** Writes the table's data there. */
    json: { type: "string" },
    /** Runs only the clients whose name contains this. */
    only: { type: "string", default: "" },
    /** Against a server that prefers sessions. */
    preferred: { type: "boolean", default: false },
    /** Against `mcp-edge serve` behind nginx with the configuration of examples/self-hosted; nginx must be there. */
    served: { type: "boolean", default: false },
  },
});

// The server runs in this process, and waits for no network.
Object.assign(process.env, offline);

const chosen = rows.filter(({ client }) => client.toLowerCase().includes(options.only.toLowerCase()));
if (chosen.length === 0) throw new Error(`No client is called ${options.only}.`);
const kits = await prepareKits(new Set(chosen.map(({ kit }) => kit)));
const fixture = `test/fixtures/matrix${options.preferred ? "-preferred" : ""}.ts`;
const server = options.served ? await startBehindNginx(fixture) : await startEdge(fixture);
const table: TableRow[] = [];
try {
  for (const row of chosen) {
    const seen = await runRow(row, kits.get(row.kit), server);
    console.error(`${seen.client} ${seen.version}: ${seen.faults.length === 0 ? "done" : seen.faults.join("; ")}`);
    table.push(seen);
  }
} finally {
  await server.close();
}

console.log(formatTable(table));
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(table, null, 2)}\n`);
if (table.some(({ faults }) => faults.length > 0)) process.exitCode = 1;

/** What the clients are shown. */
interface Server {
  url: string;
  close(): Promise<void>;
}

async function startBehindNginx(main: string): Promise<Server> {
  const served = await startServed(main);
  const nginx = await startNginx(served.port);
  return {
    url: nginx.url,
    close: async () => {
      await nginx.close();
      await served.close();
    },
  };
}

async function prepareKits(names: Set<KitName>): Promise<Map<KitName, KitState>> {
  const states = new Map<KitName, KitState>();
  for (const name of names) {
    console.error(`Installing the ${name} clients into .cache/clients, unless they are there…`);
    states.set(name, await prepareKit(name));
  }
  return states;
}

async function runRow(row: Row, kit: KitState | undefined, { url }: Server): Promise<TableRow> {
  if (kit?.state === "no toolchain") return withoutRun(row, "not run", { why: `needs ${kit.missing}` });
  for (const needed of row.needs ?? []) {
    if ((await findOnPath(needed)) === undefined) return withoutRun(row, "not run", { why: `needs ${needed}` });
  }
  if (kit?.state !== "ready") {
    return withoutRun(row, "failed", { faults: [`it could not be installed: ${kit?.why ?? ""}`] });
  }
  const result = withoutRun(row, "–", {});
  const revision: Partial<Record<LaneName, string>> = {};
  const memory: Partial<Record<LaneName, string>> = {};
  for (const lane of row.lanes) {
    for (const variant of [undefined, ...(row.variants ?? [])]) {
      const seen = await look(row, { url: `${url}/${lane}`, lane, variant }).catch((error: Error) => error);
      const where = variant === undefined ? `/${lane}` : `/${lane}, ${variant}`;
      const note = (column: LaneName | "elicitation" | "sampling" | "log", faults: string[]): void => {
        result.faults.push(...faults.map((fault) => `${where}: ${fault}`));
        if (result[column] !== "failed") result[column] = faults.length === 0 ? "passed" : "failed";
      };
      note(lane, judgeOpenings(await openingsAt(url)));
      if (seen instanceof Error) {
        note(lane, [seen.message]);
        continue;
      }
      const remembered = judgeMemory(seen, row);
      note(lane, [...judge(seen, row.can), ...remembered.faults]);
      if (row.can.elicitation) note("elicitation", judgeElicitation(seen));
      if (row.can.sampling) note("sampling", judgeSampling(seen));
      if (row.can.log) note("log", judgeLog(seen));
      result.version = seen.version;
      revision[lane] = seen.revision;
      memory[lane] = remembered.memory;
    }
  }
  return { ...result, revision: perLane(revision), memory: perLane(memory) };
}

/** A row of which nothing was seen; `cell` stands where something would be. */
function withoutRun({ client, lanes, can }: Row, cell: Cell, more: Partial<TableRow>): TableRow {
  const where = (does: boolean): Cell => (does ? cell : "–");
  return {
    client,
    version: "",
    sse: where(lanes.includes("sse")),
    mcp: where(lanes.includes("mcp")),
    elicitation: where(can.elicitation),
    sampling: where(can.sampling),
    log: where(can.log),
    revision: "–",
    memory: "–",
    faults: [],
    ...more,
  };
}

/** How the streams began that were opened since the last time. */
async function openingsAt(url: string): Promise<Opening[]> {
  return (await (await fetch(`${url}/test/openings`)).json()) as Opening[];
}

interface Target {
  url: string;
  lane: LaneName;
  variant: Variant | undefined;
}

/** Runs a client's program and reads what it has seen: the last line it prints. */
async function look({ program, kit }: Row, { url, lane, variant }: Target): Promise<Sighting> {
  const [command = "", ...given] = program;
  const args = [...given, ...(variant === undefined ? [] : [variant]), url, lane];
  const child = spawn(command, args, { cwd: kitDirectory(kit), timeout: clientTimeoutMs });
  let printed = "";
  let complaints = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (printed += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (complaints += chunk));
  const code = await new Promise<number | null>((resolve, reject) => child.on("close", resolve).on("error", reject));
  const last = printed.trim().split("\n").at(-1) ?? "";
  if (code === 0 && last.startsWith("{")) return JSON.parse(last) as Sighting;
  const said = `${printed}\n${complaints}`.trim().split("\n").slice(-12).join("\n");
  throw new Error(
    code === null ? `it did not end within ${clientTimeoutMs} ms: ${said}` : `exit code ${code}: ${said}`,
  );
}
