import { readFile, readdir, readlink } from "node:fs/promises";
import { parseArgs } from "node:util";
import { descriptorsFor } from "../../src/serve/descriptors.ts";
import { type ServedProcess, startServed } from "../../test/support/served-process.ts";
import { clientKinds, connectClient, type TortureClient } from "../torture/clients.ts";
import { startNginx } from "./nginx.ts";

/**
 * `npm run try:crowd -- [--sessions 1000] [--nginx]`: so many sessions of three kinds of clients on `mcp-edge serve`, which may
 * open just as many files as it says that they need. All call at once; it is stopped under them, and killed. Prints what a
 * session takes. Ends with 1 if a call was lost, or a client has another session than before. Linux only.
 */
const { values } = parseArgs({
  options: { sessions: { type: "string", default: "1000" }, nginx: { type: "boolean", default: false } },
});
const count = Number(values.sessions);
const descriptors = descriptorsFor(count);
const connectedAtOnce = 20;
/** Running when it is stopped, and for longer than it is given to stop. */
const callMs = 10_000;
/** Late is not lost, on a machine that has other things to do. */
const lostAfterMs = 600_000;

const faults: string[] = [];
/** POSTs of calls that were answered: from then on a call is answered, whatever happens. */
let accepted = 0;
noteAccepted();

/** Descriptors of its workerd since calls were made. */
let most = 0;
const served = await startServed("test/fixtures/torture.ts", { descriptors });
const nginx = values.nginx ? await startNginx(served.port) : undefined;
const clients: TortureClient[] = [];
try {
  console.log(served.output().trim());
  const empty = await takenBy(served);
  setInterval(() => void notePeak(), 250).unref();
  await connectAll(nginx?.url ?? served.url);
  const before = await sessionIds();
  console.log(`${new Set(before).size} sessions`);
  await untilHibernated();
  tell("idle", empty, await takenBy(served));
  await callAll("nothing happens", async () => tell("busy", empty, await takenBy(served)));
  await callAll("it is stopped (SIGTERM) and started", async () => {
    await served.stop();
    await served.restart();
  });
  await expectSame(before, "a stop");
  await callAll("both its processes are killed (kill -9) and started", async () => {
    await served.kill();
    await served.restart();
  });
  await expectSame(before, "kill -9");
  await untilHibernated();
  tell("idle again", empty, await takenBy(served));
} catch (error) {
  console.log(complaints());
  throw error;
} finally {
  await Promise.all(clients.map((client) => client.close()));
  await nginx?.close();
  await served.close();
}
for (const fault of faults) console.log(`LOST: ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);

async function connectAll(url: string): Promise<void> {
  for (let opened = 0; opened < count; opened += connectedAtOnce) {
    const batch = Array.from({ length: Math.min(connectedAtOnce, count - opened) }, (_, n) =>
      connectClient(clientKinds[(opened + n) % clientKinds.length] ?? "sdk-v1", url),
    );
    clients.push(...(await Promise.all(batch)));
  }
}

/** A call of each session that takes its time, and what happens once all of them are accepted. */
async function callAll(what: string, happens: () => Promise<void>): Promise<void> {
  accepted = 0;
  most = 0;
  let failed = 0;
  const calledAt = performance.now();
  const outcomes = new Map<string, number>();
  const calls = clients.map(async (client, n) => {
    const outcome = await client.call("repeatable", { n, ms: callMs, bytes: 10 }, lostAfterMs).then(
      (text) => (text === `${n}:xxxxxxxxxx` ? "answered" : `answered wrongly: ${text}`),
      (error: Error) => `failed: ${error.message}`,
    );
    if (outcome !== "answered") failed += 1;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  });
  await until(() => accepted + failed >= count);
  await happens();
  await Promise.all(calls);
  const seconds = Math.round((performance.now() - calledAt) / 1_000);
  console.log(
    `A call in each, and ${what}: ${[...outcomes].map(([outcome, n]) => `${n} ${outcome}`).join(", ")} within ${seconds} s; at most ${most} descriptors, ${(most / count).toFixed(2)} a session`,
  );
  faults.push(...[...outcomes].filter(([outcome]) => outcome !== "answered").map(([outcome, n]) => `${n} ${outcome}`));
}

/** What it wrote that is no line of its log. */
function complaints(): string {
  const lines = served.output().split("\n");
  return lines.filter((line) => !line.startsWith("{")).join("\n");
}

function sessionIds(): Promise<string[]> {
  return Promise.all(clients.map((client) => client.call("session", {}, lostAfterMs)));
}

async function expectSame(before: string[], what: string): Promise<void> {
  const after = await sessionIds();
  const others = after.filter((id, n) => id !== before[n]).length;
  console.log(`After ${what}: ${count - others} of ${count} clients are in their own session`);
  if (others > 0) faults.push(`${others} sessions by ${what}`);
}

/** All three kinds of clients POST by it. */
function noteAccepted(): void {
  const { fetch: real } = globalThis;
  globalThis.fetch = async (input, init) => {
    const response = await real(input, init);
    const isCall = typeof init?.body === "string" && init.body.includes('"repeatable"');
    if (isCall && response.status === 202) accepted += 1;
    return response;
  };
}

interface Taken {
  descriptors: number;
  memoryBytes: number;
}

/** What its workerd has now. */
async function takenBy(process: ServedProcess): Promise<Taken> {
  const status = await readFile(`/proc/${await process.workerdPid()}/status`, "utf8");
  return {
    descriptors: (await filesOf(process)).length,
    memoryBytes: 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]),
  };
}

/** Reading their names takes longer than they may be open. */
async function notePeak(): Promise<void> {
  const now = await served
    .workerdPid()
    .then((pid) => readdir(`/proc/${pid}/fd`))
    .catch(() => []);
  most = Math.max(most, now.length);
}

/** What its workerd has open. */
async function filesOf(process: ServedProcess): Promise<string[]> {
  const folder = `/proc/${await process.workerdPid()}/fd`;
  // One that was closed meanwhile is none.
  const names = (await readdir(folder)).map((name) => readlink(`${folder}/${name}`).catch(() => ""));
  return (await Promise.all(names)).filter((name) => name !== "");
}

/** An object that has nothing to do gives back its database some ten seconds later. */
async function untilHibernated(): Promise<void> {
  await until(async () => !(await filesOf(served)).some((name) => /[0-9a-f]{64}\.sqlite/.test(name)));
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 100));
}

function tell(state: string, empty: Taken, now: Taken): void {
  const kib = (now.memoryBytes - empty.memoryBytes) / 1024 / count;
  const files = (now.descriptors - empty.descriptors) / count;
  const mib = Math.round(now.memoryBytes / 1024 / 1024);
  console.log(
    `${state}: ${now.descriptors} of ${descriptors} descriptors, ${files.toFixed(2)} a session; ` +
      `${mib} MiB resident, ${kib.toFixed(0)} KiB a session`,
  );
}
