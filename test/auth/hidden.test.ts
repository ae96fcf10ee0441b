import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { bearer, GuardedSseClient, openMcpAs } from "../support/guarded-client.ts";
import { postJson } from "../support/raw-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";

let v2: EdgeServer;
let v1: EdgeServer;
beforeAll(async () => {
  v2 = await startEdge("test/fixtures/hidden.ts");
  v1 = await startEdge("test/fixtures/hidden-v1.ts");
});
afterAll(() => Promise.all([v2.close(), v1.close()]));

type Params = Record<string, unknown>;
type Message = Record<string, unknown>;

/** One user's session, or none, each of whose messages may come by another token. */
interface Client {
  send(method: string, params: Params, token: string): Promise<Message>;
  /** The answers to a batch, in whatever order. */
  batch?(requests: { method: string; params: Params }[], token: string): Promise<Message[]>;
  /** The lists that its client was told have changed, in order. */
  told?(): string[];
  sessionId?: string;
  close(): void;
}

/** The messages of a body, which is JSON or events. */
async function messagesIn(response: Response): Promise<Message[]> {
  const body = await response.text();
  const events = Array.from(body.matchAll(/^data: (.+)$/gm), ([, data]) => data ?? "");
  return (events.length > 0 ? events : [body]).flatMap((json) => JSON.parse(json) as Message[]);
}

const numbered = (requests: { method: string; params: Params }[], first: number): Message[] =>
  requests.map((request, at) => ({ jsonrpc: "2.0", id: first + at, ...request }));

async function overSse({ url }: EdgeServer, token: string): Promise<Client> {
  const client = await GuardedSseClient.openAs(url, bearer(token));
  let lastId = 100;
  const batch: Client["batch"] = async (requests, as) => {
    const messages = numbered(requests, lastId + 1);
    lastId += messages.length;
    const accepted = await client.post(messages.length === 1 ? messages[0] : messages, bearer(as));
    if (accepted.status !== 202) return [{ status: accepted.status }];
    return await Promise.all(messages.map(({ id }) => client.stream.answerTo(id as number)));
  };
  return {
    batch,
    send: async (method, params, as) => (await batch([{ method, params }], as))[0] ?? {},
    told: () => client.stream.events.flatMap(({ data }) => /notifications\/(\w+)\/list_changed/.exec(data)?.[1] ?? []),
    sessionId: client.sessionId,
    close: () => client.close(),
  };
}

async function overMcp({ url }: EdgeServer, token: string): Promise<Client> {
  const client = await openMcpAs(url, bearer(token));
  const stream = await client.listen();
  const batch: Client["batch"] = async (requests, as) => {
    const messages = numbered(requests, 1);
    const response = await client.post(messages.length === 1 ? messages[0] : messages, bearer(as));
    return response.ok ? await messagesIn(response) : [{ status: response.status }];
  };
  return {
    batch,
    send: async (method, params, as) => (await batch([{ method, params }], as))[0] ?? {},
    told: () => stream.events.flatMap(({ data }) => /notifications\/(\w+)\/list_changed/.exec(data)?.[1] ?? []),
    sessionId: client.sessionId,
    close: () => stream.close(),
  };
}

const withoutSession = ({ url }: EdgeServer): Promise<Client> =>
  Promise.resolve({
    send: async (method, params, as) => {
      const { message, headers } = statelessRequest(method, params);
      const named: Record<string, string> = typeof params["uri"] === "string" ? { "mcp-name": params["uri"] } : {};
      const response = await postJson(`${url}/mcp`, message, { ...headers, ...named, ...bearer(as) });
      return (await messagesIn(response))[0] ?? {};
    },
    close: () => undefined,
  });

const lanes: [string, () => EdgeServer, (server: EdgeServer, token: string) => Promise<Client>][] = [
  ["/sse, SDK v2", () => v2, overSse],
  ["/mcp, SDK v2", () => v2, overMcp],
  ["/sse, SDK v1", () => v1, overSse],
  ["/mcp, SDK v1", () => v1, overMcp],
  ["the stateless revision", () => v2, withoutSession],
];

const lists: [string, string, string][] = [
  ["tools/list", "tools", "name"],
  ["prompts/list", "prompts", "name"],
  ["resources/list", "resources", "uri"],
  ["resources/templates/list", "resourceTemplates", "uriTemplate"],
];

/** All that `token` lists. */
async function listed(client: Client, token: string): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const [method, key, name] of lists) {
    const answer = await client.send(method, {}, token);
    const found = (answer["result"] as Record<string, Record<string, unknown>[]>)[key] ?? [];
    all.push(...found.map((one) => one[name]));
  }
  return all;
}

const everybodys = ["open", "extend", "open", "note://open"];
const all = [
  "open",
  "write",
  "slow",
  "extend",
  "open",
  "write",
  "note://open",
  "note://write",
  "page://1",
  "page://{id}",
];

const city = { argument: { name: "city", value: "" } };

