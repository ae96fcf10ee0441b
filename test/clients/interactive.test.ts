import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { digest } from "../support/digest.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import type { OfficialClient, User } from "../support/official-clients.ts";
import { type Lane, lanesOf, normalised, outcomeOf } from "./lanes.ts";

const user: User = {
  sample: (prompt) => `The model says: ${prompt}`,
  roots: [{ uri: "file:///home/ada", name: "home" }],
};

let edge: EdgeServer;
let lanes: { lane: Lane; client: OfficialClient }[];

const connectAll = (as: User) =>
  Promise.all(
    lanesOf({ base: edge.url, script: "test/fixtures/interactive-stdio.ts" }).map(async (lane) => ({
      lane,
      client: await lane.connect(as),
    })),
  );

beforeAll(async () => {
  edge = await startEdge("test/fixtures/interactive.ts");
  lanes = await connectAll(user);
});

afterAll(async () => {
  await Promise.all((lanes ?? []).map(({ client }) => client.close()));
  await edge?.close();
});

/** What a tool gives in each of `among`, by the lane's name. */
async function callInEach(among: typeof lanes, name: string, args: Record<string, unknown> = {}) {
  const outcomes = among.map(async ({ lane, client }) => {
    const answer = client.send({ method: "tools/call", params: { name, arguments: args } });
    return [lane.name, normalised(await outcomeOf(answer))] as const;
  });
  return await Promise.all(outcomes);
}

const sessionsOf = (all: typeof lanes) => all.filter(({ lane }) => lane.revision !== "2026-07-28");

const eachGives = (among: typeof lanes, text: unknown) =>
  among.map(({ lane }) => [lane.name, { result: { content: [{ type: "text", text }] } }]);

test("a tool that needs the client's model gets its answer in every lane", async () => {
  const answers = await callInEach(lanes, "sample", { prompt: "tides" });
  expect(answers).toEqual(eachGives(lanes, expect.stringContaining('"text":"The model says: tides"')));
});

test("a tool that needs the client's roots gets them in every lane", async () => {
  const answers = await callInEach(lanes, "roots");
  expect(answers).toEqual(eachGives(lanes, expect.stringContaining('{"uri":"file:///home/ada","name":"home"}')));
});

test("a session's server pushes sampling, roots and ping requests while a call runs", async () => {
  const sessions = sessionsOf(lanes);
  const content = { type: "text", text: "The model says: now" };
  expect(await callInEach(sessions, "sample-now", { prompt: "now" })).toEqual(
    eachGives(sessions, JSON.stringify(content)),
  );
  expect(await callInEach(sessions, "roots-now")).toEqual(eachGives(sessions, JSON.stringify({ roots: user.roots })));
  expect(await callInEach(sessions, "ping-now")).toEqual(eachGives(sessions, "{}"));
});

test.for([
  ["sample", "sampling"],
  ["sample-now", "sampling"],
  ["roots", "roots"],
  ["roots-now", "roots"],
] as const)("%s is refused at once to a client without %s, which it names", async ([tool, capability]) => {
  const mute = await connectAll({});
  try {
    const names = new RegExp(`${capability}.*capability|capability.*${capability}`);
    // Only sessions have pushed requests; over stdio there is no session of ours, and the client itself refuses them.
    const among = tool.endsWith("-now") ? sessionsOf(mute).filter(({ lane }) => lane.name !== "stdio") : mute;
    const answers = await callInEach(among, tool, { prompt: "anybody?" });
    // Had anybody waited for an answer, this would have taken until the end of the test and failed.
    for (const [lane, { result, error }] of answers) {
      expect(JSON.stringify(error ?? result), lane).toMatch(names);
      expect(error === undefined ? result : { isError: true }, lane).toMatchObject({ isError: true });
    }
  } finally {
    await Promise.all(mute.map(({ client }) => client.close()));
  }
});

test("a tool that appears or goes while a session lives is announced at once, listed, and enforced on call", async () => {
  const sessions = sessionsOf(lanes);
  for (const { client } of sessions) client.notifications.splice(0);

  expect(await callInEach(sessions, "learn", { tool: "juggle" })).toEqual(eachGives(sessions, "learnt"));
  await eachIsTold(sessions, "notifications/tools/list_changed");
  for (const { lane, client } of sessions) expect(await toolNames(client), lane.name).toContain("juggle");
  expect(await callInEach(sessions, "juggle")).toEqual(eachGives(sessions, "juggle works"));

  for (const { client } of sessions) client.notifications.splice(0);
  expect(await callInEach(sessions, "forget-juggle")).toEqual(eachGives(sessions, "forgotten"));
  await eachIsTold(sessions, "notifications/tools/list_changed");
  for (const { lane, client } of sessions) expect(await toolNames(client), lane.name).not.toContain("juggle");
  const gone = { error: { code: -32_602, message: "Tool juggle not found" } };
  expect(await callInEach(sessions, "juggle")).toEqual(sessions.map(({ lane }) => [lane.name, gone]));
});

async function eachIsTold(among: typeof lanes, method: string): Promise<void> {
  const told = () =>
    among.filter(({ client }) => client.notifications.some((notification) => notification.method === method));
  await vi.waitFor(() => expect(told().map(({ lane }) => lane.name)).toEqual(among.map(({ lane }) => lane.name)), {
    timeout: 90_000,
    interval: 5,
  });
}

async function toolNames(client: OfficialClient): Promise<string[]> {
  const { tools } = (await client.send({ method: "tools/list" })) as { tools: { name: string }[] };
  return tools.map(({ name }) => name);
}

test("24 parts of an answer arrive one by one: each is sent only after the client has the one before", async () => {
  const count = 24;
  const received = lanes.map(async ({ lane, client }) => {
    const parts: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => {
      parts.push(progress);
      const noted = { name: "received", arguments: { name: lane.name, part: progress } };
      void client.send({ method: "tools/call", params: noted });
    };
    const call = { name: "parts", arguments: { name: lane.name, count } };
    await client.send({ method: "tools/call", params: call }, { onprogress });
    return [lane.name, parts];
  });
  const everyPart = Array.from({ length: count }, (_, at) => at + 1);
  expect(await Promise.all(received)).toEqual(lanes.map(({ lane }) => [lane.name, everyPart]));
});

test("an argument and a result of 3.9 MiB pass in every lane", async () => {
  const text = "é".repeat((3.9 * 1024 * 1024) / 2);
  // One lane after the other, which bounds what the test holds in memory.
  for (const { lane, client } of lanes) {
    const answer = await client.send({ method: "tools/call", params: { name: "echo", arguments: { text } } });
    const { content } = answer as { content: { text: string }[] };
    expect(digest(content[0]?.text), lane.name).toBe(digest(text));
  }
});
