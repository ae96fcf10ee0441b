import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { initialize, postJson } from "../support/raw-client.ts";

/** What the tokens are for. It is no URL of a test's server: nothing may take it from there. */
export const audience = "https://mcp.example.com/sse";

/** Servers that trust one identity provider, and know nothing of it yet. */
export class TrustingServers {
  readonly #provider: IdentityProvider;
  readonly #servers: EdgeServer[] = [];

  constructor(provider: IdentityProvider) {
    this.#provider = provider;
  }

  /** `options`: of `jwt`. */
  async start(options: Record<string, unknown> = {}): Promise<EdgeServer> {
    const jwt = { issuer: this.#provider.issuer, audience, timeoutMs: 10_000, ...options };
    const edge = await startEdge("test/fixtures/jwt.ts", { vars: { JWT: JSON.stringify(jwt) } });
    this.#servers.push(edge);
    return edge;
  }

  /** And the provider. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.map((edge) => edge.close()));
    await this.#provider.close();
  }
}

/** What a request with these headers is told. */
export async function knock({ url }: EdgeServer, headers: Record<string, string>) {
  const response = await postJson(`${url}/mcp`, initialize(), headers);
  await response.body?.cancel();
  const challenge = response.headers.get("www-authenticate");
  return { status: response.status, challenge, retryAfter: response.headers.get("retry-after") };
}
