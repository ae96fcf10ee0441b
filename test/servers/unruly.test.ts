import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { breaks, halves } from "../fixtures/unruly-server.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { postJson, RawSseClient, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { lanes, openLane, type WireLane } from "../support/wire-lanes.ts";

let unruly: EdgeServer;
let ofV1: EdgeServer;
beforeAll(async () => {
  [unruly, ofV1] = await Promise.all([startEdge("test/fixtures/unruly.ts"), startEdge("test/fixtures/unruly-v1.ts")]);
});
afterAll(() => Promise.all([unruly.close(), ofV1.close()]));

/** What no client may see of a message: half of a pair, as an escape or decoded, and what ends a line. */
const unreadable = /(?<!\\)(?:\\\\)*\\ud[89a-f]|[\u0085\u2028\u2029]|\p{Surrogate}/u;

interface Answer {
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
}

/** The lanes of SDK v1, which speaks no stateless revision. */
const lanesOfV1 = lanes.filter((lane) => lane !== "stateless");

async function inLane(
  lane: (typeof lanes)[number],
  use: (opened: WireLane & { call: (name: string, args?: unknown) => Promise<Answer> }) => Promise<void>,
  { base, stdioMain }: { base: () => string; stdioMain: string } = {
    base: () => unruly.url,
    stdioMain: "test/fixtures/unruly-stdio.ts",
  },
): Promise<void> {
  const opened = await openLane(lane, { base: base(), stdioMain });
  const call = async (name: string, args: unknown = {}): Promise<Answer> => {
    const came = await opened.ask("tools/call", { name, arguments: args });
    return JSON.parse(came.at(-1) ?? "") as Answer;
  };
  try {
    await use({ ...opened, call });
  } finally {
    opened.close();
  }
}

const v1 = { base: () => ofV1.url, stdioMain: "test/fixtures/unruly-v1-stdio.ts" };

describe.each(lanes)("on %s", (lane) => {
  test("half of a surrogate pair reaches no client, in whatever is said, and no line ends in a message", async () => {
    await inLane(lane, async ({ ask }) => {
      const wellFormed = halves.toWellFormed();
      const meta = { progressToken: `token ${halves}` };
      const said: string[] = [];
      for (const name of ["halves", "quiet_halves", "throw_halves"]) {
        const came = await ask("tools/call", { name, arguments: {}, _meta: meta });
        const answer = JSON.parse(came.at(-1) ?? "") as Record<string, unknown>;
        expect(textOf(answer)).toBe(wellFormed + breaks);
        said.push(...came);
      }
      expect(said.filter((json) => unreadable.test(json))).toEqual([]);
      const messages = said.map((json): unknown => JSON.parse(json));
      const structuredContent = { [wellFormed + breaks]: String.raw`C:\ud83d` + wellFormed };
      expect(messages).toContainEqual(
        expect.objectContaining({ result: expect.objectContaining({ structuredContent }) }),
      );
      const progress = { progressToken: meta.progressToken.toWellFormed(), progress: 1, message: wellFormed + breaks };
      expect(messages).toContainEqual(
        expect.objectContaining({ method: "notifications/progress", params: expect.objectContaining(progress) }),
      );
      expect(messages).toContainEqual(
        expect.objectContaining({
          method: "notifications/message",
          params: expect.objectContaining({ data: { [`key ${wellFormed}`]: wellFormed, breaks } }),
        }),
      );
    });
  });

  test("a tool that does not exist is named in words that every client can read", async () => {
    await inLane(lane, async ({ ask }) => {
      const came = await ask("tools/call", { name: "quiet", arguments: { [halves]: breaks } });
      expect(came.filter((json) => unreadable.test(json))).toEqual([]);
      expect(JSON.stringify(came)).toContain("not found");
    });
  });

  test.each(["a BigInt", "a cycle", "a toJSON that throws", "late a BigInt", "late a cycle"])(
    "a result with %s is answered with an error that names the call, and the next call is answered",
    async (what) => {
      await inLane(lane, async ({ call, log }) => {
        const answer = await call("unwritable", { what });
        expect(answer).toEqual({
          jsonrpc: "2.0",
          id: expect.anything() as unknown,
          error: { code: -32_603, message: "The result of tools/call cannot be written as JSON." },
        });
        expect(textOf({ ...(await call("quiet_halves")) })).toBe(halves.toWellFormed() + breaks);
        const said = (): string => log() + unruly.logs().join("\n");
        await expect.poll(said).toContain('"name":"unwritable","outcome":"error"');
        expect(said()).not.toContain('"name":"unwritable","outcome":"ok"');
      });
    },
  );

  test.each(["undefined", "null"])("a result that is %s is an error, and not no answer", async (value) => {
    await inLane(lane, async ({ ask }) => {
      const ref = { type: "ref/prompt", name: "x" };
      const came = await ask("completion/complete", { ref, argument: { name: "a", value } });
      const { error } = JSON.parse(came.at(-1) ?? "") as Answer;
      expect(error?.code).toBe(-32_603);
    });
  });

  test("tools that cannot be listed are named in the log, and the others are listed", async () => {
    await inLane(lane, async ({ ask, call, log }) => {
      const came = await ask("tools/list", {});
      const { result } = JSON.parse(came.at(-1) ?? "") as { result: { tools: { name: string }[] } };
      const names = result.tools.map(({ name }) => name);
      expect(names).toContain("quiet_halves");
      expect(names).toContain("tick");
      expect(names).not.toContain("no_schema");
      const said = (): string => log() + unruly.logs().join("\n");
      for (const tool of ["no_schema", "no_output"]) {
        expect(names).not.toContain(tool);
        await expect.poll(said).toContain(`{"event":"tool-not-listed","tool":"${tool}","error":`);
      }
      expect(textOf({ ...(await call("quiet_halves")) })).toContain("a");
    });
  });
});

