import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { adviceOn } from "../../src/dev/advice.ts";
import { readArguments } from "../../src/dev/arguments.ts";
import { withoutIssues } from "../../src/dev/issues.ts";
import { StackFrames } from "../../src/dev/stack-frames.ts";
import { Terminal } from "../../src/dev/terminal.ts";
import { terminalMark } from "../../src/development.ts";

/** What `npm start` shows of `lines` of wrangler's, and the events that it follows. */
function shown(...lines: string[]): { text: string; events: string[] } {
  const texts: string[] = [];
  const events: string[] = [];
  const terminal = new Terminal({
    frames: new StackFrames(import.meta.dirname),
    isVerbose: false,
    hasColours: true,
    show: (line) => texts.push(stripVTControlCharacters(line)),
    onEvent: ({ event }) => events.push(event),
    onReloading: () => undefined,
    onReloaded: () => undefined,
  });
  terminal.write(lines.map((line) => `${line}\n`).join(""));
  return { text: texts.join("\n"), events };
}

const told = (event: object): string => terminalMark + JSON.stringify(event);

describe("a line of a tool's own that looks like an event of ours", () => {
  test.each([
    '{"event":"incident"}',
    '{"event":"incident","incident":"x","error":5}',
    '{"event":"call","id":5}',
    '{"event":"failed"}',
    '{"event":"failed","by":"cron","message":"no disk"}',
    '{"event":"thrown","by":1}',
    '{"event":"started","what":"the import"}',
    '{"event":"ended","what":"the import"}',
    '{"event":"refused","header":"host","hostname":"x"}',
    '{"event":"binding-missing"}',
    '{"event":"order-placed","order":7}',
    '{"event":"__proto__"}',
    '{"event":"constructor"}',
    '{"event":"call"',
  ])("is shown as it is: %s", (line) => {
    expect(shown(line)).toEqual({ text: line, events: [] });
  });
});

test("what the Worker tells the terminal is shown as sentences", () => {
  const { text, events } = shown(
    told({ event: "started", what: "add" }),
    told({ event: "thrown", by: "add", error: "Error: no" }),
    '{"event":"call","lane":"sse","method":"tools/call","name":"add","outcome":"failed","ms":3}',
    '{"event":"unawaited","error":"Error: forgotten"}',
    '{"event":"not-stored","error":"full"}',
    '✘ [ERROR] {"event":"issuer-unreachable","issuer":"https://login.example","error":"Error: no such host"}',
    '▲ [WARNING] {"event":"too-many-tasks","error":"256 are kept"}',
    '✘ [ERROR] {"event":"usage-not-written","error":"Error: refused"}',
  );
  expect(text.split("\n")).toEqual([
    "✘ add threw Error: no",
    "·  tools/call  add  failed  3 ms",
    "✘ Nobody awaited or caught this: Error: forgotten",
    '{"event":"not-stored","error":"full"}',
    "✘ https://login.example does not answer, so nobody who logs in there is let in: Error: no such host",
    "✘ A call did not become a task: 256 are kept",
    "✘ A call was not counted by usage(): Error: refused",
  ]);
  expect(events.slice(0, 5)).toEqual(["started", "thrown", "call", "unawaited", "not-stored"]);
});

test("a result that could not be sent is said once, though its client was answered by an error", () => {
  const error = "The result of tools/call cannot be written as JSON.";
  const { text } = shown(
    `▲ [WARNING] ${JSON.stringify({ event: "result-not-sent", method: "tools/call", name: "count", error })}`,
    told({ event: "failed", by: "count", message: error }),
    told({ event: "failed", by: "count", message: "no" }),
  );
  expect(text.split("\n")).toEqual([`✘ count failed: ${error}`, "✘ count failed: no"]);
});

test("what nobody caught is said once, whoever says it how often", () => {
  const { text } = shown(
    '{"event":"incident","incident":"x","error":"Error: too late\\n    at somewhere"}',
    "✘ [ERROR] Uncaught Error: too late Error",
    "",
    "    at nowhere (file:///elsewhere/worker.js:1:1)",
    "",
    "✘ [ERROR] Uncaught Error: too late",
    "✘ [ERROR] Uncaught TypeError: another",
    "✘ [ERROR] Uncaught TypeError: another",
  );
  const another = "✘ [ERROR] Uncaught TypeError: another";
  expect(text.split("\n")).toEqual(["✘ Error: too late", "    at somewhere", another, another]);
});

