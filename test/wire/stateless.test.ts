import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dataOf } from "../../src/protocol/sse-frame.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { closeAfter, hangUpIn } from "../support/hang-up.ts";
import { patient } from "../support/patient.ts";
import { initialize, postJson } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let edge: EdgeServer;
let deployed: WorkerdProcess;
beforeAll(async () => {
  const main = "test/fixtures/small-bounds.ts";
  const options = { ...patient, keepAliveMs: 100 };
  [edge, deployed] = await Promise.all([startEdge(main), startWorkerd({ main, options })]);
});
afterAll(() => Promise.all([edge.close(), deployed.close()]));

// As it is deployed: on a development server, wrangler's own proxy stands between.
describe("a client whose connection breaks in a silent call", () => {
  const silently = (name: string, ms: number) => ({ name: "wait_silently", arguments: { name, ms } });

  test("of the stateless revision cancels it: the tool's signal fires", async () => {
    const { headers, message } = statelessRequest("tools/call", silently("stateless", 10 * 60_000));
    await hangUpIn(deployed, { headers, message, began: "stateless began\n" });
    await expect.poll(() => deployed.output()).toContain("stateless was aborted\n");
  });

  test("of the stateless revision cancels it also if it closes in order: that is found out by keep-alives", async () => {
    const { headers, message } = statelessRequest("tools/call", silently("orderly", 10 * 60_000));
    await closeAfter(deployed, { headers, message, until: ": keep-alive" });
    await expect.poll(() => deployed.output()).toContain("orderly was aborted\n");
  });

  test("of a session leaves it running, and no error in the log", async () => {
    const { headers } = await RawMcpClient.open(deployed.url);
    const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: silently("session", 3_000) };
    await hangUpIn(deployed, { headers, message, began: "session began\n" });
    await expect.poll(() => deployed.output()).toContain("session ran to its end\n");
    expect(deployed.output()).not.toMatch(/error|exception|incident/i);
  });
});

test("a call of the stateless revision that takes long is answered on a stream", async () => {
  const slow = { name: "wait_silently", arguments: { name: "late", ms: 12_000 } };
  const { headers, message } = statelessRequest("tools/call", slow);
  const response = await postJson(`${deployed.url}/mcp`, message, headers);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const [answer] = (await response.text()).split("\n\n").flatMap((frame) => dataOf(`\n${frame}`) ?? []);
  expect(JSON.parse(answer ?? "")).toMatchObject({ id: 1, result: { content: [] } });
});

describe("a createServer that throws", () => {
  const request = statelessRequest("tools/list");

  test.each([
    ["a stateless request", request.message, request.headers],
    ["a session", initialize(), {}],
  ])("for %s: the client gets a number, and the log the number and the cause", async (_, message, headers) => {
    const response = await postJson(`${edge.url}/mcp`, message, { ...headers, "x-broken": "1" });
    expect(response.status).toBe(500);
    const { error } = (await response.json()) as { error: { code: number; message: string } };
    expect(error.code).toBe(-32_603);
    const number = / incident (?<number>[\da-f-]{36})\.$/.exec(error.message)?.groups?.["number"];
    expect(error.message).toContain(number ?? "a number");
    await expect.poll(() => edge.logs().find((line) => line.includes(String(number)))).toContain("is on fire");
  });
});
