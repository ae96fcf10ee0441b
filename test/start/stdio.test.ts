import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { root } from "../support/bundle.ts";
import { initialize } from "../support/raw-client.ts";

test("npm run stdio prints nothing but protocol, and ends with its input", async () => {
  const child = spawn("npm", ["run", "--silent", "stdio"], { cwd: root, stdio: ["pipe", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const code = new Promise<number | null>((resolve) => child.on("close", resolve));
  const messages = [
    initialize(),
    { jsonrpc: "2.0", method: "notifications/initialized" },
    { jsonrpc: "2.0", id: "list", method: "tools/list" },
    { jsonrpc: "2.0", id: "call", method: "tools/call", params: { name: "add", arguments: { a: 25, b: 25 } } },
  ];
  const answered = new Promise<void>((resolve) => {
    child.stdout.on("data", () => {
      if (stdout.includes('"id":"list"') && stdout.includes('"id":"call"')) resolve();
    });
  });
  for (const message of messages) child.stdin.write(`${JSON.stringify(message)}\n`);
  await Promise.race([answered, code]);
  child.stdin.end();
  expect(await code).toBe(0);

  const answers = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Record<string, unknown> => JSON.parse(line));
  expect(new Set(answers.map(({ id }) => id))).toEqual(new Set(["initialize", "list", "call"]));
  expect(answers).toHaveLength(3);
  expect(answers.every(({ jsonrpc }) => jsonrpc === "2.0")).toBe(true);
  expect(answers.find(({ id }) => id === "call")).toMatchObject({ result: { content: [{ text: "50" }] } });
  expect(stderr).toBe("");
});
