import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { offline } from "../../support/bundle.ts";
import { type EdgeServer, startEdge } from "../../support/edge-server.ts";
import { findOnPath, kitDirectory, type KitName, type KitState, prepareKit } from "./kits.ts";
import { type Row, rows } from "./rows.ts";
import { judge, judgeElicitation, judgeSampling, type LaneName, type Sighting } from "./sighting.ts";
import { type Cell, formatTable, type TableRow } from "./table.ts";

/** A client that hangs is ended after this long. The slowest starts a browser or a virtual machine. */
const clientTimeoutMs = 90_000;

const { values: options } = parseArgs({
  options: {
    /** Writes the table's data there. */
    json: { type: "string" },
    /** Runs only the clients whose name contains this. */
    only: { type: "string", default: "" },
  },
});

// The server runs in this process, and waits for no network.
Object.assign(process.env, offline);

const chosen = rows.filter(({ client }) => client.toLowerCase().includes(options.only.toLowerCase()));
if (chosen.length === 0) throw new Error(`No client is called ${options.only}.`);
const kits = await prepareKits(new Set(chosen.map(({ kit }) => kit)));
const edge = await startEdge();
const table: TableRow[] = [];
try {
  for (const row of chosen) {
    const seen = await runRow(row, kits.get(row.kit), edge);
    console.error(`${seen.client} ${seen.version}: ${seen.faults.length === 0 ? "done" : seen.faults.join("; ")}`);
    table.push(seen);
  }
} finally {
  await edge.close();
}

console.log(formatTable(table));
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(table, null, 2)}\n`);
if (table.some(({ faults }) => faults.length > 0)) process.exitCode = 1;

async function prepareKits(names: Set<KitName>): Promise<Map<KitName, KitState>> {
  const states = new Map<KitName, KitState>();
  for (const name of names) {
    console.error(`Installing the ${name} clients into .cache/clients, unless they are there…`);
    states.set(name, await prepareKit(name));
  }
  return states;
}

async function runRow(row: Row, kit: KitState | undefined, { url }: EdgeServer): Promise<TableRow> {
  const { client, lanes, can } = row;
  const speaks = (lane: LaneName, cell: Cell): Cell => (lanes.includes(lane) ? cell : "–");
  const notRun = (why: string): TableRow => ({
    client,
    version: "",
    sse: speaks("sse", "not run"),
    mcp: speaks("mcp", "not run"),
    elicitation: can.elicitation ? "not run" : "–",
    sampling: can.sampling ? "not run" : "–",
    why,
    faults: [],
  });
  if (kit?.state === "no toolchain") return notRun(`needs ${kit.missing}`);
  for (const needed of row.needs ?? []) if ((await findOnPath(needed)) === undefined) return notRun(`needs ${needed}`);
  const result: TableRow = { client, version: "", sse: "–", mcp: "–", elicitation: "–", sampling: "–", faults: [] };
  if (kit?.state !== "ready") {
    return {
      ...result,
      sse: speaks("sse", "failed"),
      mcp: speaks("mcp", "failed"),
      faults: [`it could not be installed: ${kit?.why ?? ""}`],
    };
  }
  for (const lane of lanes) {
    const sighting = await look(row, `${url}/${lane}`, lane).catch((error: Error) => error);
    if (sighting instanceof Error) {
      result[lane] = "failed";
      result.faults.push(`/${lane}: ${sighting.message}`);
      continue;
    }
    result.version = sighting.version;
    const note = (column: LaneName | "elicitation" | "sampling", faults: string[]): void => {
      result.faults.push(...faults.map((fault) => `/${lane}: ${fault}`));
      if (result[column] !== "failed") result[column] = faults.length === 0 ? "passed" : "failed";
    };
    note(lane, judge(sighting, can));
    if (can.elicitation) note("elicitation", judgeElicitation(sighting));
    if (can.sampling) note("sampling", judgeSampling(sighting));
  }
  return result;
}

/** Runs a client's program and reads what it has seen: the last line it prints. */
async function look({ program, kit }: Row, url: string, lane: LaneName): Promise<Sighting> {
  const [command = "", ...args] = program;
  const child = spawn(command, [...args, url, lane], { cwd: kitDirectory(kit), timeout: clientTimeoutMs });
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
