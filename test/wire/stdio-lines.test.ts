import { afterEach, beforeEach, expect, test } from "vitest";
import { type RawStdio, startStdio } from "../support/raw-stdio.ts";

let server: RawStdio;
beforeEach(async () => {
  server = await startStdio("test/fixtures/thrower-stdio.ts");
});
afterEach(async () => {
  server.end();
  await server.ended;
});

/** What came on account of `line`: all that is written before the next call is answered. */
async function answersTo(line: string): Promise<unknown[]> {
  const before = server.lines.length;
  server.write(line);
  await server.call("fine");
  return server.lines.slice(before, -1).map((json): unknown => JSON.parse(json));
}

const ping = (members: object): string => JSON.stringify({ jsonrpc: "2.0", id: "asked", method: "ping", ...members });

test("whoever sends what is no message over stdio is told what to change, as over HTTP", async () => {
  const notMeta = "_meta must be an object, and its progressToken a string or an integer of at most 2^53 - 1.";
  const refused: [line: string, code: number, message: string, id: unknown][] = [
    ["junk", -32_700, "Parse error: a line is one JSON-RPC 2.0 message.", null],
    [`${ping({})}${ping({})}`, -32_700, "Parse error: a line is one JSON-RPC 2.0 message.", null],
    ["5", -32_600, "Invalid Request: a message must be a JSON object.", null],
    ["[]", -32_600, "Invalid Request: the batch is empty.", null],
    [ping({ params: null }), -32_600, "Invalid Request: params must be an object.", "asked"],
    [ping({ jsonrpc: "1.0" }), -32_600, 'Invalid Request: a message must have "jsonrpc": "2.0".', "asked"],
    [ping({ params: { _meta: { progressToken: null } } }), -32_600, `Invalid Request: ${notMeta}`, "asked"],
    [ping({ id: 1.5 }), -32_600, "Invalid Request: an id must be a string or an integer of at most 2^53 - 1.", null],
    [ping({ method: 5 }), -32_600, "Invalid Request: a method must be a string.", null],
    [
      ping({ params: { text: "x".repeat(11 << 20) } }),
      -32_600,
      "Invalid Request: a line holds at most 10485759 bytes.",
      null,
    ],
  ];
  for (const [line, code, message, id] of refused) {
    expect(await answersTo(line), line.slice(0, 80)).toEqual([{ jsonrpc: "2.0", error: { code, message }, id }]);
    await expect.poll(server.stderr).toContain(message);
  }
});

test("a byte order mark, a CRLF, blank lines and a batch are read", async () => {
  const pong = (id: unknown) => ({ jsonrpc: "2.0", id, result: {} });
  expect(await answersTo(`\uFEFF${ping({})}`)).toEqual([pong("asked")]);
  expect(await answersTo(`${ping({})}\r`)).toEqual([pong("asked")]);
  expect(await answersTo("\n  \n")).toEqual([]);
  expect(await answersTo(`[${ping({ id: 1 })},${ping({ id: 2 })}]`)).toEqual([pong(1), pong(2)]);
});

test("an answer that nobody can read is not answered: two servers would go on for ever", async () => {
  const answer = { jsonrpc: "2.0", id: null, error: { code: -32_700, message: "no" } };
  expect(await answersTo(JSON.stringify(answer))).toEqual([]);
  await expect.poll(server.stderr).toContain("A line is no message");
});