test("what a client sends moves no cursor and rings no bell", () => {
  const call = {
    event: "call",
    method: "tools/call",
    name: "\u001B[2Jadd\u0007",
    outcome: "ok",
    ms: 1,
    client: "\u009Bevil\r",
  };
  expect(shown(JSON.stringify(call)).text).toBe("·  tools/call  add  ok  1 ms  evil");
});

test("a port that cannot be used is said in a sentence", () => {
  expect(shown('✘ [ERROR] Socket "entry": bind(): Permission denied (os error 13)').text).toBe(
    "This port is for administrators only. Choose another, above 1023: npm start -- --port 8000",
  );
  for (const port of ["abc", "-1", "65536", "1e3", "8000.5", ""]) {
    expect(() => readArguments(["--port", port], {})).toThrow(`--port takes a number from 0 to 65535, not "${port}".`);
    expect(() => readArguments([`--port=${port}`], {})).toThrow("--port takes a number");
  }
  for (const port of ["0", "65535"]) expect(readArguments(["--port", port], {}).wrangler).toContain(port);
});

test("a page without a host is told of by what lets it in", () => {
  const { text } = shown(told({ event: "refused", header: "origin", hostname: "" }));
  expect(text).toContain('npm start -- --allowed-origin "*"');
});

test("a file that wrangler misses gets no advice about the edge, one that a tool reads does", () => {
  expect(adviceOn("ENOENT: no such file or directory, open '/home/me/nope.toml'")).toBe("");
  expect(adviceOn("no such file or directory, readAll '/bundle/x.json'")).toContain("there is no file system");
});

test("who comes from stdio, or listens on a port, is told to leave that out", () => {
  expect(adviceOn("TypeError: Cannot read properties of undefined (reading 'listeners')")).toContain(
    "leave out the transport",
  );
  expect(adviceOn("Error [EADDRINUSE]: bind EADDRINUSE 127.0.0.1:3")).toContain("nothing listens on a port");
});

test("a mistake in src/worker.ts, and what cannot be done while a module loads, get what to write", () => {
  const exported = "export class Session extends app.Session {}, and export default { fetch: app.fetch };";
  for (const said of [
    "TypeError: Cannot initialize N7workerd3api15ExportedHandlerE with required members from an undefined or null value.",
    "TypeError: Class extends value undefined is not a constructor or null",
    "Error: Handler does not export a fetch() function.",
  ]) {
    expect(adviceOn(said)).toContain(exported);
  }
  for (const said of [
    "Error: Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or connect()), …",
    "Error: Use of top-level await in a synchronously required module is restricted to promises that …",
  ]) {
    expect(adviceOn(said)).toContain("do it in createServer");
  }
});

test("a server that has no memory left is said in a sentence", () => {
  const { text } = shown(
    "<--- Last few GCs --->",
    "[6442:0x71717f37c000]     1891 ms: Mark-Compact (reduce) 1399.7 (1401.2) -> 1399.7 (1401.2) MB, pooled: 0.0 MB, 4.12 ms last resort",
    "✘ [ERROR] *** Received signal #6: Aborted",
    "stack: /lib/x86_64-linux-gnu/libc.so.6@0x8aeeb /lib/x86_64-linux-gnu/libc.so.6@0x3bfb1",
    "V8 fatal error; location = Reached heap limit; message = : allocation failed: JavaScript heap out of memory",
  );
  expect(text).toBe("✘ The server ran out of memory, and is started again: what ran in it is over.");
});

test("a list of all that zod finds wrong is a sentence on what is nearest to be right", () => {
  const zods = (schema: z.ZodType, value: unknown): string => schema.safeParse(value).error?.message ?? "";
  const part = z.union([
    z.object({ type: z.literal("image"), data: z.string(), mimeType: z.string() }),
    z.object({ type: z.literal("text"), text: z.string() }),
  ]);
  const of = (value: unknown): string =>
    withoutIssues(`Invalid result: ${zods(z.object({ content: z.array(part) }), value)}`);
  expect(of({ content: [{ type: "text", text: 1 }] })).toBe(
    "Invalid result: content.0.text: Invalid input: expected string, received number",
  );
  expect(of("x")).toBe("Invalid result: Invalid input: expected object, received string");
  expect(of({ content: "x" })).toBe("Invalid result: content: Invalid input: expected array, received string");
  for (const other of ["", "no list", "a list: [ {broken ]", 'my own: [{"n":1}]', "[{}]"]) {
    expect(withoutIssues(other)).toBe(other);
  }
});
