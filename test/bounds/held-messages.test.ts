import { request } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { initialize, RawSseClient } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";
import { capabilitiesOf, TaskClient } from "../support/task-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

/** An isolate as large as the platform's: one that needs more takes all sessions in it along. */
let workerd: WorkerdProcess;
/** Has nothing to do with what happens. */
let bystander: RawSseClient;
let pid: number;

beforeAll(async () => {
  workerd = await startWorkerd({ main: "test/fixtures/tasks.ts", heapMib: 128 });
});
afterAll(() => workerd.close());

beforeEach(async () => {
  pid = workerd.pid();
  bystander = await RawSseClient.open(workerd.url);
});
afterEach(() => bystander.close());

interface Post {
  url: string;
  headers: Record<string, string>;
  body: unknown;
}

interface Answered {
  status: number;
  text: string;
}

/** Uploads `post`, and resolves once that has left; its answer comes when it comes. */
function upload({ url, headers, body }: Post): Promise<{ answered: Promise<Answered> }> {
  const { promise: answered, resolve: answer, reject } = Promise.withResolvers<Answered>();
  return new Promise((resolve) => {
    const types = { "content-type": "application/json", accept: "application/json, text/event-stream" };
    const sent = request(url, { method: "POST", headers: { ...types, ...headers } }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => answer({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", (error) => (reject(error), resolve({ answered })));
    sent.on("finish", () => resolve({ answered }));
    sent.end(JSON.stringify(body));
  });
}

async function allAnswers(posts: Post[]): Promise<Promise<Answered>[]> {
  const answers: Promise<Answered>[] = [];
  for (const post of posts) {
    const { answered } = await upload(post);
    answered.catch(() => undefined);
    answers.push(answered);
  }
  return answers;
}

/** A call that goes on until the gate is opened, with whatever else in its arguments. */
const callOf = (more: unknown, meta: object = {}) => ({
  jsonrpc: "2.0",
  id: 7,
  method: "tools/call",
  params: { name: "gated-once", arguments: { n: 1, more }, _meta: meta },
});

function statelessCall(more: unknown, { reads }: { reads: boolean }): Post {
  const { headers, message } = statelessRequest("tools/call", { name: "gated-once", arguments: { n: 1, more } });
  const { params } = message;
  const _meta = { ...params._meta, ...capabilitiesOf({ reads }) };
  return { url: `${workerd.url}/mcp`, headers, body: { ...message, params: { ...params, _meta } } };
}

/** Each as a client of its own sends it. */
const ways: [string, (more: unknown) => Promise<Post>][] = [
  ["the stateless revision", async (more) => statelessCall(more, { reads: false })],
  ["tasks", async (more) => statelessCall(more, { reads: true })],
  [
    "/mcp",
    async (more) => {
      const { headers, url } = await RawMcpClient.open(workerd.url);
      return { url, headers, body: callOf(more) };
    },
  ],
  [
    "/sse",
    async (more) => ({
      url: (await RawSseClient.open(workerd.url)).endpoint,
      headers: {},
      body: callOf(more),
    }),
  ],
];

async function expectOthersLive(): Promise<void> {
  const answer = await bystander.call("wait", { ms: 1 });
  expect(answer).toMatchObject({ result: { content: [{ text: "waited 1" }] } });
  expect(workerd.pid()).toBe(pid);
}

const long = "x".repeat(4 * 1024 * 1024 - 2_000);

test.each(ways)("30 calls of 4 MiB that take their time, by %s", async (_, post) => {
  await fetch(`${workerd.url}/test/close`);
  const posts: Post[] = [];
  for (let count = 0; count < 30; count++) posts.push(await post(long));
  const answers = await allAnswers(posts);
  // Whoever is refused is so at once, and others go on.
  await expectOthersLive();
  expect((await Promise.any(answers.map(refused))).text).toContain("Send it again later");
  await fetch(`${workerd.url}/test/open`);
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(statuses.filter((status) => ![200, 202, 408, 429].includes(status))).toEqual([]);
  expect(statuses.filter((status) => status === 200 || status === 202).length).toBeGreaterThanOrEqual(2);
  // Their room is given back.
  await expect.poll(async () => await statusOf(await post(long))).toBeLessThan(300);
  await expectOthersLive();
});

async function statusOf(post: Post): Promise<number> {
  return (await (await upload(post)).answered).status;
}

async function refused(answered: Promise<Answered>): Promise<Answered> {
  const answer = await answered;
  if (answer.status !== 429) throw new Error(`answered ${answer.status}`);
  return answer;
}

const emptyObjects = Array.from({ length: 1_300_000 }, () => ({}));

test.each(ways)("a million objects in one message, by %s", async (_, post) => {
  const posts = [await post(emptyObjects), await post(emptyObjects), await post(emptyObjects)];
  for (const { status, text } of await Promise.all(await allAnswers(posts))) {
    expect([status, text]).toEqual([429, expect.stringContaining("less at once")]);
  }
  await expectOthersLive();
});

test("an initialize that would stay in memory as long as its session", async () => {
  const url = `${workerd.url}/mcp`;
  const post = (experimental: object): Post => ({ url, headers: {}, body: initialize({ experimental }) });
  const large = await Promise.all(await allAnswers([post({ long }), post({ emptyObjects })]));
  expect(large.map(({ status }) => status)).toEqual([413, 429]);
  expect(large[0]?.text).toContain("64 KiB");
  expect(await statusOf(post({ text: "x".repeat(64 * 1024) }))).toBe(200);
  // Also where it comes by a stream's socket or beside it.
  const { endpoint } = bystander;
  expect(await statusOf({ url: endpoint, headers: {}, body: initialize({ experimental: { long } }) })).toBe(413);
  await expectOthersLive();
});

test("where nobody is refused who sends little", async () => {
  const client = new TaskClient(workerd.url, { reads: false });
  await fetch(`${workerd.url}/test/close`);
  const answers = await allAnswers(Array.from({ length: 8 }, () => statelessCall(long, { reads: false })));
  await Promise.any(answers.map(refused));
  expect(await client.call("wait", { ms: 1 })).toMatchObject({ status: 200 });
  await fetch(`${workerd.url}/test/open`);
  await Promise.all(answers);
});
