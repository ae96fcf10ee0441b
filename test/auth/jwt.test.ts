import * as fc from "fast-check";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import type { EdgeServer } from "../support/edge-server.ts";
import { audience, knock, trustedProvider } from "./trusting-servers.ts";
import { initialize, postJson, RawStream } from "../support/raw-client.ts";

const { provider, start } = await trustedProvider();

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** A valid token but for these claims; those that are `undefined` are not in it. */
const tokenOf = (claims: Record<string, unknown> = {}) => provider.sign(provider.claims(audience, claims));

/** Whom a tool sees, on HTTP+SSE. */
async function whoami({ url }: EdgeServer, headers: Record<string, string>): Promise<Record<string, unknown>> {
  const stream = await RawStream.open(`${url}/sse`, { headers });
  const { data } = await stream.next(({ event }) => event === "endpoint");
  const endpoint = new URL(data, url).href;
  await postJson(endpoint, initialize(), headers);
  await postJson(endpoint, { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "whoami" } }, headers);
  const { result } = (await stream.answerTo(1)) as { result: { content: [{ text: string }] } };
  stream.close();
  return JSON.parse(result.content[0].text) as Record<string, unknown>;
}

describe("a server that takes the tokens of an identity provider", () => {
  let edge: EdgeServer;

  beforeAll(async () => {
    edge = await start({ requiredScopes: ["mcp"] });
  });

  const seconds = Math.floor(Date.now() / 1000);
  const scope = "mcp";
  const refused: [name: string, authorization: () => Promise<string | undefined>][] = [
    ["no token", async () => undefined],
    ["another scheme", async () => "Basic YWxpY2U6c2VjcmV0"],
    ["a scheme without a token", async () => "Bearer"],
    ["two tokens", async () => `Bearer ${await tokenOf({ scope })}, Bearer ${await tokenOf({ scope })}`],
    ["a token that is no JWT", async () => "Bearer secret"],
    ["an expired token", async () => `Bearer ${await tokenOf({ scope, exp: seconds - 60 })}`],
    ["a token that is not valid yet", async () => `Bearer ${await tokenOf({ scope, nbf: seconds + 600 })}`],
    ["a token that never ends", async () => `Bearer ${await tokenOf({ scope, exp: undefined })}`],
    ["a token for another server", async () => `Bearer ${await tokenOf({ scope, aud: "https://other.example.com" })}`],
    ["a token for the host it is sent to", async () => `Bearer ${await tokenOf({ scope, aud: `${edge.url}/mcp` })}`],
    ["a token for no server", async () => `Bearer ${await tokenOf({ scope, aud: undefined })}`],
    ["a token of another issuer", async () => `Bearer ${await tokenOf({ scope, iss: "https://idp.example.com" })}`],
    ["a token of nobody", async () => `Bearer ${await tokenOf({ scope, sub: undefined })}`],
    ["a token of an empty name", async () => `Bearer ${await tokenOf({ scope, sub: "" })}`],
    ["alg: none", async () => `Bearer ${new UnsecuredJWT(provider.claims(audience, { scope })).encode()}`],
    ["a key of its own", async () => `Bearer ${await signedBySomebody(provider.publicJwk.kid)}`],
    ["a key that nobody knows", async () => `Bearer ${await signedBySomebody("unknown")}`],
    ["HS256, with the public key as its secret", async () => `Bearer ${await signedWithPublicKey()}`],
    ["a subject that was changed", async () => `Bearer ${tampered(await tokenOf({ scope }))}`],
    ["a header that must be understood", async () => `Bearer ${await withHead({ crit: ["exp"], exp: 1 })}`],
    ["a payload that is not encoded", async () => `Bearer ${await withHead({ crit: ["b64"], b64: false })}`],
    ["a key that it brings along", async () => `Bearer ${await bringingItsKey()}`],
    ["a key that has no name but a number", async () => `Bearer ${await withHead({ kid: 1 })}`],
    ["an issuer with one more slash", async () => `Bearer ${await tokenOf({ scope, iss: `${provider.issuer}/` })}`],
    ["an audience with one more slash", async () => `Bearer ${await tokenOf({ scope, aud: `${audience}/` })}`],
    ["audiences that are none of ours", async () => `Bearer ${await tokenOf({ scope, aud: [[audience], {}] })}`],
    ["a name that is no text", async () => `Bearer ${await tokenOf({ scope, sub: ["alice"] })}`],
    ["more than any token", async () => `Bearer ${"e".repeat(12_000)}.${"e".repeat(12_000)}.e`],
  ];

  test.each(refused)("%s is 401, and told what to ask for", async (_, authorization) => {
    const value = await authorization();
    const answer = await knock(edge, value === undefined ? {} : { authorization: value });
    const challenge = expect.stringMatching(/^Bearer error="invalid_token".*scope="mcp"/);
    expect(answer).toEqual({ status: 401, challenge, retryAfter: null });
    expect(answer.challenge).toContain(metadataOf(edge));
  });

  test("a token without the scope is 403, which says all that is needed", async () => {
    const { status, challenge } = await knock(edge, bearer(await tokenOf({ scope: "profile email" })));
    expect(status).toBe(403);
    expect(challenge).toMatch(/^Bearer error="insufficient_scope".*scope="mcp"/);
    expect(challenge).toContain(metadataOf(edge));
  });

  test("a tool sees who calls, whatever the letters of the name", async () => {
    const token = await tokenOf({ scope: "mcp profile", azp: "app-1", name: "Älice ✓" });
    const seen = await whoami(edge, bearer(token));
    expect(seen).toMatchObject({ clientId: "app-1", scopes: ["mcp", "profile"], expiresAt: expect.any(Number) });
    expect(seen["extra"]).toMatchObject({ claims: { sub: "alice", name: "Älice ✓", iss: provider.issuer } });
  });

  test("whatever stands in the place of a token, the answer is 401", async () => {
    const good = await tokenOf({ scope });
    const words = fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019-_.=+/ ,~"\\')), maxLength: 60 });
    const alg = fc.constantFrom("ES256", "RS256", "none", "HS256", "EdDSA", "", "é", 1, null);
    const kid = fc.oneof(fc.constant(provider.publicJwk.kid), fc.jsonValue());
    const header = fc.record({ alg, kid, typ: fc.jsonValue(), crit: fc.jsonValue() }, { requiredKeys: ["alg"] });
    const encoded = fc.oneof(header, fc.jsonValue()).map(base64url);
    const part = fc.oneof(words, encoded);
    const forged = fc.tuple(part, part, words).map((parts) => parts.join("."));
    const place = fc.nat(good.length - 2);
    const cut = fc.tuple(place, place).map(([first, last]) => good.slice(0, first) + good.slice(last + 1));
    const tokens = fc.oneof(
      words,
      forged,
      cut.filter((token) => token !== good),
    );
    await fc.assert(
      fc.asyncProperty(tokens, async (token) => {
        expect((await knock(edge, bearer(token))).status).toBe(401);
      }),
      { numRuns: 300, seed: 20_261_129 },
    );
  });

  test("a key is known as soon as it is used, the one before it no longer", async () => {
    const before = await tokenOf({ scope });
    expect((await knock(edge, bearer(before))).status).toBe(200);
    await provider.rotate();
    const after = await tokenOf({ scope });
    await expect.poll(async () => (await knock(edge, bearer(after))).status, { interval: 500 }).toBe(200);
    // Anybody can name keys that nobody knows: that does not have the provider asked again and again.
    const [asked, sinceMs] = [fetchesOfKeys(), performance.now()];
    for (const kid of ["a", "b", "c", "d"]) {
      expect((await knock(edge, bearer(await signedBySomebody(kid)))).status).toBe(401);
    }
    // Once in five seconds.
    expect(fetchesOfKeys() - asked).toBeLessThanOrEqual(1 + (performance.now() - sinceMs) / 5_000);
  });
});

