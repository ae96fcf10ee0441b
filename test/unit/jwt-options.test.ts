import { describe, expect, test } from "vitest";
import { jwt, type JwtOptions } from "../../src/auth/jwt.ts";
import { VerifiedTokens } from "../../src/auth/verified-tokens.ts";

const good = { issuer: "https://acme.eu.auth0.com/", audience: "https://mcp.example.com/sse" };

/** What whoever wrote this is told as the Worker starts. */
function told(options: unknown): string {
  try {
    jwt(options as never);
    return "nothing";
  } catch (error) {
    return error instanceof RangeError ? error.message : `no RangeError: ${String(error)}`;
  }
}

describe("jwt is told what cannot be as the Worker starts, in a sentence", () => {
  const https = "is a URL that begins with https://";
  const wrong: [name: string, options: unknown, sentence: string][] = [
    ["no options", undefined, "jwt needs options"],
    ["no issuer", { audience: good.audience }, `jwt's issuer ${https}, not undefined.`],
    ["an issuer without a scheme", { ...good, issuer: "acme.eu.auth0.com" }, `issuer ${https}`],
    ["an issuer in clear text", { ...good, issuer: "http://idp.example.com" }, `issuer ${https}`],
    ["no audience", { issuer: good.issuer }, "jwt needs an audience"],
    ["an audience from an unset variable", { ...good, audience: undefined }, "jwt needs an audience"],
    ["an empty audience", { ...good, audience: "" }, "jwt needs an audience"],
    ["a list of no audience", { ...good, audience: [] }, "jwt needs an audience"],
    ["a list with an unset one", { ...good, audience: [good.audience, undefined] }, "jwt needs an audience"],
    ["audience: true", { ...good, audience: true }, "jwt needs an audience"],
    ["keys in clear text", { ...good, jwksUri: "http://idp.example.com/jwks" }, `jwksUri ${https}`],
    ["a header that is none", { ...good, header: "Cf Access" }, "jwt's header is the name of a header"],
    ["scopes in one string", { ...good, requiredScopes: "mcp" }, "jwt's requiredScopes is an array of names"],
    ["a scope with a blank", { ...good, requiredScopes: ["mcp write"] }, "jwt's requiredScopes is an array of names"],
    ["no function for a subject", { ...good, subject: "email" }, "jwt's subject is a function"],
    ["no time for the issuer", { ...good, timeoutMs: 0 }, "jwt's timeoutMs is a positive number"],
    ["an unknown option", { ...good, audiences: ["x"] }, "jwt has no option audiences. It has issuer, audience,"],
  ];

  test.each(wrong)("%s", (_, options, sentence) => {
    expect(told(options)).toContain(sentence);
  });

  test("nothing else", () => {
    expect(told(good)).toBe("nothing");
    expect(told({ ...good, audience: false })).toBe("nothing");
    expect(told({ ...good, issuer: "http://localhost:4000", jwksUri: "http://[::1]:4000/jwks" })).toBe("nothing");
  });
});

test("clients learn of the issuer, but where something in front asks for the login", async () => {
  const paths = { publicPath: "", ssePath: "/sse", mcpPath: "/mcp" };
  const url = new URL("https://mcp.example/.well-known/oauth-protected-resource/mcp");
  const documentOf = async (options: Partial<JwtOptions>) =>
    (await jwt({ ...good, ...options }).resource?.answer(new Request(url), url, paths))?.json();
  const document = { resource: "https://mcp.example/mcp", authorization_servers: [good.issuer] };
  expect(await documentOf({ requiredScopes: ["mcp"] })).toMatchObject({ ...document, scopes_supported: ["mcp"] });
  expect(await documentOf({ header: "Authorization" })).toMatchObject({ ...document, scopes_supported: [] });
  expect(jwt({ ...good, header: "cf-access-jwt-assertion" }).resource).toBeUndefined();
});

describe("tokens that were verified a moment ago", () => {
  const caller = (expiresAt: number) => ({
    principal: "a",
    authInfo: { token: "", clientId: "", scopes: [], expiresAt },
  });

  test("are known for a minute, and never past their end", () => {
    const verified = new VerifiedTokens();
    verified.add("long", caller(10_000), 1_000);
    verified.add("short", caller(5), 1_000);
    expect(verified.get("long", 60_999)).toBeDefined();
    expect(verified.get("long", 61_000)).toBeUndefined();
    expect(verified.get("short", 4_999)).toBeDefined();
    expect(verified.get("short", 5_000)).toBeUndefined();
    expect(verified.get("other", 1_000)).toBeUndefined();
  });

  test("are a thousand at most, of which the oldest go", () => {
    const verified = new VerifiedTokens();
    for (let n = 0; n < 1_200; n++) verified.add(`token ${n}`, caller(10_000), 0);
    const known = Array.from({ length: 1_200 }, (_, n) => n).filter((n) => verified.get(`token ${n}`, 0) !== undefined);
    expect([known.length, known[0], known.at(-1)]).toEqual([1_000, 200, 1_199]);
  });
});