/** Each kind of what is hidden, as it is asked for, and something of the kind that never was. */
const asked: [string, string, Params, Params][] = [
  ["a tool", "tools/call", { name: "write", arguments: { n: 1 } }, { name: "never", arguments: { n: 1 } }],
  ["a prompt", "prompts/get", { name: "write", arguments: { city: "x" } }, { name: "never", arguments: { city: "x" } }],
  ["a resource", "resources/read", { uri: "note://write" }, { uri: "note://never" }],
  ["a resource of a template", "resources/read", { uri: "page://1" }, { uri: "note://never" }],
  [
    "a completion",
    "completion/complete",
    { ref: { type: "ref/prompt", name: "write" }, ...city },
    { ref: { type: "ref/prompt", name: "never" }, ...city },
  ],
  [
    "a template's completion",
    "completion/complete",
    { ref: { type: "ref/resource", uri: "page://{id}" }, argument: { name: "id", value: "" } },
    { ref: { type: "ref/resource", uri: "never://{id}" }, argument: { name: "id", value: "" } },
  ],
];

/** What a client is told, with the names that it asked for made equal, and without the number of its request. */
const told = ({ result, error }: Message): string =>
  JSON.stringify({ result, error }).replaceAll(
    /never:\/\/\{id\}|page:\/\/\{id\}|note:\/\/\w+|page:\/\/1|write|never/g,
    "…",
  );

describe.each(lanes)("over %s, what asks for a scope that its caller lacks", (_, serverOf, open) => {
  test("is not listed, and is for who has the scope", async () => {
    const client = await open(serverOf(), "ann:");
    expect(await listed(client, "ann:")).toEqual(everybodys);
    expect(await listed(client, "ann:write")).toEqual(all);
    client.close();
  });

  test.each(asked)("does not exist: %s", async (_what, method, hidden, never) => {
    const client = await open(serverOf(), "ann:");
    const unknown = told(await client.send(method, never, "ann:"));
    expect(unknown).toMatch(/not found/);
    expect(told(await client.send(method, hidden, "ann:"))).toBe(unknown);
    expect(told(await client.send(method, hidden, "ann:write"))).not.toContain("not found");
    client.close();
  });

  test("is there for the same user by another token, also in calls at once", async () => {
    const client = await open(serverOf(), "ann:write");
    const call = { name: "write", arguments: { n: 1 } };
    const tokens = ["ann:write", "ann:", "ann:other", "ann:write,other", "ann:"];
    const answers = await Promise.all(tokens.map((token) => client.send("tools/call", call, token)));
    expect(answers.map((answer) => told(answer).includes("… 1") || told(answer).includes("written 1"))).toEqual(
      tokens.map((token) => token.includes("write")),
    );
    client.close();
  });
});

describe.each(lanes.filter(([, , open]) => open !== withoutSession))("in a session over %s", (_, serverOf, open) => {
  test("a batch lists and calls as its token may, and is not challenged", async () => {
    const client = await open(serverOf(), "ann:");
    const batch = [
      { method: "tools/list", params: {} },
      { method: "tools/call", params: { name: "write", arguments: { n: 1 } } },
      { method: "tools/call", params: { name: "open", arguments: {} } },
    ];
    const answers = JSON.stringify(await client.batch?.(batch, "ann:"));
    expect(answers).toContain("Tool write not found");
    expect(answers).not.toContain('"name":"write"');
    const allowed = JSON.stringify(await client.batch?.(batch, "ann:write"));
    expect(allowed).toContain("written 1");
    expect(allowed).toContain('"name":"write"');
    client.close();
  });

  test("a client is told that its lists have changed when its token has other scopes, once for each change", async () => {
    const client = await open(serverOf(), "ann:");
    const ping = (token: string) => client.send("ping", {}, token);
    await ping("ann:");
    expect(client.told?.()).toEqual([]);
    const changed = ["prompts", "resources", "tools"];
    await ping("ann:write");
    await expect.poll(() => client.told?.().sort()).toEqual(changed);
    await ping("ann:write");
    // What a session knew survives an eviction: there is no more to tell.
    await serverOf().evict(client.sessionId ?? "");
    await ping("ann:write");
    await ping("ann:");
    await expect.poll(() => client.told?.().length).toBe(2 * changed.length);
    client.close();
  });

  test("what is registered while it runs is hidden likewise, and so is all after an eviction", async () => {
    const client = await open(serverOf(), "ann:");
    await client.send("tools/call", { name: "extend", arguments: {} }, "ann:");
    expect(await listed(client, "ann:")).toEqual(everybodys);
    expect(await listed(client, "ann:write")).toContain("late");
    expect(told(await client.send("tools/call", { name: "late", arguments: {} }, "ann:"))).toContain("not found");
    await serverOf().evict(client.sessionId ?? "");
    expect(await listed(client, "ann:")).toEqual(everybodys);
    client.close();
  });
});

describe.each(lanes.filter(([, , open]) => open === overSse))("over %s", (_, serverOf, open) => {
  test("a call that is run again after a crash is still its caller's", async () => {
    const client = await open(serverOf(), "ann:write");
    const answer = client.send("tools/call", { name: "slow", arguments: {} }, "ann:write");
    const rows = async () => (await serverOf().inspect(client.sessionId ?? "")).rows;
    await expect.poll(async () => (await rows()).filter((row) => row.startsWith("call/"))).not.toEqual([]);
    await serverOf().abort(client.sessionId ?? "");
    await fetch(`${serverOf().url}/test/open`);
    expect(told(await answer)).toContain("slowly");
    client.close();
  });
});