test("of a provider with two keys both are good, and a token that names none is 401", async () => {
  const before = await tokenOf();
  await provider.rotate({ keepsFormer: true });
  const edge = await start();
  expect((await knock(edge, bearer(await tokenOf()))).status).toBe(200);
  expect((await knock(edge, bearer(before))).status).toBe(200);
  const unnamed = await provider.sign(provider.claims(audience), { kid: undefined });
  expect((await knock(edge, bearer(unnamed))).status).toBe(401);
});

describe("what providers do otherwise", () => {
  test("Cloudflare Access: a header of its own, keys by their URL, services without a subject", async () => {
    const header = "cf-access-jwt-assertion";
    const edge = await start({ header, jwksUri: `${provider.issuer}/jwks`, subject: ["sub", "common_name"] });
    const service = await tokenOf({ sub: "", common_name: "ci.access" });
    expect((await knock(edge, { [header]: service })).status).toBe(200);
    expect((await knock(edge, { [header]: await tokenOf({ sub: "" }) })).status).toBe(401);
    const { status, challenge } = await knock(edge, bearer(service));
    expect(status).toBe(401);
    // Access has a login of its own, which a client must not look for here.
    expect(challenge).not.toContain("resource_metadata");
  });

  test("Entra and Okta: scopes in scp, as words or as a list; Auth0: permissions", async () => {
    const edge = await start({ scopeClaims: ["scope", "scp", "permissions"], requiredScopes: ["mcp:write"] });
    const told = async (claims: Record<string, unknown>) => (await knock(edge, bearer(await tokenOf(claims)))).status;
    expect(await told({ scp: "mcp mcp:write" })).toBe(200);
    expect(await told({ scp: ["mcp", "mcp:write"] })).toBe(200);
    expect(await told({ scope: "openid", permissions: ["mcp:write"] })).toBe(200);
    expect(await told({ roles: ["mcp:write"] })).toBe(403);
  });

  test("WorkOS: one of several audiences", async () => {
    const edge = await start({ audience: ["client_123", audience] });
    const told = async (aud: string | string[]) => (await knock(edge, bearer(await tokenOf({ aud })))).status;
    expect(await told("client_123")).toBe(200);
    expect(await told(["https://userinfo.example.com", audience])).toBe(200);
    expect(await told("client_456")).toBe(401);
  });

  test("Clerk: no audience, if the server says that it takes that", async () => {
    const edge = await start({ audience: false });
    expect((await knock(edge, bearer(await tokenOf({ aud: undefined })))).status).toBe(200);
  });
});

