import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { bearer, GuardedSseClient, openMcpAs } from "../support/guarded-client.ts";
import { postJson } from "../support/raw-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";

let edge: EdgeServer;
let v1: EdgeServer;
beforeAll(async () => {
  edge = await startEdge("test/fixtures/guarded.ts");
  v1 = await startEdge("test/fixtures/guarded-v1.ts");
});
afterAll(() => Promise.all([edge.close(), v1.close()]));

const write = { method: "tools/call", params: { name: "write", arguments: {} } };
const whoami = { method: "tools/call", params: { name: "whoami", arguments: {} } };
const read = { method: "resources/read", params: { uri: "note://secret" } };
const page = { method: "resources/read", params: { uri: "page://1" } };
const plan = { method: "prompts/get", params: { name: "plan" } };

const idOfPage = {
  method: "completion/complete",
  params: { ref: { type: "ref/resource", uri: "page://{id}" }, argument: { name: "id", value: "" } },
};
const queryOfFound = {
  method: "completion/complete",
  params: { ref: { type: "ref/resource", uri: "find://notes{?q}" }, argument: { name: "q", value: "" } },
};
const whereOfTrip = {
  method: "completion/complete",
  params: { ref: { type: "ref/prompt", name: "trip" }, argument: { name: "where", value: "" } },
};

// No template of the SDKs is compared with a longer one.
const longUri = `page://${"1".repeat(1_000_000)}`;
const longPage = { method: "resources/read", params: { uri: longUri } };
const idOfLongPage = {
  method: "completion/complete",
  params: { ref: { type: "ref/resource", uri: longUri }, argument: { name: "id", value: "" } },
};

const subscribe = { method: "resources/subscribe", params: { uri: "note://secret" } };

type Asked = typeof write | typeof read | typeof plan | typeof idOfPage | typeof whereOfTrip;
type Lane = (as: Record<string, string>, requests: Asked[], server?: EdgeServer) => Promise<Response>;

const inJsonRpc = (requests: Asked[]): object =>
  requests.length === 1
    ? { jsonrpc: "2.0", id: 1, ...requests[0] }
    : requests.map((request, at) => ({ jsonrpc: "2.0", id: at + 1, ...request }));

const lanes: Record<string, Lane> = {
  "/sse": async (as, requests, server = edge) => {
    const client = await GuardedSseClient.openAs(server.url, as);
    const response = await client.post(inJsonRpc(requests));
    const text = response.status === 202 ? "" : await response.text();
    client.close();
    return new Response(text, response);
  },
  "/mcp": async (as, requests, server = edge) => await (await openMcpAs(server.url, as)).post(inJsonRpc(requests)),
};

const stateless: Lane = async (as, [request]) => {
  const { method, params } = request ?? whoami;
  const { message, headers } = statelessRequest(method, params);
  const named: Record<string, string> = "uri" in params ? { "mcp-name": params.uri } : {};
  return await postJson(`${edge.url}/mcp`, message, { ...headers, ...named, ...as });
};

const single: [string, Asked, string][] = [
  ["a tool", write, "mcp mcp:write"],
  ["a resource", read, "mcp:read"],
  ["a resource of a template", page, "mcp:read"],
  ["a prompt", plan, "mcp:read"],
  ["what may be in a template's place", idOfPage, "mcp:read"],
  ["what may be in the query of a template", queryOfFound, "mcp:read"],
  ["what may be a prompt's argument", whereOfTrip, "mcp:read"],
];

describe.each([...Object.entries(lanes), ["stateless", stateless] as [string, Lane]])("over %s", (_, send) => {
  test.each(single)("%s that asks for a scope is refused without it, and says which", async (_what, request, scope) => {
    const response = await send(bearer("bob-key-1"), [request]);
    expect(response.status).toBe(403);
    const challenge = response.headers.get("www-authenticate");
    expect(challenge).toBe(
      `Bearer error="insufficient_scope", error_description="Insufficient scope", scope="${scope}"`,
    );
    expect(await response.json()).toEqual({ error: "insufficient_scope", error_description: "Insufficient scope" });
  });

  test.each(single)("%s that asks for a scope is there for who has it", async (_what, request) => {
    expect((await send(bearer("alice-key-1"), [request])).ok).toBe(true);
  });

  test("one that fails to say what it needs is not run, and the log says why, by the number that the client has", async () => {
    const undecided = { method: "tools/call", params: { name: "undecided", arguments: {} } };
    const response = await send(bearer("alice-key-1"), [undecided]);
    expect(response.status).toBe(500);
    const incident = / incident (?<number>[\da-f-]{36})/.exec(await response.text())?.groups?.["number"] ?? "none";
    const line = () => edge.logs().find((one) => one.includes(`"incident":"${incident}"`)) ?? "";
    await expect.poll(line).toContain("Error: nobody knows what it needs");
  });

  test("what is too long to be compared with a template is answered, and may be of any: it asks for what they do", async () => {
    const sent = send === stateless ? idOfLongPage : longPage;
    expect((await send(bearer("bob-key-1"), [sent])).status).toBe(403);
    expect((await send(bearer("alice-key-1"), [sent])).ok).toBe(true);
  });

  test("what asks for none is there without any", async () => {
    expect((await send(bearer("bob-key-1"), [whoami])).ok).toBe(true);
  });
});

