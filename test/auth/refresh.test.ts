import { afterAll, beforeAll, describe, type ExpectStatic, test } from "vitest";
import { CuttingProxy } from "../../lab/torture/cutting-proxy.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { IdentityProvider } from "../support/identity-provider.ts";
import { patient } from "../support/patient.ts";
import { initialize, postJson } from "../support/raw-client.ts";
import { clients, connect, type LoggedIn } from "./oauth-clients.ts";

let provider: IdentityProvider;
let edge: EdgeServer;

/** How long a client has until its first token has ended, seconds: longer than a busy machine pauses. */
const lifeLeftSeconds = 20;

beforeAll(async () => {
  provider = await IdentityProvider.start();
  provider.audience = "https://mcp.example.com/sse";
  // It ended, but the clock of whoever gave it may be 30 seconds behind: for so few more is it taken.
  provider.lifetimeSeconds = lifeLeftSeconds - 30;
  const jwt = { issuer: provider.issuer, audience: provider.audience, requiredScopes: ["mcp"], timeoutMs: 120_000 };
  edge = await startEdge("test/fixtures/jwt.ts", { vars: { JWT: JSON.stringify(jwt) }, options: patient });
});

afterAll(async () => {
  await edge.close();
  await provider.close();
});

/** Until the client's token is refused. */
async function untilEnded(expect: ExpectStatic, { store }: LoggedIn): Promise<void> {
  const headers = { authorization: `Bearer ${store.current?.access_token ?? ""}` };
  const status = async () => {
    const response = await postJson(`${edge.url}/mcp`, initialize(), headers);
    await response.body?.cancel();
    return response.status;
  };
  await expect.poll(status, { interval: 200 }).toBe(401);
}

// All at once: their tokens take their time to end.
describe.concurrent.each(clients)("SDK %s on /%s", (sdk, lane) => {
  test("its token ends, it gets another, and its session goes on", async ({ expect }) => {
    const client = await connect(sdk, `${edge.url}/${lane}`);
    await client.call("remember", { key: "colour", value: "blue" });
    await untilEnded(expect, client);
    const { grants } = client.store;
    expect(await client.call("recall", { key: "colour" })).toBe("blue");
    expect(client.store.grants).toBe(grants + 1);
    await client.close();
  });

  test("cut when its token has ended, its call is answered", async ({ expect }) => {
    const proxy = await new CuttingProxy(edge.url).listen();
    const client = await connect(sdk, `${proxy.url}/${lane}`);
    const gate = `gate of ${sdk} on ${lane}`;
    const answer = client.call("gated", { gate });
    await untilEnded(expect, client);
    const { grants } = client.store;
    expect(proxy.hasStream).toBe(true);
    proxy.cutStreams("rst", 0);
    await expect.poll(() => client.store.grants).toBe(grants + 1);
    await fetch(`${edge.url}/test/open?gate=${encodeURIComponent(gate)}`);
    expect(await answer).toBe(`${gate} is open`);
    expect(client.store.grants).toBe(grants + 1);
    await client.close();
    await proxy.close();
  });
});