describe.each(lanesOfV1)("on %s, with SDK v1", (lane) => {
  test("no half of a surrogate pair, no result that is none, no tool that hides the others", async () => {
    await inLane(
      lane,
      async ({ ask, call }) => {
        const [json = ""] = await ask("tools/call", { name: "quiet_halves" });
        expect(json).not.toMatch(unreadable);
        expect(textOf(JSON.parse(json) as Record<string, unknown>)).toBe(halves.toWellFormed() + breaks);
        for (const what of ["a BigInt", "a cycle", "a toJSON that throws"]) {
          const message = "The result of tools/call cannot be written as JSON.";
          expect((await call("unwritable", { what })).error).toEqual({ code: -32_603, message });
        }
        const [listed = ""] = await ask("tools/list", {});
        const { result } = JSON.parse(listed) as { result: { tools: { name: string }[] } };
        expect(result.tools.map(({ name }) => name)).toEqual(["quiet_halves", "unwritable", "change_header"]);
      },
      v1,
    );
  });
});

describe("what a refusal says back", () => {
  test("has no half of a surrogate pair, over either way to the session and without one", async () => {
    const client = await RawSseClient.open(unruly.url);
    const mcp = await RawMcpClient.open(unruly.url);
    const id = halves + breaks;
    const twice = [1, 2].map(() => ({ jsonrpc: "2.0", id, method: "ping" }));
    const unknown = { jsonrpc: "1.0", id, method: "ping" };
    const bodies = await Promise.all(
      [
        client.post(twice),
        client.post(unknown),
        mcp.post(twice),
        mcp.post(unknown),
        postJson(`${unruly.url}/mcp`, unknown),
        client.post({ jsonrpc: "2.0", id, method: "nowhere/to/be/found" }).then(() => client.stream.next()),
      ].map(async (sent) => {
        const came = await sent;
        return came instanceof Response ? await came.text() : came.data;
      }),
    );
    expect(bodies.filter((body) => unreadable.test(body))).toEqual([]);
    expect(bodies.filter((body) => !body.includes("\uFFFDa\uFFFD"))).toEqual([]);
    client.close();
  });
});