describe.each(Object.entries(lanes))("a server of SDK v1 over %s", (_, send) => {
  test.each(single)("%s that asks for a scope is refused without it", async (_what, request) => {
    const response = await send(bearer("bob-key-1"), [request], v1);
    expect(response.status).toBe(403);
    expect(response.headers.get("www-authenticate")).toContain('error="insufficient_scope"');
    expect(response.headers.get("www-authenticate")).toContain('scope="mcp mcp:write"');
  });

  test.each(single)("%s that asks for a scope is there for who has it", async (_what, request) => {
    expect((await send(bearer("alice-key-1"), [request], v1)).ok).toBe(true);
  });

  test("what is too long to be compared with a template asks for what they do", async () => {
    expect((await send(bearer("bob-key-1"), [longPage], v1)).status).toBe(403);
    expect((await send(bearer("alice-key-1"), [longPage], v1)).ok).toBe(true);
  });

  test("a batch of which one call asks for a scope is refused as a whole", async () => {
    expect((await send(bearer("bob-key-1"), [whoami, write], v1)).status).toBe(403);
  });
});

test.each(Object.entries(lanes))(
  "a server of SDK v1 over %s asks for the scope of a template that is disabled, which the SDK reads all the same",
  async (_, send) => {
    const former = { method: "resources/read", params: { uri: "former://1" } };
    expect((await send(bearer("bob-key-1"), [former], v1)).status).toBe(403);
  },
);

describe.each(Object.entries(lanes))("a batch over %s", (_, send) => {
  test("of which one call asks for a scope is refused as a whole", async () => {
    expect((await send(bearer("bob-key-1"), [whoami, write, whoami])).status).toBe(403);
  });

  test("is taken if its caller has the scopes", async () => {
    expect((await send(bearer("alice-key-1"), [whoami, write])).ok).toBe(true);
  });
});

test.each(Object.entries(lanes))("over %s a resource's changes are told to who may read it", async (_, send) => {
  expect((await send(bearer("bob-key-1"), [subscribe])).status).toBe(403);
  expect((await send(bearer("alice-key-1"), [subscribe])).ok).toBe(true);
});

test("who listens statelessly to a resource's changes may read it", async () => {
  const listenTo = (as: Record<string, string>, uri: string): Promise<Response> => {
    const notifications = { toolsListChanged: true, resourceSubscriptions: ["note://open", uri] };
    const { message, headers } = statelessRequest("subscriptions/listen", { notifications });
    return postJson(`${edge.url}/mcp`, message, { ...headers, ...as });
  };
  for (const uri of ["note://secret", "page://1"]) {
    const refused = await listenTo(bearer("bob-key-1"), uri);
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([
      403,
      'Bearer error="insufficient_scope", error_description="Insufficient scope", scope="mcp:read"',
    ]);
    await refused.body?.cancel();
    const listening = await listenTo(bearer("alice-key-1"), uri);
    expect([listening.status, listening.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    await listening.body?.cancel();
  }
  const listening = await listenTo(bearer("bob-key-1"), "note://other");
  expect(listening.status).toBe(200);
  await listening.body?.cancel();
});

test("a refused call takes no id: it may be sent again", async () => {
  const client = await GuardedSseClient.openAs(edge.url, bearer("bob-key-1"));
  const refused = await client.post({ jsonrpc: "2.0", id: 7, ...write });
  expect(refused.status).toBe(403);
  expect((await client.post({ jsonrpc: "2.0", id: 7, ...whoami })).status).toBe(202);
  expect(await client.stream.answerTo(7)).toMatchObject({ result: { content: [{ text: expect.any(String) }] } });
  client.close();
});

test.each([
  ["bob-key-1", { error: { message: expect.stringContaining("may or may not have taken effect") } }],
  ["alice-key-1", { result: { content: [{ text: "once more" }] } }],
])("a call of %s runs again after a crash only by the scopes that are asked for by then", async (key, told) => {
  const client = await GuardedSseClient.openAs(edge.url, bearer(key));
  const lately = { method: "tools/call", params: { name: "lately", arguments: {} } };
  expect((await client.post({ jsonrpc: "2.0", id: "l", ...lately })).status).toBe(202);
  const rows = async () => (await edge.inspect(client.sessionId)).rows;
  await expect.poll(async () => (await rows()).filter((row) => row.startsWith("call/"))).not.toEqual([]);
  await edge.abort(client.sessionId);
  expect(await client.stream.answerTo("l")).toMatchObject(told);
  client.close();
});

test("after an eviction the scopes are still asked for", async () => {
  const client = await GuardedSseClient.openAs(edge.url, bearer("bob-key-1"));
  await edge.evict(client.sessionId);
  expect((await client.post({ jsonrpc: "2.0", id: 1, ...write })).status).toBe(403);
  client.close();
});
