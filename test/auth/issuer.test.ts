import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as passing } from "node:timers/promises";
import { generateKeyPair, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { bearer } from "../support/guarded-client.ts";
import { startWorkerd } from "../support/workerd-process.ts";
import { audience, knock, trustedProvider } from "./trusting-servers.ts";

const { provider, start } = await trustedProvider();

/** A valid token but for these claims. */
const tokenOf = (claims: Record<string, unknown> = {}) => provider.sign(provider.claims(audience, claims));

/** How long one that hangs is waited for, of its two questions, and how long it is not asked again, milliseconds. */
const [eachMs, askAgainMs] = [5_000, 5_000];

const timesFor = (health: string) => (health === "hanging" ? { timeoutMs: 2 * eachMs } : {});

/** Does `attempt` again if it says that a busy machine took longer for it than there was time. */
async function untilInTime(attempt: () => Promise<boolean>): Promise<void> {
  try {
    while (!(await attempt())) await provider.be("up");
  } finally {
    await provider.be("up");
  }
}

/** Where clients of 2025-03-26 look for the authorization server, and nowhere else. */
const copy = "/.well-known/oauth-authorization-server";

describe("while the identity provider cannot be asked", () => {
  test.each(["down", "failing", "hanging"] as const)("%s: 503 and when to come again", async (health) => {
    const edge = await start(timesFor(health));
    const token = await tokenOf();
    await provider.be(health);
    try {
      expect(await knock(edge, bearer(token))).toEqual({ status: 503, challenge: null, retryAfter: "5" });
      expect((await knock(edge, {})).status).toBe(401);
    } finally {
      await provider.be("up");
    }
    // It is asked again after a while: not for each request, and then it is enough, if this machine has the time to answer.
    const upSinceMs = performance.now();
    await expect.poll(async () => (await knock(edge, bearer(token))).status, { interval: 500 }).toBe(200);
    const failures = () => edge.logs().filter((line) => line.includes("issuer-unreachable"));
    await expect.poll(failures).not.toEqual([]);
    expect(failures().length).toBeLessThanOrEqual(1 + (performance.now() - upSinceMs) / askAgainMs);
    // Its keys are known now, and it is not needed.
    await provider.be(health);
    try {
      expect((await knock(edge, bearer(await tokenOf({ jti: health })))).status).toBe(200);
    } finally {
      await provider.be("up");
    }
  });

  test.each(["failing", "hanging"] as const)(
    "%s: who comes soon after the first is told so at once",
    async (health) => {
      await untilInTime(async () => {
        const edge = await start(timesFor(health));
        await provider.be(health);
        const endsAtMs = performance.now() + (health === "hanging" ? eachMs : 0) + askAgainMs;
        expect((await knock(edge, bearer(await tokenOf()))).status).toBe(503);
        const asked = provider.requests.length;
        const tokens = await Promise.all(["a", "b", "c"].map((jti) => tokenOf({ jti })));
        const answers = await Promise.all(tokens.map((token) => knock(edge, bearer(token))));
        const { status: ofCopy } = await fetch(`${edge.url}${copy}`);
        if (performance.now() >= endsAtMs) return false;
        expect(answers.map(({ status, retryAfter }) => [status, retryAfter])).toEqual(tokens.map(() => [503, "5"]));
        expect(ofCopy).toBe(503);
        expect(provider.requests.slice(asked)).toEqual([]);
        return true;
      });
    },
  );

  test("of those who come later one asks again, and the others do not wait for it", async () => {
    await untilInTime(async () => {
      const edge = await start(timesFor("hanging"));
      await provider.be("failing");
      expect((await knock(edge, bearer(await tokenOf()))).status).toBe(503);
      await provider.be("hanging");
      const asked = provider.requests.length;
      const isAsked = (): boolean => provider.requests.length > asked;
      const [token, other] = [await tokenOf({ jti: "one" }), await tokenOf({ jti: "other" })];
      let [knockedAtMs, isAnswered, waiting] = [0, true, Promise.resolve<unknown>(undefined)];
      // Whoever asks again waits for what never comes.
      while (!isAsked()) {
        await passing(50);
        if (!isAnswered) continue;
        [knockedAtMs, isAnswered] = [performance.now(), false];
        waiting = knock(edge, bearer(token)).finally(() => (isAnswered = true));
      }
      const { status } = await knock(edge, bearer(other));
      const isInTime = performance.now() < knockedAtMs + Math.min(eachMs, askAgainMs);
      if (isInTime) {
        expect([status, isAnswered]).toEqual([503, false]);
        expect(provider.requests.length - asked).toBe(1);
      }
      await provider.be("down");
      await waiting;
      return isInTime;
    });
  });

  test.each(["/nothing-here", "/no-keys"])("keys that are not where they should be, at %s: 503", async (path) => {
    provider.documents.set("/no-keys", { keys: "none" });
    const edge = await start({ jwksUri: provider.issuer + path });
    expect((await knock(edge, bearer(await tokenOf()))).status).toBe(503);
  });

  test("keys that are said to be elsewhere: 503, and nobody is asked there", async () => {
    const elsewhere = createServer((_, response) => {
      response.writeHead(302, { location: `${provider.issuer}/jwks` }).end();
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const { port } = elsewhere.address() as AddressInfo;
    const jwt = { issuer: provider.issuer, audience, jwksUri: `http://127.0.0.1:${port}/jwks`, timeoutMs: 120_000 };
    // Plain: what `wrangler dev` has in front goes there whatever it is told.
    const workerd = await startWorkerd({
      main: "test/fixtures/jwt.ts",
      more: {
        services: `(name = "all", network = (allow = ["local", "public"])),`,
        bindings: `, (name = "JWT", text = ${JSON.stringify(JSON.stringify(jwt))})`,
        worker: `globalOutbound = "all",`,
      },
    });
    try {
      const asked = provider.requests.length;
      expect((await knock(workerd, bearer(await tokenOf()))).status).toBe(503);
      expect(provider.requests.slice(asked)).toEqual([]);
      expect(workerd.output()).toContain("/jwks was answered 302.");
    } finally {
      await workerd.close();
      elsewhere.close();
    }
  });

  test("an issuer that calls itself otherwise: 503, and the log says what to set", async () => {
    const edge = await start({ issuer: `${provider.issuer}/` });
    const token = await tokenOf({ iss: `${provider.issuer}/` });
    expect((await knock(edge, bearer(token))).status).toBe(503);
    await expect
      .poll(() => edge.logs().join("\n"))
      .toContain(`says that its issuer is ${provider.issuer}: set issuer to that.`);
  });
});

test("an issuer that would send its keys as anybody on the way can change them: 503, and the log says what to set", async () => {
  const issuer = `${provider.issuer}/careless`;
  const metadata = { issuer, jwks_uri: "http://idp.example.com/jwks" };
  provider.documents.set("/careless/.well-known/openid-configuration", metadata);
  const edge = await start({ issuer });
  expect((await knock(edge, bearer(await tokenOf({ iss: issuer })))).status).toBe(503);
  await expect
    .poll(() => edge.logs().join("\n"))
    .toContain("names no jwks_uri that begins with https://: set jwksUri.");
});

test("of a megabyte of keys each is known", async () => {
  const other = { ...provider.publicJwk, x5c: ["x".repeat(1_000)] };
  const others = Array.from({ length: 1_000 }, (_, at) => ({ ...other, kid: `other-${at}` }));
  provider.documents.set("/many-keys", { keys: [...others, provider.publicJwk] });
  const edge = await start({ jwksUri: `${provider.issuer}/many-keys` });
  expect((await knock(edge, bearer(await tokenOf()))).status).toBe(200);
});

test("a key that nobody can use keeps no other from being known, however often it is named", async () => {
  const broken = { kty: "EC", crv: "P-256", x: "AA", y: "AA", kid: "broken", alg: "ES256", use: "sig" };
  const publish = () => provider.documents.set("/some-broken", { keys: [broken, provider.publicJwk] });
  publish();
  const edge = await start({ jwksUri: `${provider.issuer}/some-broken` });
  expect((await knock(edge, bearer(await tokenOf()))).status).toBe(200);
  await provider.rotate();
  publish();
  const { privateKey } = await generateKeyPair("ES256");
  const forged = await new SignJWT(provider.claims(audience))
    .setProtectedHeader({ alg: "ES256", kid: "broken" })
    .sign(privateKey);
  const token = await tokenOf();
  const knockAfterForged = async (): Promise<number> => {
    // It is nobody's fault but the provider's, who was asked and has answered: the log has what is wrong.
    expect((await knock(edge, bearer(forged))).status).toBe(500);
    return (await knock(edge, bearer(token))).status;
  };
  await expect.poll(knockAfterForged, { interval: 500 }).toBe(200);
  expect(edge.logs().filter((line) => line.includes("issuer-unreachable"))).toEqual([]);
});

describe("a copy of what the provider says of itself, for clients that know no other place", () => {
  const copied = { origin: "https://elsewhere.example" };

  test("is on the server's own host, as it is, for a page of any origin and without a token", async () => {
    const edge = await start();
    const response = await fetch(edge.url + copy, { headers: copied });
    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual(await (await fetch(provider.issuer + copy)).json());
    const asked = provider.requests.length;
    expect((await fetch(edge.url + copy)).status).toBe(200);
    expect(provider.requests.length).toBe(asked);
    expect((await fetch(edge.url + copy, { method: "OPTIONS", headers: copied })).status).toBe(204);
    expect((await fetch(edge.url + copy, { method: "POST" })).status).toBe(405);
    expect((await fetch(`${edge.url}${copy}/mcp`)).status).toBe(404);
  });

  test("is there again once the provider can be asked, and is 503 until then", async () => {
    const edge = await start();
    await provider.be("down");
    try {
      const response = await fetch(edge.url + copy, { headers: copied });
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
    } finally {
      await provider.be("up");
    }
    await expect.poll(async () => (await fetch(edge.url + copy)).status, { interval: 500 }).toBe(200);
  });

  test("of a provider that says nothing of itself, is asked for in vain, and nobody is kept out by that", async () => {
    const issuer = `${provider.issuer}/tenant`;
    const edge = await start({ issuer, jwksUri: `${provider.issuer}/jwks` });
    expect((await fetch(edge.url + copy)).status).toBe(503);
    expect((await knock(edge, bearer(await tokenOf({ iss: issuer })))).status).toBe(200);
  });

  test("is not there behind a login that asks by itself", async () => {
    const edge = await start({ header: "cf-access-jwt-assertion" });
    expect((await fetch(edge.url + copy)).status).toBe(404);
  });
});
