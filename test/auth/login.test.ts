import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { logIn } from "../support/agreeing-user.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { IdentityProvider } from "../support/identity-provider.ts";
import { type LoginExample, startLoginExample } from "../support/login-example.ts";
import { initialize, postJson } from "../support/raw-client.ts";
import { begin, clients, connect, redirectUrl, TokenStore } from "./oauth-clients.ts";

let provider: IdentityProvider;
let example: LoginExample;

beforeAll(async () => {
  provider = await IdentityProvider.start();
  example = await startLoginExample({ OPENID_ISSUER: provider.issuer, ALLOWED_USERS: "alice, bob@example.com" });
});

const alice = { sub: "alice" };

afterEach(() => {
  provider.user = alice;
});

afterAll(async () => {
  await example.close();
  await provider.close();
});

test.each(clients)("SDK %s on /%s: its user logs in, and it calls", async (sdk, lane) => {
  const client = await connect(sdk, `${example.url}/${lane}`);
  expect(await client.call("add", { a: 25, b: 25 })).toBe("50");
  expect(JSON.parse(await client.call("whoami"))).toEqual({ id: `${provider.issuer}|alice`, name: "alice" });
  await client.close();
});

describe("elsewhere", () => {
  let server: EdgeServer;

  beforeAll(async () => {
    const login = { LOGIN_CLIENT_ID: "a", LOGIN_CLIENT_SECRET: "b", ALLOWED_USERS: "octocat" };
    server = await startEdge("test/fixtures/login-elsewhere.ts", {
      vars: { ELSEWHERE: provider.issuer, ...login },
      kv_namespaces: [{ binding: "OAUTH_KV" }],
      compatibility_flags: ["nodejs_als", "global_fetch_strictly_public"],
    });
  });

  beforeEach(() => {
    provider.user = { id: 583_231, login: "octocat" };
  });

  afterAll(() => server.close());

  test("a person logs in with GitHub", async () => {
    const client = await connect("v2", `${server.url}/sse`);
    const who: unknown = JSON.parse(await client.call("whoami"));
    expect(who).toEqual({ id: `${provider.issuer}|583231`, name: "octocat" });
    await client.close();
    expect(provider.requests).toContain("POST /login/oauth/access_token");
  });

  test.each(["v1", "v2"] as const)("SDK %s that says by a URL who it is need not register", async (sdk) => {
    const store = new TokenStore();
    store.clientMetadataUrl = `https://client.example.com/${sdk}.json`;
    const said = { ...store.clientMetadata, client_id: store.clientMetadataUrl };
    provider.documents.set(`/${sdk}.json`, said);
    await begin(sdk, `${server.url}/sse`, store);
    expect(store.asked?.searchParams.get("client_id")).toBe(store.clientMetadataUrl);
    const { pages } = await logIn(store.asked ?? new URL(""));
    expect(pages.map(({ text }) => text).join("")).toContain("published by <strong>client.example.com</strong>");
    const client = await connect(sdk, `${server.url}/sse`, store);
    expect(await client.call("add", { a: 25, b: 25 })).toBe("50");
    await client.close();
  });

  test("a client whose URL says nothing is not sent anything", async () => {
    const url = new URL(`${server.url}/authorize`);
    const query = {
      client_id: "https://client.example.com/none.json",
      redirect_uri: redirectUrl,
      response_type: "code",
    };
    url.search = new URLSearchParams({
      ...query,
      code_challenge: "x".repeat(43),
      code_challenge_method: "S256",
    }).toString();
    const response = await fetch(url, { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([400, null]);
  });
});

describe("a token", () => {
  test("of one lane does not open the other", async () => {
    const { store, close } = await connect("v2", `${example.url}/mcp`);
    await close();
    const headers = { authorization: `Bearer ${store.current?.access_token ?? ""}` };
    expect((await postJson(`${example.url}/mcp`, initialize(), headers)).status).toBe(200);
    const response = await postJson(`${example.url}/sse`, initialize(), headers);
    expect(response.status).toBe(401);
    const metadata = `resource_metadata="${example.url}/.well-known/oauth-protected-resource/sse"`;
    expect(response.headers.get("www-authenticate")).toContain(metadata);
  });

  test("is needed wherever a lane answers", async () => {
    const paths = ["/sse", "/sse/message?sessionId=x", "/mcp", "/mcp/message?sessionId=x", "/sse/", "/sse//"];
    const answers = paths.map(async (path) => {
      const post = await postJson(example.url + path, initialize());
      const get = await fetch(example.url + path, { headers: { accept: "text/event-stream" } });
      return [path, post.status, get.status];
    });
    expect(await Promise.all(answers)).toEqual(paths.map((path) => [path, 401, 401]));
    // The library compares paths exactly. Nothing but the lanes' guards leads to the app.
    expect((await postJson(`${example.url}/SSE`, initialize())).status).toBe(404);
    expect((await postJson(`${example.url}//sse`, initialize())).status).toBe(404);
  });
});

describe("where tokens are to be had", () => {
  const json = async (path: string) => {
    const response = await fetch(example.url + path);
    return response.ok ? ((await response.json()) as Record<string, unknown>) : response.status;
  };

  test.each(["/sse", "/mcp"])("the document about %s names exactly it", async (path) => {
    expect(await json(`/.well-known/oauth-protected-resource${path}`)).toMatchObject({
      resource: example.url + path,
      authorization_servers: [example.url],
      scopes_supported: ["mcp"],
    });
  });

  test("there is none about what is not there", async () => {
    expect(await json("/.well-known/oauth-protected-resource")).toBe(404);
    expect(await json("/.well-known/oauth-protected-resource/other")).toBe(404);
  });

  test("clients may register, or introduce themselves by a URL", async () => {
    expect(await json("/.well-known/oauth-authorization-server")).toMatchObject({
      issuer: example.url,
      registration_endpoint: `${example.url}/oauth/register`,
      client_id_metadata_document_supported: true,
      code_challenge_methods_supported: ["S256"],
    });
  });
});

describe("the page that asks a person", () => {
  test("shows who wants what, as text, to nobody's frame, and binds the answer to the browser", async () => {
    const asked = await authorizeUrl();
    const { back, pages } = await logIn(asked);
    expect(back.searchParams.get("code")).toBeTruthy();
    const [page, ...others] = pages;
    expect(others).toEqual([]);
    expect(page?.text).toContain("Allow test &#60;b&#62;client&#60;/b&#62; to use this MCP server");
    expect(page?.text).not.toContain("<b>");
    expect(page?.text).toContain("<strong>localhost</strong>");
    expect(page?.headers.get("content-security-policy")).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
    expect(page?.headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-.*; Secure; HttpOnly; SameSite=Lax/)]);
  });

  test("no: the client is told so, and the provider is not asked", async () => {
    const asked = await authorizeUrl();
    const before = provider.requests.length;
    const { back } = await logIn(asked, "deny");
    expect(back.searchParams.get("error")).toBe("access_denied");
    expect(provider.requests.slice(before)).toEqual([]);
  });

  test("an answer from another browser is none", async () => {
    const page = await (await fetch(await authorizeUrl())).text();
    const handle = /name="handle" value="(?<handle>[^"]*)"/.exec(page)?.groups?.["handle"] ?? "";
    const body = new URLSearchParams({ handle, decision: "allow" });
    const response = await fetch(`${example.url}/authorize`, { method: "POST", body, redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([400, null]);
  });

  test("an unknown client, or one that would have the code sent elsewhere, is not sent anything", async () => {
    for (const [name, value] of [
      ["client_id", "unknown"],
      ["redirect_uri", "https://evil.example.com/callback"],
    ] as const) {
      const url = await authorizeUrl();
      url.searchParams.set(name, value);
      const response = await fetch(url, { redirect: "manual" });
      expect([name, response.status, response.headers.get("location")]).toEqual([name, 400, null]);
    }
  });

  test("what comes back without having been sent is 400", async () => {
    const response = await fetch(`${example.url}/callback?code=1&state=2`, { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([400, null]);
    const junk = await fetch(`${example.url}/authorize`, { method: "POST", body: "junk", redirect: "manual" });
    expect([junk.status, junk.headers.get("location")]).toEqual([400, null]);
  });
});

test.each(["/authorize", "/oauth/token"])("a form that is longer than any is not read: %s", async (path) => {
  const form = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" } };
  const body = `handle=${"x".repeat(100_000)}`;
  const declared = await fetch(example.url + path, { ...form, body });
  // With a length that nobody knows before.
  const endless = new Blob([body]).stream() as unknown as BodyInit;
  const chunked = await fetch(example.url + path, { ...form, body: endless, duplex: "half" } as RequestInit);
  expect([declared.status, chunked.status]).toEqual([413, 413]);
});

describe("who may come in", () => {
  const outcome = async (user: Record<string, unknown>) => {
    provider.user = user;
    const { back } = await logIn(await authorizeUrl());
    return back.searchParams.get("error") ?? "code";
  };

  test("those who are named, by an address that the provider has confirmed", async () => {
    expect(await outcome({ sub: "4711", email: "bob@example.com", email_verified: true })).toBe("code");
    expect(await outcome({ sub: "4712", email: "bob@example.com", email_verified: false })).toBe("access_denied");
    expect(await outcome({ sub: "4713", email: "bob@example.com" })).toBe("access_denied");
    expect(await outcome({ sub: "mallory" })).toBe("access_denied");
  });

  test("a person whom the provider does not let in is sent back to the client", async () => {
    provider.refuses = true;
    try {
      expect(await outcome(alice)).toBe("access_denied");
    } finally {
      provider.refuses = false;
    }
  });

  test("a provider that says nothing about them, or is out of order: the client is told", async () => {
    expect(await outcome({})).toBe("server_error");
    await provider.be("failing");
    try {
      const { back } = await logIn(await authorizeUrl());
      expect(back.searchParams.get("error")).toBe("server_error");
    } finally {
      await provider.be("up");
    }
  });
});

/** Where a client of the SDK sends the browser. */
async function authorizeUrl(): Promise<URL> {
  const store = new TokenStore();
  await begin("v2", `${example.url}/sse`, store);
  if (store.asked === undefined) throw new Error("the client did not open a browser");
  return store.asked;
}
