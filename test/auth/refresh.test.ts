import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { CuttingProxy } from "../../lab/torture/cutting-proxy.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { IdentityProvider } from "../support/identity-provider.ts";
import { initialize, postJson } from "../support/raw-client.ts";
import { clients, connect, type LaneName, type LoggedIn, type SdkName } from "./oauth-clients.ts";

let provider: IdentityProvider;
let edge: EdgeServer;
let proxy: CuttingProxy;

beforeAll(async () => {
  provider = await IdentityProvider.start();
  provider.audience = "https://mcp.example.com/sse";
  const jwt = { issuer: provider.issuer, audience: provider.audience, requiredScopes: ["mcp"] };
  edge = await startEdge("test/fixtures/jwt.ts", { vars: { JWT: JSON.stringify(jwt) } });
  proxy = await CuttingProxy.start(edge.url);
});

afterEach(() => {
  provider.lifetimeSeconds = 3_600;
});

afterAll(async () => {
  await proxy.close();
  await edge.close();
  await provider.close();
});

/** It ended, but the clock of whoever gave it may be 30 seconds behind: for so few more is it taken. */
const lifeLeftSeconds = 4;

/** A client whose first token ends soon; the next one lives long. */
async function connectBriefly(sdk: SdkName, lane: LaneName): Promise<LoggedIn> {
  provider.lifetimeSeconds = lifeLeftSeconds - 30;
  const client = await connect(sdk, `${proxy.url}/${lane}`);
  provider.lifetimeSeconds = 3_600;
  return client;
}

/** Until the client's token is refused. */
async function untilEnded({ store }: LoggedIn): Promise<void> {
  const headers = { authorization: `Bearer ${store.current?.access_token ?? ""}` };
  const status = async () => {
    const response = await postJson(`${edge.url}/mcp`, initialize(), headers);
    await response.body?.cancel();
    return response.status;
  };
  await expect.poll(status, { interval: 200 }).toBe(401);
}

test.each(clients)("SDK %s on /%s: its token ends, it gets another, and its session goes on", async (sdk, lane) => {
  const client = await connectBriefly(sdk, lane);
  await client.call("remember", { key: "colour", value: "blue" });
  await untilEnded(client);
  const { grants } = client.store;
  expect(await client.call("recall", { key: "colour" })).toBe("blue");
  expect(client.store.grants).toBe(grants + 1);
  await client.close();
});

test.each(clients)("SDK %s on /%s: cut when its token has ended, its call is answered", async (sdk, lane) => {
  const client = await connectBriefly(sdk, lane);
  const answer = client.call("countdown", { from: lifeLeftSeconds + 6, stepMs: 1_000 });
  await untilEnded(client);
  const { grants } = client.store;
  expect(proxy.hasStream).toBe(true);
  proxy.cutStreams("rst", 0);
  expect(await answer).toBe(`Counted down from ${lifeLeftSeconds + 6}.`);
  expect(client.store.grants).toBe(grants + 1);
  await client.close();
});
