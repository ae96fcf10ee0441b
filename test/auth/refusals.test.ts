import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keys } from "../../src/auth/keys.ts";
import { checkedAuth } from "../../src/auth/authenticate.ts";
import { withResource } from "../../src/auth/resource.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { bearer, openMcpAs } from "../support/guarded-client.ts";
import { initialize, postJson } from "../support/raw-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";
import { startWorkerd } from "../support/workerd-process.ts";

let edge: EdgeServer;
let own: EdgeServer;
beforeAll(async () => {
  [edge, own] = (await Promise.all(["guarded", "own-login"].map((name) => startEdge(`test/fixtures/${name}.ts`)))) as [
    EdgeServer,
    EdgeServer,
  ];
});
afterAll(() => Promise.all([edge.close(), own.close()]));

const message = { jsonrpc: "2.0", id: 1, method: "ping" };
const listed = statelessRequest("tools/list");

/** Each way in, by what comes of it with these headers. */
const ways: Record<string, (headers: Record<string, string>) => Promise<Response>> = {
  "GET /sse": (headers) => fetch(`${edge.url}/sse`, { headers: { accept: "text/event-stream", ...headers } }),
  "GET /mcp": (headers) =>
    fetch(`${edge.url}/mcp`, { headers: { accept: "text/event-stream", "mcp-session-id": "0", ...headers } }),
  "HEAD /sse": (headers) => fetch(`${edge.url}/sse`, { method: "HEAD", headers }),
  "POST /sse/message": (headers) => postJson(`${edge.url}/sse/message?sessionId=0`, message, headers),
  "POST /sse": (headers) => postJson(`${edge.url}/sse`, initialize(), headers),
  "POST /mcp": (headers) => postJson(`${edge.url}/mcp`, initialize(), headers),
  "POST /mcp, stateless": (headers) => postJson(`${edge.url}/mcp`, listed.message, { ...listed.headers, ...headers }),
  "DELETE /mcp": (headers) =>
    fetch(`${edge.url}/mcp`, { method: "DELETE", headers: { "mcp-session-id": "0", ...headers } }),
};

const noKeys: [string, Record<string, string>][] = [
  ["no key", {}],
  ["an empty key", { authorization: "Bearer " }],
  ["an unknown key", bearer("alice-key-2")],
  ["the beginning of a key", bearer("alice-key-")],
  ["a key and more", bearer("alice-key-11")],
  ["another scheme", { authorization: "Basic alice-key-1" }],
  ["no scheme", { authorization: "alice-key-1" }],
  ["two keys", { authorization: "Bearer alice-key-1, Bearer bob-key-1" }],
  ["a name of ours", { "mcp-edge-auth-caller": '{"principal":"alice","owner":"x","authInfo":{}}' }],
];

describe.each(Object.entries(ways))("%s", (_, ask) => {
  test.each(noKeys)("with %s is 401, says how to come in, and a page may read it", async (_what, headers) => {
    const response = await ask({ ...headers, origin: "http://localhost:3000" });
    expect(response.status).toBe(401);
    const challenge = response.headers.get("www-authenticate") ?? "";
    expect(challenge).toMatch(/^Bearer error="invalid_token", error_description="[^"]+"$/);
    expect(challenge).not.toContain("resource_metadata");
    expect(response.headers.get("access-control-allow-origin")).toBe("http://localhost:3000");
    expect(response.headers.get("access-control-expose-headers")).toContain("WWW-Authenticate");
    await response.body?.cancel();
  });

  test("with a key comes in, in whatever case its scheme is", async () => {
    const response = await ask({ authorization: "bEARER  bob-key-1" });
    expect(response.status).not.toBe(401);
    await response.body?.cancel();
  });
});

test("a path that is not the server's is 404 without a key, and a preflight is answered", async () => {
  expect((await fetch(`${edge.url}/elsewhere`)).status).toBe(404);
  const headers = { origin: "http://localhost:3000", "access-control-request-method": "POST" };
  expect((await fetch(`${edge.url}/mcp`, { method: "OPTIONS", headers })).status).toBe(204);
});

test("a page of a foreign origin is refused before it is asked for a key", async () => {
  const response = await fetch(`${edge.url}/sse`, { headers: { origin: "https://evil.example" } });
  expect(response.status).toBe(403);
});

test("whatever authorization holds, 10,000 times, it is no fault of the server's, and nobody comes in", async () => {
  const part = fc.oneof(
    fc.constantFrom(
      "Bearer",
      "bearer",
      "Basic",
      "alice-key-1",
      ",",
      "=",
      " ",
      "\t",
      '"',
      "alice-key-1x",
      "Bearer alice",
    ),
    fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 40 }),
    fc.integer({ min: 0x80, max: 0xff }).map((code) => String.fromCharCode(code)),
  );
  const value = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(""));
  const isKey = (header: string): boolean => /^\s*bearer +alice-key-1\s*$/i.test(header);
  // By itself: what `wrangler dev` has in front would have an opinion of its own.
  const plain = await startWorkerd({ main: "test/fixtures/guarded.ts" });
  let asked = 0;
  const knock = async (authorization: string): Promise<{ status: number; authorization: string }> => {
    const response = await postJson(`${plain.url}/mcp`, message, { authorization });
    await response.arrayBuffer();
    asked += 1;
    return { status: response.status, authorization };
  };
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 50, maxLength: 50 }), async (values) => {
        const answers = await Promise.all(values.map(knock));
        expect(answers.filter(({ status, authorization }) => status !== 401 && !isKey(authorization))).toEqual([]);
      }),
      { numRuns: 200, seed: 20_261_129 },
    );
    expect(asked).toBe(10_000);
  } finally {
    await plain.close();
  }
}, 600_000);

