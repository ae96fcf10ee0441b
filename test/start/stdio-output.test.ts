import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { noises } from "../fixtures/noises.ts";
import { root } from "../support/bundle.ts";
import { type RawStdio, startStdio } from "../support/raw-stdio.ts";

let server: RawStdio;

beforeEach(async () => {
  server = await startStdio(join(root, "test/fixtures/noisy-stdio.ts"));
});

afterEach(async () => {
  server.signal("SIGKILL");
  await server.ended;
});

const done = { result: { content: [{ type: "text", text: "done" }] } };

/** Lines of stdout that are no message. */
function strays(): string[] {
  return server.lines.filter((line) => !line.startsWith('{"') || !line.includes('"jsonrpc":"2.0"'));
}

test("whatever modules, createServer and tools print comes on stderr, and nothing but messages on stdout", async () => {
  for (const noise of Object.keys(noises)) expect(await server.call("print", { noise })).toMatchObject(done);
  server.end();
  expect(await server.ended).toBe(0);
  expect(strays()).toEqual([]);
  expect(server.lines).toHaveLength(1 + Object.keys(noises).length);
  const printed = ["while loading", "written while loading", "createServer", "worker, written", ...Object.keys(noises)];
  expect(printed.filter((noise) => !server.stderr().includes(`noise: ${noise}`))).toEqual([]);
});

test.each([
  ["a rejected promise that nobody awaits", "reject", "nobody awaited this"],
  ["an exception in a timer", "throw-late", "thrown in a timer"],
])("%s is written to stderr with where it came from, and the next call is answered", async (_, tool, said) => {
  await server.call(tool);
  await expect.poll(() => server.stderr()).toContain(said);
  await expect.poll(() => server.stderr()).toMatch(/at .*noisy-server\.ts/);
  expect(await server.call("print", { noise: "log" })).toMatchObject(done);
  server.end();
  expect(await server.ended).toBe(0);
  expect(strays()).toEqual([]);
});

test("a hundred long answers at once arrive whole, without a warning", async () => {
  const bytes = 200_000;
  const answers = await Promise.all(Array.from({ length: 100 }, () => server.call("repeat", { bytes })));
  const text = "x".repeat(bytes);
  expect(answers.filter((answer) => !JSON.stringify(answer).includes(`"${text}"`))).toEqual([]);
  expect(strays()).toEqual([]);
  server.end();
  await server.ended;
  expect(server.stderr()).not.toContain("Warning");
});

// What is said of one is in test/wire/stdio-lines.test.ts. One without a method is an answer, and gets none.
test.each([
  ["no JSON", 1],
  ['{"half":', 1],
  ['{"jsonrpc":"1.0"}', 0],
  ["[]", 1],
  ["null", 1],
  ["", 0],
])("a line that is no message, %j, is told so, and the next one is answered", async (line, refusals) => {
  server.write(line);
  expect(await server.call("print", { noise: "log" })).toMatchObject(done);
  expect(server.lines).toHaveLength(2 + refusals);
});

test("with the end of its input it ends with 0, also when a tool left a timer running", async () => {
  await server.call("leave-timer");
  server.end();
  expect(await server.ended).toBe(0);
});

test("a client that reads no more ends it without a word", async () => {
  // But for the lines of calls.
  const said = (): string[] =>
    server
      .stderr()
      .split("\n")
      .filter((line) => !line.startsWith('{"event":"call"'));
  await server.call("leave-timer");
  // The last that is said there, by a pipe of its own.
  await server.call("print", { noise: "error" });
  await expect.poll(said).toContain("noise: error");
  const before = said();
  server.closeOutput();
  void server.call("repeat", { bytes: 1_000_000 }).catch(() => undefined);
  expect(await server.ended).toBe(0);
  expect(said()).toEqual(before);
});

test("with nobody at its stderr it goes on, whatever is printed there", async () => {
  server.closeErrors();
  for (const noise of ["log", "error", "write"]) {
    await server.call("reject");
    expect(await server.call("print", { noise })).toMatchObject(done);
  }
  server.end();
  expect(await server.ended).toBe(0);
});

test.each(["SIGTERM", "SIGINT"] as const)("%s ends it", async (signal) => {
  server.signal(signal);
  expect(await server.ended).toBe(signal);
});
