import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createTestHarness } from "wrangler";
import { root, workerConfig } from "../support/bundle.ts";
import { logLinesIn } from "../support/log-lines.ts";
import { initialize, postJson, RawSseClient, textOf } from "../support/raw-client.ts";
import { openLane } from "../support/wire-lanes.ts";
import { startWorkerd } from "../support/workerd-process.ts";

/** What `attempt` gives, which wrangler's bindings count by the minute of the clock: again, if another one began meanwhile. */
async function inOneMinute<Given>(attempt: () => Promise<Given>): Promise<Given> {
  const minute = () => Math.floor(Date.now() / 60_000);
  for (;;) {
    const began = minute();
    const given = await attempt();
    if (minute() === began) return given;
  }
}

/** Under wrangler's own bindings: so many calls a minute are let through. */
async function startLimited(limit: number, main = "test/fixtures/limited.ts"): Promise<string> {
  const config = {
    ...(await workerConfig(main)),
    ratelimits: [{ name: "CALLS", namespace_id: "1001", simple: { limit, period: 60 as const } }],
    analytics_engine_datasets: [{ binding: "USAGE", dataset: "usage" }],
  };
  const harness = createTestHarness({ root, workers: [{ config }] });
  const { url } = await harness.listen();
  onTestFinished(() => harness.close());
  return url.origin;
}

test.each(["/sse", "/mcp", "stateless"] as const)(
  "over %s a model above the limit reads when to come back",
  async (lane) => {
    const outcomes = await inOneMinute(async () => {
      const client = await openLane(lane, { base: await startLimited(2), stdioMain: "" });
      const call = ["tools/call", { name: "answered", arguments: {} }] as const;
      const answers: unknown[] = [];
      for (const [method, params] of [call, call, call, ["prompts/get", { name: "ask" }] as const]) {
        answers.push(JSON.parse((await client.ask(method, params)).at(-1) ?? ""));
      }
      client.close();
      return answers;
    });
    const text = "Too many calls: this one did not run. Wait 60 seconds, then send it again.";
    expect(outcomes).toMatchObject([
      { result: { content: [{ text: "by the tool" }] } },
      { result: { content: [{ text: "by the tool" }] } },
      { result: { isError: true, content: [{ text }] } },
      { error: { code: -32_029, message: text } },
    ]);
  },
);

test("a call that runs again after a crash was counted when it came", async () => {
  const [again, next] = await inOneMinute(async () => {
    const base = await startLimited(1, "test/fixtures/limited-reruns.ts");
    const client = await RawSseClient.open(base);
    const id = await client.send("tools/call", { name: "repeatable", arguments: { key: "limited" } });
    await fetch(`${base}/test/abort?id=${client.sessionId}`);
    const answers = [await client.stream.answerTo(id), await client.call("repeatable", { key: "limited" })] as const;
    client.close();
    return answers;
  });
  expect(textOf(again)).toBe("run 2");
  expect(next).toMatchObject({ result: { isError: true } });
});

test("who opens sessions above the limit is told when to come back; who comes back for one is not kept out by them", async () => {
  const answers = await inOneMinute(async () => {
    const base = await startLimited(2);
    const post = () => postJson(`${base}/mcp`, initialize());
    const get = (headers: Record<string, string> = {}) =>
      fetch(`${base}/sse`, { headers: { accept: "text/event-stream", ...headers }, cache: "no-store" });
    const told: [number, string | null][] = [];
    for (const open of [post, post, post, get, () => get({ "mcp-protocol-version": "2025-11-25" })]) {
      const response = await open();
      told.push([response.status, response.headers.get("retry-after")]);
      await response.body?.cancel();
    }
    return told;
  });
  const refused = [429, "60"];
  expect(answers).toEqual([[200, null], [200, null], refused, refused, [200, null]]);
});