describe.each(lanes.filter((lane) => lane !== "stdio"))("a tool that changes its headers, on %s", (lane) => {
  test.each(["set", "append", "delete"])("by %s is told that it cannot, and the next call has its own", async (how) => {
    await inLane(lane, async ({ ask }) => {
      const user = { "x-user": "ada" };
      const call = async (name: string): Promise<string> => {
        const came = await ask("tools/call", { name, arguments: { how } }, user);
        return textOf(JSON.parse(came.at(-1) ?? "") as Record<string, unknown>);
      };
      expect(await call("change_header")).toContain("immutable headers");
      expect(await call("copy_headers")).toBe("a copy of ada");
    });
  });
});

test.each(lanes)(
  "on %s a tool waits as in Node, by promisify, and is told at once of a callback that is none",
  async (lane) => {
    await inLane(lane, async ({ call }) => {
      expect(textOf({ ...(await call("sleep")) })).toBe("slept");
      const { result } = await call("mistime");
      expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining("callback") }] });
    });
  },
);

// Over stdio that is for the process to see to.
describe.each(lanes.filter((lane) => lane !== "stdio"))("what nobody awaits or catches, in a tool on %s", (lane) => {
  test.each(["promise", "timer", "interval", "microtask", "listener"])(
    "is in the log once if it is of a %s, and the session goes on",
    async (how) => {
      await inLane(lane, async ({ call }) => {
        const logged = (): string[] => unruly.logs().filter((line) => line.includes("nobody awaits this"));
        const before = logged().length;
        expect(textOf({ ...(await call("reject", { how })) })).toBe("rejected");
        await expect.poll(logged).toHaveLength(before + 1);
        expect(logged().at(-1)).toMatch(/^\{"event":"unawaited","error":"Error: nobody awaits this\\n/);
        expect(textOf({ ...(await call("quiet_halves")) })).toContain("a");
      });
    },
  );
});

describe.each(lanes.filter((lane) => lane !== "stdio"))("createServer is told, on %s,", (lane) => {
  test("the request that made the server necessary", async () => {
    await inLane(lane, async ({ ask }) => {
      const came = await ask("tools/call", { name: "who_built", arguments: {} }, { "x-user": "ada" });
      const built = JSON.parse(textOf(JSON.parse(came.at(-1) ?? "") as Record<string, unknown>)) as Record<
        string,
        unknown
      >;
      // A session's is the one that initialized it, which had no such header.
      expect(built["user"]).toBe(lane === "stateless" ? "ada" : null);
      expect(built["url"]).toContain(unruly.url);
    });
  });
});

test("after a rebuild createServer is told the request that woke the session", async () => {
  const client = await RawSseClient.open(unruly.url);
  await unruly.evict(client.sessionId);
  const params = { name: "who_built", arguments: {} };
  await client.post({ jsonrpc: "2.0", id: 1, method: "tools/call", params }, { "x-user": "ada" });
  expect(JSON.parse(textOf(await client.stream.answerTo(1)))).toMatchObject({ user: "ada" });
  client.close();
});

test("with SDK v1, a tool that changes its headers changes those of no other call, in a batch as well", async () => {
  const call = { jsonrpc: "2.0", method: "tools/call", params: { name: "change_header", arguments: { how: "set" } } };
  const client = await RawSseClient.open(ofV1.url);
  await client.post(
    [1, 2].map((id) => ({ ...call, id })),
    { "x-user": "ada" },
  );
  for (const id of [1, 2]) expect(textOf(await client.stream.answerTo(id))).toBe("ada");
  await client.post({ ...call, id: 3 }, { "x-user": "ada" });
  expect(textOf(await client.stream.answerTo(3))).toBe("ada");
  client.close();
});
