import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import type { ClientRequest, OfficialClient } from "../support/official-clients.ts";
import { type Call, calls, users } from "./calls.ts";
import { type Lane, lanesOf, normalised, outcomeOf } from "./lanes.ts";

type Clients = Record<Call["user"], OfficialClient>;

let edge: EdgeServer;
let lanes: { lane: Lane; clients: Clients }[];

beforeAll(async () => {
  edge = await startEdge();
  lanes = await Promise.all(
    lanesOf({ base: edge.url, script: "test/fixtures/example-stdio.ts" }).map(async (lane) => {
      const [accepting, declining, mute] = await Promise.all([
        lane.connect(users.accepting),
        lane.connect(users.declining),
        lane.connect(users.mute),
      ]);
      return { lane, clients: { accepting, declining, mute } };
    }),
  );
});

afterAll(async () => {
  await Promise.all((lanes ?? []).flatMap(({ clients }) => Object.values(clients).map((client) => client.close())));
  await edge?.close();
});

test("each lane negotiates its revision and shows the server's name and version", () => {
  const shown = lanes.map(({ lane, clients }) => [lane.name, clients.mute.revision(), clients.mute.serverInfo()]);
  const serverInfo = { name: "mcp-edge", version: "1.0.0" };
  expect(shown).toEqual(lanes.map(({ lane }) => [lane.name, lane.revision, serverInfo]));
});

test.for(calls)("the answer is the same in every lane: $title", async ({ user, request, expected, differs }) => {
  const outcomes = await Promise.all(lanes.map(({ clients }) => observed(clients[user], request)));
  const named = lanes.map(({ lane }, at) => [lane.name, outcomes[at]]);
  expect(named).toEqual(lanes.map(({ lane }) => [lane.name, differs?.where(lane) ? differs.expected : expected]));
  // `expected` may say less than everything; what it leaves open must be equal as well.
  const regular = lanes.flatMap(({ lane }, at) => (differs?.where(lane) ? [] : [outcomes[at]]));
  for (const outcome of regular) expect(outcome).toStrictEqual(regular[0]);
});

/** Everything that `client` gets to see of one request. */
async function observed(client: OfficialClient, request: ClientRequest): Promise<object> {
  client.notifications.splice(0);
  const outcome = await outcomeOf(client.send(request, { onprogress: () => undefined }));
  const paramsOf = (wanted: string) =>
    client.notifications.flatMap(({ method, params = {} }) => {
      const { progressToken: _chosenByTheClient, ...rest } = params;
      return method === wanted ? [rest] : [];
    });
  const progress = paramsOf("notifications/progress");
  const logs = paramsOf("notifications/message");
  return { ...normalised(outcome), ...(progress.length > 0 && { progress }), ...(logs.length > 0 && { logs }) };
}