test("the addresses of one customer are one: 64 bits of IPv6, however they are written", async () => {
  const statuses = await inOneMinute(async () => {
    const base = await startLimited(1);
    const told: number[] = [];
    for (const address of ["2001:db8::1:2:3", "2001:db8::7:2:3", "2001:db8:0:0:9:1:2:3", "2001:db8:0:1::1"]) {
      const response = await postJson(`${base}/mcp`, initialize(), { "cf-connecting-ip": address });
      await response.body?.cancel();
      told.push(response.status);
    }
    return told;
  });
  expect(statuses).toEqual([200, 429, 429, 200]);
});

test("without the bindings calls are served, and the log says once what wrangler.toml lacks", async () => {
  const workerd = await startWorkerd({ main: "test/fixtures/limited.ts" });
  onTestFinished(() => workerd.close());
  const client = await RawSseClient.open(workerd.url);
  for (let call = 0; call < 3; call++) {
    expect(await client.call("answered")).toMatchObject({ result: { content: [{ text: "by the tool" }] } });
  }
  client.close();
  const missing = () =>
    workerd
      .output()
      .split("\n")
      .filter((line) => line.includes("binding-missing"));
  await expect
    .poll(missing)
    .toEqual([
      expect.stringContaining("wrangler.toml has no [[ratelimits]] named CALLS: nobody is limited."),
      expect.stringContaining("wrangler.toml has no [[analytics_engine_datasets]] named USAGE: no usage is written."),
    ]);
});

test("a call is a data point of tool, outcome, client and time, without its arguments", async () => {
  const points: string[] = [];
  const sink = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
    request.on("end", () => {
      points.push(body);
      response.end();
    });
  });
  await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void sink.close());
  const { port } = sink.address() as AddressInfo;
  const workerd = await startWorkerd({
    main: "test/fixtures/limited.ts",
    more: {
      bindings: `, (name = "USAGE", analyticsEngine = "sink")`,
      services: `(name = "sink", external = (address = "127.0.0.1:${port}", http = ())),`,
    },
  });
  onTestFinished(() => workerd.close());
  const client = await RawSseClient.open(workerd.url);
  await client.call("repeats", { secret: "sesame-in-argument" });
  await expect.poll(() => points).toHaveLength(1);
  // Texts are arrays of bytes.
  const shown = (_key: string, value: unknown): unknown =>
    Array.isArray(value) ? Buffer.from(value as number[]).toString() : value;
  const point: unknown = JSON.parse(points[0] ?? "", shown);
  expect(point).toMatchObject({
    index1: "repeats",
    blob1: "repeats",
    blob2: "tools/call",
    blob3: "failed",
    blob4: "raw",
    blob5: "1",
    blob6: "sse",
    double1: expect.any(Number) as number,
  });
  expect(JSON.stringify(point)).not.toContain("sesame");
  // The binding takes an index of 96 bytes, of whatever a client calls a tool.
  await client.call("€".repeat(300));
  await expect.poll(() => points).toHaveLength(2);
  const { index1, blob1 } = JSON.parse(points[1] ?? "", shown) as Record<string, string>;
  expect([index1, blob1]).toEqual(["€".repeat(32), "€".repeat(200)]);
  client.close();
});

test("a call is answered whose data point is refused, and the log says so once", async () => {
  const workerd = await startWorkerd({
    main: "test/fixtures/limited.ts",
    more: { services: "", bindings: `, (name = "USAGE", json = "{}")` },
  });
  onTestFinished(() => workerd.close());
  const client = await RawSseClient.open(workerd.url);
  for (let call = 0; call < 3; call++) {
    expect(await client.call("answered")).toMatchObject({ result: { content: [{ text: "by the tool" }] } });
  }
  const refused = () => logLinesIn(workerd.output()).filter(({ event }) => event === "usage-not-written");
  await expect
    .poll(refused)
    .toEqual([{ event: "usage-not-written", error: expect.stringContaining("writeDataPoint") }]);
  client.close();
});
