import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { getAs } from "../support/get-as.ts";
import { initialize, postJson } from "../support/raw-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let edge: EdgeServer;
/** As it is deployed. */
let deployed: WorkerdProcess;
beforeAll(async () => {
  const main = "test/fixtures/small-bounds.ts";
  [edge, deployed] = await Promise.all([startEdge(main), startWorkerd({ main })]);
});
afterAll(() => Promise.all([edge.close(), deployed.close()]));

test("a Host that is none is refused, and is nobody's incident", async () => {
  for (const host of ["a b", "localhost:999999", "[::1"]) {
    const { status, body } = await getAs(deployed.url, host, {});
    expect([status, body]).toEqual([
      400,
      expect.stringContaining("Invalid Request: the header Host is no host and port."),
    ]);
  }
  expect(deployed.output()).not.toContain("incident");
});

describe("a web page that may connect", () => {
  const origin = "http://localhost:6274";

  test("its preflight is answered without credentials, for the headers it names", async () => {
    const headers = {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type, mcp-session-id, mcp-param-x",
    };
    const response = await fetch(`${edge.url}/mcp`, { method: "OPTIONS", headers });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect(response.headers.get("access-control-allow-headers")).toContain("mcp-param-x");
    expect(response.headers.get("access-control-allow-methods")).toContain("DELETE");
  });

  test("it may read answers, errors and the session id", async () => {
    const opened = await postJson(`${edge.url}/mcp`, initialize(), { origin });
    expect(opened.headers.get("access-control-allow-origin")).toBe(origin);
    const exposed = opened.headers.get("access-control-expose-headers")?.split(", ");
    expect(exposed).toEqual(expect.arrayContaining(["Mcp-Session-Id", "WWW-Authenticate", "Retry-After"]));
    const refused = await postJson(`${edge.url}/mcp`, "{", { origin });
    expect(refused.status).toBe(400);
    expect(refused.headers.get("access-control-allow-origin")).toBe(origin);
  });
});

describe("a web page from elsewhere", () => {
  test("under a name that was made to mean this machine it is refused with 403, whatever it says of itself", async () => {
    const rebound = "rebound.example:8000";
    const guises = [
      {},
      { "cf-connecting-ip": "203.0.113.7" },
      { "cf-ray": "1", "x-forwarded-proto": "https" },
      { "mf-original-hostname": "localhost", "mf-cf-blob": '{"colo":"FRA"}' },
    ];
    for (const guise of guises) {
      const { status, body } = await getAs(edge.url, rebound, guise);
      expect(status).toBe(403);
      expect(body).toMatch(/Invalid Host: rebound\.example .*allowedHosts/);
    }
    expect((await getAs(edge.url, "127.0.0.1:8000", { origin: `http://${rebound}` })).status).toBe(403);
    for (const host of ["localhost:8000", "127.0.0.1", "[::1]:8000", "192.168.1.5:8000", "desk.example:8000"]) {
      expect((await getAs(edge.url, host, {})).status).toBe(404);
    }
  });

  test("under the name of a route, which wrangler writes over every other, it is not one of our own", async () => {
    expect((await getAs(edge.url, "desk.example", { origin: "http://desk.example" })).status).toBe(403);
    expect((await getAs(edge.url, "192.168.1.5", { origin: "http://192.168.1.5" })).status).toBe(404);
  });

  test("is refused on the edge, which answers under every name, and one of the server's own is not", async () => {
    const host = "mcp.example.com";
    expect((await getAs(deployed.url, host, {})).status).toBe(404);
    expect((await getAs(deployed.url, host, { origin: `https://${host}` })).status).toBe(404);
    expect((await getAs(deployed.url, host, { origin: "https://evil.example" })).status).toBe(403);
  });
});
