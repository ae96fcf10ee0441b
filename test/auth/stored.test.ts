import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Inspection } from "../fixtures/inspectable.ts";
import { bearer, GuardedSseClient, seen } from "../support/guarded-client.ts";
import { postJson, RawStream, textOf } from "../support/raw-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let server: WorkerdProcess;
beforeAll(async () => {
  server = await startWorkerd({ main: "test/fixtures/own-login.ts", isSplit: true });
});
afterAll(() => server.close());

const path = "/tools/sse";
const connect = async (headers: Record<string, string>, query = ""): Promise<GuardedSseClient> => {
  const client = await GuardedSseClient.connectAs(server.url, headers, path + query);
  await client.initialize();
  return client;
};

/** All bytes of all files on the disk, also of those that are about to be emptied. */
async function onDisk(): Promise<string> {
  const files = await readdir(server.diskFolder, { recursive: true, withFileTypes: true });
  const read = files
    .filter((file) => file.isFile())
    .map((file) => readFile(join(file.parentPath, file.name), "latin1"));
  return (await Promise.all(read)).join("");
}

const rowsOf = async (sessionId: string): Promise<string[]> => {
  const response = await fetch(`${server.url}/test/inspect?id=${sessionId}`);
  const inspection = (await response.json()) as Inspection;
  return inspection.rows;
};

interface Slow {
  user: string;
  token: string;
  clientId: string;
  extra: Record<string, unknown>;
  headers: Record<string, string>;
  url: string;
}

/** Credentials as clients send them, by where; each value is to be found nowhere on the disk. */
const credentials: Record<string, string> = {
  authorization: "Bearer user:ann:very-secret-1",
  cookie: "session=very-secret-2",
  "proxy-authorization": "Basic very-secret-3",
  "cf-access-jwt-assertion": "very-secret-4",
  "cf-access-client-secret": "very-secret-5",
  "x-api-key": "very-secret-6",
  "x-goog-api-key": "very-secret-7",
  "x-auth-token": "very-secret-8",
  "x-csrf-token": "very-secret-9",
  "x-hub-signature": "very-secret-10",
  "x-custom": "Bearer very-secret-11",
  "x-other": "eyJhbGciOiJIUzI1NiJ9.eyJzZWNyZXQiOiJ2ZXJ5LXNlY3JldC0xMiJ9.c2ln",
};

test("while a call is journaled, and after it, no credential of it is on disk; a rerun sees who called all the same", async () => {
  const client = await connect(credentials, "?tenant=t1&api_key=very-secret-13");
  const calling = { ...client.headers, "x-tenant": "t1" };
  await postJson(client.endpoint, call("gated", "s"), calling);
  await expect
    .poll(async () => (await rowsOf(client.sessionId)).filter((row) => row.startsWith("call/")))
    .not.toEqual([]);
  const secrets = /very-secret|token-of|upstream-token|eyJzZWNyZXQ/g;
  expect((await onDisk()).match(secrets)).toBe(null);
  // What a rerun needs is there: else this would look in the wrong place.
  expect(await onDisk()).toContain("x-tenant");
  await server.kill();
  client.close();
  await server.restart();

  const headers = { authorization: "Bearer user:ann:another-token", "last-event-id": client.stream.lastEventId };
  const stream = await RawStream.open(server.url + path, { headers });
  await fetch(`${server.url}/test/open`);
  const slow = JSON.parse(textOf(await stream.answerTo("s"))) as Slow;
  expect(slow).toMatchObject({
    user: "https://issuer.example|ann",
    token: "",
    clientId: "client",
    extra: { name: "ann", groups: ["g"], props: { login: "ann" } },
  });
  expect(slow.headers).toMatchObject({ "x-tenant": "t1", "content-type": "application/json" });
  expect(new URL(slow.url).search).toBe("?tenant=t1");
  expect((await onDisk()).match(secrets)).toBe(null);
  stream.close();
});

const call = (name: string, id: string, args: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
});

test("after kill -9 a session is still its owner's only, also before its first message", async () => {
  const clients = [
    await connect(bearer("user:ann")),
    await GuardedSseClient.connectAs(server.url, bearer("user:ann"), path),
  ];
  const [used] = clients;
  await used?.call("memory", { value: "hers" });
  await server.kill();
  for (const client of clients) client.close();
  await server.restart();
  for (const { endpoint, stream } of clients) {
    const foreign = await seen(await postJson(endpoint, call("memory", "m"), bearer("user:eve")));
    expect(foreign.status).toBe(404);
    const headers = { ...bearer("user:eve"), "last-event-id": stream.lastEventId };
    const other = await RawStream.open(server.url + path, { headers });
    const { data } = await other.next(({ event }) => event === "endpoint");
    expect(new URL(data, server.url).href).not.toBe(endpoint);
    other.close();
  }
  const headers = { ...bearer("user:ann"), "last-event-id": used?.stream.lastEventId ?? "" };
  const stream = await RawStream.open(server.url + path, { headers });
  await postJson(used?.endpoint ?? "", call("memory", "m"), bearer("user:ann"));
  expect(textOf(await stream.answerTo("m"))).toBe("hers");
  stream.close();
});

test("by way of another isolate, which has not the stream, a session is its owner's only", async () => {
  const client = await connect(bearer("user:ann"));
  const elsewhere = client.endpoint.replace(server.url, server.otherUrl);
  const unknown = elsewhere.replace(/sessionId=\w+/, `sessionId=${"0".repeat(96)}`);
  for (const message of [call("memory", "f"), [call("memory", "f")], { jsonrpc: "2.0", id: 0, result: {} }]) {
    const foreign = await seen(await postJson(elsewhere, message, bearer("user:eve")));
    expect(foreign).toEqual(await seen(await postJson(unknown, message, bearer("user:eve"))));
    expect(foreign.status).toBe(404);
  }
  expect((await postJson(elsewhere, call("memory", "own", { value: "hers" }), bearer("user:ann"))).status).toBe(202);
  expect(textOf(await client.stream.answerTo("own"))).toBe("hers");
  client.close();
});