describe("what an own function says", () => {
  const ask = (token: string, headers = {}): Promise<Response> =>
    postJson(`${own.url}/mcp`, initialize(), { ...bearer(token), ...headers });

  test("a challenge is completed by where the document about the server is, for each path its own", async () => {
    const challenge = (await ask("late")).headers.get("www-authenticate");
    expect(challenge).toBe(
      `Bearer error="invalid_token", error_description="Token has expired", scope="mcp", ` +
        `resource_metadata="${own.url}/.well-known/oauth-protected-resource/mcp"`,
    );
    const endpoint = `${own.url}/tools/sse/message?sessionId=0&token=x`;
    const other = (await postJson(endpoint, message, bearer("late"))).headers.get("www-authenticate");
    expect(other).toContain(`resource_metadata="${own.url}/.well-known/oauth-protected-resource/tools/sse"`);
  });

  test("a scope that is missing says the same", async () => {
    const client = await openMcpAs(own.url, bearer("user:ann"));
    const challenge = (await client.call("write")).headers.get("www-authenticate");
    expect(challenge).toContain('scope="mcp mcp:write", resource_metadata="');
  });

  test("who cannot say now is no reason to throw a token away: 503, and when to come again", async () => {
    const response = await ask("away");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(response.headers.get("www-authenticate")).toBe(null);
  });

  test("an answer of its own is passed on", async () => {
    const response = await ask("own");
    expect([response.status, await response.text()]).toEqual([401, "log in over there"]);
  });

  const faults = {
    broken: "the database of users",
    nameless: "auth said no principal",
    worded: "auth said scopes",
    endless: "maxCallerBytes",
  };

  test.each(Object.entries(faults))("a fault of it lets nobody in, and the log has why: %s", async (token, why) => {
    const response = await ask(token);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("database");
    await expect.poll(() => own.logs().join("\n")).toContain(why);
  });
});

describe("a login that cannot be is refused at the start, in a sentence", () => {
  const authenticate = (): undefined => undefined;
  test.each([
    [undefined, "auth is a function, or what keys, jwt, fromContext or withResource returned, not undefined."],
    [null, "not null."],
    ["alice", "not string."],
    [{}, "not object."],
    [{ authenticate: "x" }, "not object."],
    [{ authenticate, resource: {} }, "auth has a resource of its own: withResource("],
    [{ authenticate, resource: null }, "auth has a resource of its own: withResource("],
    [{ ...keys(() => ({ a: "b" })), resource: { authorizationServers: [] } }, "withResource("],
  ])("%j", (auth, said) => {
    expect(() => checkedAuth(auth)).toThrow(said);
  });

  const issuers = { authorizationServers: ["https://issuer.example"], requiredScopes: [] };
  test.each([
    [{}, "authorizationServers, requiredScopes }, a list of URLs"],
    [undefined, "not undefined."],
    [{ authorizationServers: [], requiredScopes: [] }, 'not {"authorizationServers":[]'],
    [{ authorizationServers: ["issuer"], requiredScopes: [] }, 'not {"authorizationServers":["issuer"]'],
    [{ authorizationServers: ["http://issuer.example"], requiredScopes: [] }, "of URLs with https:, or of localhost"],
    [{ authorizationServers: ["https://issuer.example"] }, "and one of scopes; "],
    [{ ...issuers, metadata: "https://issuer.example" }, "metadata, if there is any, is a function"],
  ])("a resource that is %j", (resource, said) => {
    expect(() => withResource(resource as never, authenticate)).toThrow(said);
  });

  test.each([[keys(() => ({ a: "b" }))], [keys(() => ({ a: "b" })).authenticate], [undefined]])(
    "a resource for what is no function of one's own: %o",
    (what) => {
      expect(() => withResource(issuers, what as never)).toThrow("keys have none");
    },
  );
});

describe("a key that cannot be is named, and nobody comes in", () => {
  const request = new Request("http://localhost/sse", { headers: bearer("x") });
  test.each([
    [{ alice: "" }, "The key of alice is missing"],
    [{ alice: undefined }, "The key of alice is missing"],
    [{ alice: "ok", bob: { secret: "", scopes: [] } }, "The key of bob is missing"],
    [{ alice: "two words" }, "The key of alice has characters"],
    [{ alice: "same", bob: "same" }, "The keys of alice and bob are the same"],
    [{}, "keys names no key"],
  ])("%j", async (named, said) => {
    await expect(keys<object>(() => named).authenticate(request, {})).rejects.toThrow(said);
  });
});
