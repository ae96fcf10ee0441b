import { afterAll } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { IdentityProvider } from "../support/identity-provider.ts";
import { initialize, postJson } from "../support/raw-client.ts";

/** What the tokens are for. It is no URL of a test's server: nothing may take it from there. */
export const audience = "https://mcp.example.com/sse";

/** A provider for the tests of one file, and `start` for servers that trust it and know nothing of it yet. All end with the file. */
export async function trustedProvider() {
  const provider = await IdentityProvider.start();
  const servers: EdgeServer[] = [];
  afterAll(async () => {
    await Promise.all(servers.map((edge) => edge.close()));
    await provider.close();
  });
  /** `options`: of `jwt`. Unless they say otherwise, the provider has more time to answer than a busy machine takes. */
  const start = async (options: Record<string, unknown> = {}): Promise<EdgeServer> => {
    const jwt = { issuer: provider.issuer, audience, timeoutMs: 120_000, ...options };
    const edge = await startEdge("test/fixtures/jwt.ts", { vars: { JWT: JSON.stringify(jwt) } });
    servers.push(edge);
    return edge;
  };
  return { provider, start };
}

/** What a request with these headers is told. */
export async function knock({ url }: { url: string }, headers: Record<string, string>) {
  const response = await postJson(`${url}/mcp`, initialize(), headers);
  await response.body?.cancel();
  const challenge = response.headers.get("www-authenticate");
  return { status: response.status, challenge, retryAfter: response.headers.get("retry-after") };
}
