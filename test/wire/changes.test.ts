import { afterEach, beforeEach, expect, test } from "vitest";
import { openBare, postJson, type RawStream } from "../support/raw-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let server: WorkerdProcess;
beforeEach(async () => {
  server = await startWorkerd({ main: "test/fixtures/changing.ts", isSplit: true });
});
afterEach(() => server.close());

const lists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };

/** Listens for all lists, and for the updates of a resource. */
async function listen(base: string): Promise<RawStream> {
  const resourceSubscriptions = ["thing://0", "thing://1999"];
  const { message, headers } = statelessRequest("subscriptions/listen", {
    notifications: { ...lists, resourceSubscriptions },
  });
  const all = { ...headers, "content-type": "application/json", accept: "application/json, text/event-stream" };
  const stream = await openBare(`${base}/mcp`, { headers: all, body: JSON.stringify(message) });
  await stream.message(({ method }) => method === "notifications/subscriptions/acknowledged");
  return stream;
}

async function change(base: string, times = 1): Promise<void> {
  const { message, headers } = statelessRequest("tools/call", { name: "change", arguments: { times } });
  const response = await postJson(`${base}/mcp`, message, headers);
  expect(response.status).toBe(200);
  await response.text();
}

const all = [
  "notifications/prompts/list_changed",
  "notifications/resources/list_changed",
  "notifications/resources/updated",
  "notifications/tools/list_changed",
];

/** The id of the object in between. */
async function idInBetween(): Promise<string> {
  return await (await fetch(`${server.url}/test/changes`)).text();
}

/** What a listener is told next, until there are so many. */
async function told(stream: RawStream, count: number): Promise<string[]> {
  const methods: string[] = [];
  while (methods.length < count) methods.push(String((await stream.message())["method"]));
  return methods.toSorted();
}

/** The lines of listeners are opened after they were told that they listen: tells until each isolate's is. */
async function untilHeard(stream: RawStream, base: string): Promise<void> {
  await change(base);
  const first = stream.message();
  for (let isHeard = false; !isHeard;) {
    isHeard = await Promise.race([
      first.then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 100)),
    ]);
    if (!isHeard) await change(base);
  }
}

test("what one isolate's server says of its lists and resources, listeners of every isolate hear once", async () => {
  const [here, there, beside] = await Promise.all([
    listen(server.url),
    listen(server.otherUrl),
    listen(server.otherUrl),
  ]);
  await untilHeard(there, server.url);
  await untilHeard(beside, server.url);
  await untilHeard(here, server.otherUrl);
  for (const [stream, name] of [
    [here, "here"],
    [there, "there"],
    [beside, "beside"],
  ] as const) {
    // What was told while lines were opened comes before.
    await change(server.url);
    await change(server.otherUrl, 2_000);
    const methods: string[] = [];
    const uris: unknown[] = [];
    while (!uris.includes("thing://1999")) {
      const { method, params } = await stream.message();
      methods.push(String(method));
      uris.push((params as { uri?: string }).uri);
    }
    expect([name, new Set(methods).size]).toEqual([name, all.length]);
  }
  for (const stream of [here, there, beside]) stream.close();
});

test("a change is heard once in each isolate, however many listen there", async () => {
  const streams = await Promise.all([listen(server.otherUrl), listen(server.otherUrl), listen(server.otherUrl)]);
  for (const stream of streams) await untilHeard(stream, server.url);
  // Ends what was told before.
  await change(server.url, 2_000);
  for (const stream of streams) {
    for (;;) {
      const { params } = await stream.message();
      if ((params as { uri?: string }).uri === "thing://1999") break;
    }
  }
  await change(server.url);
  await change(server.url);
  for (const stream of streams) expect(await told(stream, 2 * all.length)).toEqual([...all, ...all].toSorted());
  for (const stream of streams) stream.close();
});

test("after a crash of the object in between, its lines are opened again", async () => {
  const stream = await listen(server.otherUrl);
  await untilHeard(stream, server.url);
  expect((await fetch(`${server.url}/test/abort?id=${await idInBetween()}`)).status).toBe(503);
  await untilHeard(stream, server.url);
  stream.close();
});

test("its id is no session's, whoever works it out", async () => {
  const stream = await listen(server.otherUrl);
  await untilHeard(stream, server.url);
  const id = await idInBetween();
  const call = { jsonrpc: "2.0", id: 1, method: "tools/list" };
  expect((await postJson(`${server.url}/mcp`, call, { "mcp-session-id": id })).status).toBe(404);
  expect((await postJson(`${server.url}/sse/message?sessionId=${id}`, call)).status).toBe(404);
  // Nobody's line was cut by it.
  await untilHeard(stream, server.url);
  stream.close();
});