const metadataOf = ({ url }: EdgeServer) => `resource_metadata="${url}/.well-known/oauth-protected-resource/mcp"`;

const fetchesOfKeys = () => provider.requests.filter((request) => request === "GET /jwks").length;

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** With a key that is not the provider's, under this name. */
async function signedBySomebody(kid = ""): Promise<string> {
  const { privateKey } = await generateKeyPair("ES256");
  const claims = new SignJWT(provider.claims(audience, { scope: "mcp" }));
  return await claims.setProtectedHeader({ alg: "ES256", kid }).sign(privateKey);
}

async function signedWithPublicKey(): Promise<string> {
  const { kid = "", ...jwk } = provider.publicJwk;
  const claims = new SignJWT(provider.claims(audience, { scope: "mcp" }));
  return await claims.setProtectedHeader({ alg: "HS256", kid }).sign(new TextEncoder().encode(JSON.stringify(jwk)));
}

/** A valid token whose header says this besides. */
async function withHead(head: Record<string, unknown>): Promise<string> {
  const [, ...rest] = (await tokenOf({ scope: "mcp" })).split(".");
  return [base64url({ alg: "ES256", kid: provider.publicJwk.kid, ...head }), ...rest].join(".");
}

/** By a key of somebody's that is in the header, and at a URL which that names. */
async function bringingItsKey(): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk = await exportJWK(publicKey);
  provider.documents.set("/somebodys-keys", { keys: [{ ...jwk, kid: "somebodys" }] });
  const head = { alg: "ES256", kid: "somebodys", jwk, jku: `${provider.issuer}/somebodys-keys` };
  return await new SignJWT(provider.claims(audience, { scope: "mcp" })).setProtectedHeader(head).sign(privateKey);
}

function tampered(token: string): string {
  const [header, payload = "", signature] = token.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
  return [header, base64url({ ...claims, sub: "mallory" }), signature].join(".");
}
