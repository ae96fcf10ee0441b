import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { oddData, throwables } from "../fixtures/thrower-server.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { postJson, textOf } from "../support/raw-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";
import { lanes, openLane } from "../support/wire-lanes.ts";

let v2: EdgeServer;
let v1: EdgeServer;
beforeAll(async () => {
  [v2, v1] = await Promise.all([startEdge("test/fixtures/thrower.ts"), startEdge("test/fixtures/thrower-v1.ts")]);
});
afterAll(() => Promise.all([v2.close(), v1.close()]));

interface Answer {
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
}

type Ask = (method: string, params?: Record<string, unknown>) => Promise<Answer>;

async function inLane(
  lane: (typeof lanes)[number],
  use: (ask: Ask, log: () => string) => Promise<void>,
  { base = v2.url, stdioMain = "test/fixtures/thrower-stdio.ts" } = {},
): Promise<void> {
  const opened = await openLane(lane, { base, stdioMain });
  try {
    await use(
      async (method, params = {}) => JSON.parse((await opened.ask(method, params)).at(-1) ?? "") as Answer,
      opened.log,
    );
  } finally {
    opened.close();
  }
}

const fine = { name: "fine", arguments: {} };

describe.each(lanes)("on %s", (lane) => {
  test("whatever a handler throws, its client is told", async () => {
    await inLane(lane, async (ask) => {
      const ref = { type: "ref/prompt", name: "throw" };
      for (const [what, { told }] of Object.entries(throwables)) {
        const answers = [
          await ask("prompts/get", { name: "throw", arguments: { what } }),
          await ask("resources/read", { uri: `throw://${encodeURIComponent(what)}` }),
          await ask("completion/complete", { ref, argument: { name: "what", value: what } }),
        ];
        const message = expect.stringMatching(told) as unknown;
        for (const { error } of answers) expect(error, what).toMatchObject({ code: -32_603, message });
        const { result, error } = await ask("tools/call", { name: "throw", arguments: { what } });
        // The SDK has tools answer with a result, if it can.
        if (result !== undefined) expect(textOf({ result }), what).toMatch(told);
        else expect(error?.code, what).toBeLessThan(-32_000);
      }
      expect(textOf({ ...(await ask("tools/call", fine)) })).toBe("fine");
    });
  });

  test("of an error whose data is no JSON, its client is told all else", async () => {
    await inLane(lane, async (ask) => {
      for (const what of Object.keys(oddData)) {
        const { error } = await ask("prompts/get", { name: "throw", arguments: { what } });
        expect(error, what).toEqual({ code: -32_050, message: "out of stock" });
      }
    });
  });

  test("a prompt that gives nothing is an error that says so", async () => {
    await inLane(lane, async (ask) => {
      const { error } = await ask("prompts/get", { name: "nothing" });
      expect(error).toEqual({ code: -32_603, message: "The result of prompts/get is no JSON object." });
    });
  });

  test("a list that is asked for by what is no cursor is refused, and no tool is blamed", async () => {
    await inLane(lane, async (ask, log) => {
      expect((await ask("tools/list", { cursor: 5 })).error?.message).toContain("expected string, received number");
      expect(log() + v2.logs().join("\n")).not.toContain("tool-not-listed");
    });
  });
});

describe.each(lanes.filter((lane) => lane !== "stateless"))("on %s, with SDK v1", (lane) => {
  test("whatever a prompt throws, its client is told, also if its data is no JSON", async () => {
    await inLane(
      lane,
      async (ask) => {
        for (const [what, { told }] of Object.entries(throwables)) {
          const { error } = await ask("prompts/get", { name: "throw", arguments: { what } });
          const message = expect.stringMatching(told) as unknown;
          expect(error, what).toMatchObject({ code: -32_603, message });
        }
        for (const what of Object.keys(oddData)) {
          const { error } = await ask("prompts/get", { name: "throw", arguments: { what } });
          expect(error, what).toEqual({ code: -32_050, message: "out of stock" });
        }
        expect(textOf({ ...(await ask("tools/call", fine)) })).toBe("fine");
      },
      { base: v1.url, stdioMain: "test/fixtures/thrower-v1-stdio.ts" },
    );
  });
});

// Over stdio the process is the server's own.
describe.each(lanes.filter((lane) => lane !== "stdio"))("on %s", (lane) => {
  test("a tool that ends the process ends nothing, and its client is told", async () => {
    await inLane(lane, async (ask) => {
      const answer = await ask("tools/call", { name: "exit", arguments: {} });
      expect(answer.result?.["isError"]).toBe(true);
      expect(textOf({ ...answer })).toContain("process.exit() was called");
      expect(textOf({ ...(await ask("tools/call", fine)) })).toBe("fine");
    });
  });

  test("a tool that closes its server is answered, and so is the next call", async () => {
    await inLane(lane, async (ask) => {
      const answer = await ask("tools/call", { name: "close", arguments: {} });
      // Without a session the server is that of the call, and carries no answer any more.
      if (lane === "stateless") expect(answer.error?.message).toContain("must not call close()");
      else expect(textOf({ ...answer })).toBe("closed");
      expect(textOf({ ...(await ask("tools/call", fine)) })).toBe("fine");
    });
  });

  test("whatever is rejected and not awaited is in the log", async () => {
    await inLane(lane, async (ask) => {
      const logged = (): number => v2.logs().filter((line) => line.startsWith('{"event":"unawaited"')).length;
      for (const what of Object.keys(throwables)) {
        const before = logged();
        expect(textOf({ ...(await ask("tools/call", { name: "reject", arguments: { what } })) })).toBe("rejected");
        await expect.poll(logged).toBe(before + 1);
      }
    });
  });
});

test("a stateless call that never ends is waited for, as in a session", async () => {
  const ended = new AbortController();
  const { headers, message } = statelessRequest("tools/call", { name: "never", arguments: {} });
  const init = { method: "POST", body: JSON.stringify(message), signal: ended.signal };
  const accept = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  let came: number | undefined;
  const call = fetch(`${v2.url}/mcp`, { ...init, headers: { ...accept, ...headers } }).then(
    (response) => (came = response.status),
    () => undefined,
  );
  // The runtime gives up a request that waits for nothing before it answers one that came after it.
  for (let others = 0; others < 20; others++) {
    const other = statelessRequest("tools/call", fine);
    expect((await postJson(`${v2.url}/mcp`, other.message, other.headers)).status).toBe(200);
  }
  expect(came).toBeUndefined();
  ended.abort();
  await call;
});
