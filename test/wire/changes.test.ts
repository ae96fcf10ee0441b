import { afterEach, beforeEach, expect, test } from "vitest";
import { bearer } from "../support/guarded-client.ts";
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
async function listen(base: string, as: Record<string, string> = {}): Promise<RawStream> {
  const resourceSubscriptions = ["thing://0", "thing://999", "thing://1999"];
  const { message, headers } = statelessRequest("subscriptions/listen", {
    notifications: { ...lists, resourceSubscriptions },
  });
  const all = { ...headers, ...as, "content-type": "application/json", accept: "application/json, text/event-stream" };
  const stream = await openBare(`${base}/mcp`, { headers: all, body: JSON.stringify(message) });
  await stream.message(({ method }) => method === "notifications/subscriptions/acknowledged");
  return stream;
}

async function change(base: string, times = 1, as: Record<string, string> = {}): Promise<void> {
  const { message, headers } = statelessRequest("tools/call", { name: "change", arguments: { times } });
  const response = await postJson(`${base}/mcp`, message, { ...headers, ...as });
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
async function untilHeard(stream: RawStream, base: string, as: Record<string, string> = {}): Promise<void> {
  await change(base, 1, as);
  const first = stream.message();
  for (let isHeard = false; !isHeard;) {
    isHeard = await Promise.race([
      first.then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 100)),
    ]);
    if (!isHeard) await change(base, 1, as);
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

test("with a login, what one user's server says only that user hears, in every isolate", async () => {
  const [ann, bob] = [bearer("ann:"), bearer("bob:")];
  const whose = [ann, bob, {}];
  const streams: RawStream[] = [];
  for (const [base, other] of [
    [server.url, server.otherUrl],
    [server.otherUrl, server.url],
  ] as const) {
    for (const as of whose) {
      const stream = await listen(base, as);
      // Of its own, from the other isolate: then its line is open.
      await untilHeard(stream, other, as);
      streams.push(stream);
    }
  }
  await change(server.url, 1_000, ann);
  await change(server.otherUrl, 1_000, ann);
  // The last that each is told is of its own. Only what one isolate says is in order: each says it.
  for (const base of [server.url, server.otherUrl]) for (const as of whose) await change(base, 2_000, as);
  const heard = streams.map(async (stream) => {
    for (let [updates, ends] = [0, 0]; ;) {
      const { uri } = (await stream.message())["params"] as { uri?: string };
      if (uri === "thing://999") updates += 1;
      if (uri === "thing://1999") ends += 1;
      if (ends === 2) return updates;
    }
  });
  expect(await Promise.all(heard)).toEqual([4, 2, 2, 4, 2, 2]);
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
