import { afterAll, beforeAll, expect, test } from "vitest";
import { bearer } from "../support/guarded-client.ts";
import { type ServedProcess, startServed } from "../support/served-process.ts";

let served: ServedProcess;
beforeAll(async () => {
  served = await startServed("test/fixtures/own-login.ts");
});
afterAll(() => served.close());

const path = "/tools/sse";

/** Which URL of the server a client is told to have a token for, that came by a proxy which says `forwarded` of it. */
async function namedTo(forwarded: Record<string, string>): Promise<string> {
  const metadata = `/.well-known/oauth-protected-resource${path}`;
  const refused = await fetch(served.url + path, { headers: { ...bearer("late"), ...forwarded } });
  await refused.body?.cancel();
  const document = await fetch(served.url + metadata, { headers: forwarded });
  const { resource } = (await document.json()) as { resource: string };
  const named = new URL(resource);
  expect(refused.headers.get("www-authenticate")).toContain(`resource_metadata="${named.origin}${metadata}"`);
  return named.protocol;
}

test("behind a proxy that ends TLS, clients are told of the URL that they came by", async () => {
  expect(await namedTo({ "x-forwarded-proto": "https" })).toBe("https:");
  // Two of them.
  expect(await namedTo({ "x-forwarded-proto": "https, http" })).toBe("https:");
  expect(await namedTo({ "x-forwarded-proto": "http" })).toBe("http:");
  expect(await namedTo({})).toBe("http:");
});
