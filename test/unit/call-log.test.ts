import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CallLog } from "../../src/call-log.ts";
import { Calls } from "../../src/session/calls/calls.ts";

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  vi.stubGlobal("scheduler", { wait: () => Promise.resolve() });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("one line a call says what became of it, and holds no key to its session", async () => {
  const sessionId = "0123456789abcdef".repeat(4);
  const written: Promise<void>[] = [];
  const log = new CallLog(sessionId, (due) => void written.push(due));
  const call = (id: number, name: string) => ({
    ...new Calls().open({ jsonrpc: "2.0", id, method: "tools/call", params: { name } }, { stream: "sse" }, Date.now()),
    lane: "sse" as const,
  });
  log.add({ ...call(1, "add"), outcome: "ok", clientInfo: { name: "somebody", version: "2.0" } });
  log.add({ ...call(2, "pay"), outcome: "cancelled" });
  await Promise.all(written);
  const lines = vi.mocked(console.log).mock.calls.map(([line]) => String(line));
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    {
      event: "call",
      session: "a8ae6e6e",
      method: "tools/call",
      name: "add",
      outcome: "ok",
      stream: "sse",
      client: "somebody 2.0",
    },
    { event: "call", session: "a8ae6e6e", name: "pay", outcome: "cancelled" },
  ]);
  expect(lines.join()).not.toContain(sessionId.slice(0, 8));
});
