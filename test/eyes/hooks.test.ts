import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { lanes, openLane, type WireLane } from "../support/wire-lanes.ts";

const servers = [
  { sdk: "v2", main: "test/fixtures/hooked.ts", stdioMain: "test/fixtures/hooked-stdio.ts", over: lanes },
  {
    sdk: "v2 that forwards all by its fallbackRequestHandler",
    main: "test/fixtures/hooked-proxy.ts",
    stdioMain: "test/fixtures/hooked-proxy-stdio.ts",
    over: lanes,
  },
  {
    sdk: "v1",
    main: "test/fixtures/hooked-v1.ts",
    stdioMain: "test/fixtures/hooked-v1-stdio.ts",
    over: lanes.filter((lane) => lane !== "stateless"),
  },
] as const;

for (const { sdk, main, stdioMain, over } of servers) {
  describe(`a server of SDK ${sdk}`, () => {
    let edge: EdgeServer;
    beforeAll(async () => void (edge = await startEdge(main)));
    afterAll(() => edge.close());

    describe.each([...over])("over %s", (lane) => {
      let client: WireLane;
      beforeAll(async () => void (client = await openLane(lane, { base: edge.url, stdioMain })));
      afterAll(() => client.close());
      const call = async (name: string, given: object = {}) => {
        const came = await client.ask("tools/call", { name, arguments: given }, { "x-secret": "header-secret" });
        return JSON.parse(came.at(-1) ?? "") as { result?: Record<string, unknown>; error?: { message: string } };
      };
      const written = () => (lane === "stdio" ? client.log() : edge.logs().join("\n"));

      test("a hook is told of a call, and changes its result", async () => {
        const { result } = await call("count");
        const session = lane === "/sse" || lane === "/mcp" ? 8 : null;
        const where = lane.replace("/", "");
        expect(result).toMatchObject({ content: [{ text: expect.stringMatching(/^run \d+$/) as string }] });
        const header = lane === "stdio" ? null : "header-secret".length;
        const name = (result?.["_meta"] as { seen: unknown[] } | undefined)?.seen[2];
        expect(name).toEqual(expect.stringMatching(/./));
        expect(result?.["_meta"]).toEqual({
          ...(result?.["_meta"] as object),
          seen: ["tools/call", "count", name, where, session, false, header],
        });
      });

      test("a hook answers in the tool's place", async () => {
        expect(await call("answered")).toMatchObject({ result: { content: [{ text: "by the hook" }] } });
      });

      test("a hook runs the tool again", async () => {
        const runOf = ({ result }: { result?: Record<string, unknown> }) =>
          Number((result?.["content"] as { text: string }[] | undefined)?.[0]?.text.slice(4));
        const first = runOf(await call("count"));
        expect(runOf(await call("count", { twice: true }))).toBe(first + 2);
      });

      test("a hook that throws fails its call only, and the log has the stack", async () => {
        const { error } = await call("refused");
        expect(error?.message).toMatch(/^Internal error: the server's log has it as incident [-0-9a-f]{36}\.$/);
        const incident = /[-0-9a-f]{36}/.exec(error?.message ?? "")?.[0] ?? "";
        await expect.poll(written).toContain(incident);
        const line = written()
          .split("\n")
          .find((each) => each.includes(incident) && each.includes("the hook is broken"));
        expect(line).toContain(" at ");
        expect(await call("denied")).toMatchObject({
          error: { code: -32_005, message: expect.stringContaining("You may not.") as string },
        });
        expect(await call("count")).toMatchObject({ result: {} });
      });

      test("what a hook does to the arguments reaches no tool", async () => {
        const { result } = await call("repeats", { secret: "hers", number: 7 });
        expect(result).toMatchObject({
          content: [{ text: expect.stringMatching(/^No account for "hers" and 7,/) as string }],
        });
      });

      test("an error of a hook that no client could read is an incident", async () => {
        const { error } = await call("denied", { number: 7 });
        expect(error).toMatchObject({
          code: -32_603,
          message: expect.stringMatching(
            /^Internal error: the server's log has it as incident [-0-9a-f]{36}\.$/,
          ) as string,
        });
      });

      test("a hook runs around resources and prompts", async () => {
        const read = JSON.parse(
          (await client.ask("resources/read", { uri: "note://one" }, { "mcp-name": "note://one" })).at(-1) ?? "",
        ) as unknown;
        expect(read).toMatchObject({
          result: { _meta: { seen: expect.arrayContaining(["resources/read", "note://one"]) as unknown } },
        });
        const got = JSON.parse((await client.ask("prompts/get", { name: "ask" })).at(-1) ?? "") as unknown;
        expect(got).toMatchObject({
          result: { _meta: { seen: expect.arrayContaining(["prompts/get", "ask"]) as unknown } },
        });
      });
    });
  });
}
