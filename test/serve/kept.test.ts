import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { bearer, openMcpAs } from "../support/guarded-client.ts";
import { textOf } from "../support/raw-client.ts";
import type { RawMcpClient } from "../support/raw-mcp-client.ts";
import { type ServedProcess, startServed } from "../support/served-process.ts";
import { TaskClient } from "../support/task-client.ts";

// What has to outlive the server is its users' as much as their sessions'.

let served: ServedProcess | undefined;
afterEach(() => served?.close());

const text = (said: string) => ({ content: [{ type: "text", text: said }] });

async function restarted(server: ServedProcess, how: "stop" | "kill"): Promise<void> {
  await server[how]();
  await server.restart();
}

test("with keys a session and what its user notes are there after a stop and a kill -9, for nobody else", async () => {
  const server = (served = await startServed("test/fixtures/notes.ts"));
  const alice = await openMcpAs(server.url, bearer("alice-key-1"));
  const call = async (name: string, args?: Record<string, unknown>) =>
    textOf(await (await alice.call(name, args)).json());
  expect(await call("set", { key: "colour", value: "green" })).toBe("noted");
  for (const how of ["stop", "kill"] as const) {
    await restarted(server, how);
    expect(await call("get", { key: "colour" })).toBe('"green"');
  }
  const bob = await openMcpAs(server.url, bearer("bob-key-1"));
  expect(textOf(await (await bob.call("keys")).json())).toBe("");
  expect((await fetch(`${server.url}/sse`)).status).toBe(401);
});

test("a task goes on after a kill -9, and its result is there after a stop", async () => {
  const server = (served = await startServed("test/fixtures/tasks.ts"));
  const client = new TaskClient(server.url);
  const ran = await client.whileHeld(() => client.begin("wait", { ms: 300 }));
  const runs = await client.begin("gated-repeatable", { n: 7 });
  await client.until(ran, "completed");
  await restarted(server, "kill");
  await client.until(runs, "working");
  await fetch(`${server.url}/test/open`);
  const result = (await client.until(runs, "completed"))["result"];
  await restarted(server, "stop");
  expect(await client.get(ran)).toMatchObject({ result: { status: "completed", result: text("waited 300") } });
  expect(await client.get(runs)).toMatchObject({ result: { status: "completed", result } });
});

test("a session whose time is over while nothing serves is gone after the next start, and its file after the one behind", async () => {
  const server = (served = await startServed("test/fixtures/fragile.ts"));
  const folder = join(server.data, "mcp-edge-Session");
  const idOf = (client: RawMcpClient): string => client.sessionId.slice(0, 64);
  const logged = async (client: RawMcpClient): Promise<number> =>
    (await stat(join(folder, `${idOf(client)}.sqlite-wal`)).catch(() => ({ size: 0 }))).size;
  /** Killed while that session lives, which is for 5 s after its last message: once more where the machine took longer. */
  const killWithSession = async (): Promise<RawMcpClient> => {
    const client = await openMcpAs(server.url, {});
    await (await client.call("recall")).text();
    await server.kill();
    if ((await logged(client)) > 0) return client;
    await server.restart();
    return await killWithSession();
  };
  const client = await killWithSession();
  await server.restart();
  // Nobody asks for it: its alarm does.
  await expect.poll(() => logged(client)).toBe(0);
  expect((await client.call("recall")).status).toBe(404);
  await restarted(server, "stop");
  expect(server.output()).toContain("that had ended");
  expect((await readdir(folder)).filter((file) => file.startsWith(idOf(client)))).toEqual([]);
});
