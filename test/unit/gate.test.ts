import { describe, expect, test } from "vitest";
import { refuseStranger, withCors } from "../../src/edge/gate.ts";
import { type EdgeOptions, resolveOptions } from "../../src/options.ts";

/** 200 if it is let in. */
function knock(url: string, origin: string | undefined, options: EdgeOptions = {}): number {
  const request = new Request(url, origin === undefined ? {} : { headers: { origin } });
  return refuseStranger(request, new URL(url), resolveOptions(options))?.status ?? 200;
}

describe("a development server lets in", () => {
  test("who comes by a name of this machine, by its address, or by a name that is an option", () => {
    expect(knock("http://localhost:8000/sse", undefined)).toBe(200);
    expect(knock("http://[::1]:8000/sse", undefined)).toBe(200);
    expect(knock("http://192.168.1.5:8000/sse", undefined)).toBe(200);
    expect(knock("http://desk.example:8000/sse", undefined)).toBe(403);
    expect(knock("http://desk.example:8000/sse", undefined, { allowedHosts: ["desk.example"] })).toBe(200);
  });

  test("pages of this machine, of its address, and of hosts that are an option", () => {
    const url = "http://localhost:8000/mcp";
    expect(knock(url, "http://localhost:6274")).toBe(200);
    expect(knock(url, "https://app.example.com")).toBe(403);
    expect(knock(url, "https://app.example.com", { allowedOrigins: ["app.example.com"] })).toBe(200);
    expect(knock(url, "https://app.example.com", { allowedOrigins: "*" })).toBe(200);
    expect(knock(url, "null")).toBe(403);
    expect(knock("http://192.168.1.5:8000/mcp", "http://192.168.1.5:8000")).toBe(200);
    const allowedHosts = ["desk.example"];
    expect(knock("http://desk.example/mcp", "http://desk.example", { allowedHosts })).toBe(403);
  });
});

test.each(["null", "file://", "garbage", "http://localhost, http://evil.example"])(
  "a page of the origin %s is told that no name lets it in",
  async (origin) => {
    const request = new Request("http://localhost:8000/mcp", { headers: { origin } });
    const refusal = refuseStranger(request, new URL(request.url), resolveOptions({}));
    expect(refusal?.status).toBe(403);
    expect(await refusal?.text()).toContain('Serve the page by HTTP, or set allowedOrigins to \\"*\\".');
  },
);

test("an answer says for which page it is readable, so that no cache gives it to another", () => {
  const headers = { origin: "http://localhost:6274" };
  const shared = withCors(
    new Response("", { headers: { vary: "Accept" } }),
    new Request("http://localhost/", { headers }),
  );
  expect(shared.headers.get("access-control-allow-origin")).toBe("http://localhost:6274");
  expect(shared.headers.get("vary")).toBe("Accept, Origin");
  const plain = new Response("");
  expect(withCors(plain, new Request("http://localhost/"))).toBe(plain);
});
