import { resolve } from "node:path";
import { expect, test } from "vitest";
import { optionsIn } from "../../src/serve/serve-options.ts";

const port = (value: string) => `PORT is a number from 1 to 65535, not ${value}.`;
const grace = (value: string) => `GRACE is a number of seconds up to 3600, not ${value}.`;
const hosts = (value: string) =>
  `ALLOWED_HOSTS is hostnames with commas between them, without scheme, port and wildcard, or * for any, not ${value}.`;

test.each([
  ["PORT", ["http", "0", "65536", "-1", "8e3", "0x50", "80.5", "80 81", "123456"], port],
  ["GRACE", ["soon", "-1", "3601", "Infinity", "1e3", "NaN"], grace],
  ["ALLOWED_HOSTS", ["https://a.example", "a.example:8000", "*.example", "a.example/sse", "a b", "a,b:1"], hosts],
] as const)("%s that cannot be is refused in a sentence", (name, values, sentence) => {
  for (const value of values) expect(() => optionsIn({ [name]: value }, "dist"), value).toThrow(sentence(value));
});

test("what is set to nothing is not set: it neither listens on all networks nor keeps sessions where it stands", () => {
  const none = optionsIn({}, "dist");
  expect(none).toMatchObject({
    port: 8000,
    host: "127.0.0.1",
    data: resolve("data"),
    graceMs: 3_000,
    allowedHosts: [],
  });
  const empty = { PORT: "", HOST: " ", DATA: "", GRACE: "", ALLOWED_HOSTS: "" };
  expect(optionsIn(empty, "dist")).toEqual({ ...none, env: empty });
});

test("names are compared as a URL spells them, and an address may stand as it does in one", () => {
  const { allowedHosts, host } = optionsIn(
    { ALLOWED_HOSTS: " MCP.Example.com, other.example,", HOST: "[::1]" },
    "dist",
  );
  expect(allowedHosts).toEqual(["mcp.example.com", "other.example"]);
  expect(host).toBe("::1");
  expect(optionsIn({ ALLOWED_HOSTS: "a.example, *" }, "dist").allowedHosts).toEqual(["*"]);
});
