import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { patient } from "../support/patient.ts";
import { RawSseClient, RawStream, reconnect, textOf } from "../support/raw-client.ts";

let edge: EdgeServer;
let client: RawSseClient;
beforeAll(async () => void (edge = await startEdge("test/fixtures/clock-put-back.ts", { options: patient })));
beforeEach(async () => void (client = await RawSseClient.open(edge.url)));
afterAll(() => edge.close());

/** As whoever sets the time of a machine that was hours wrong. */
const putClockBack = async (): Promise<void> => expect((await fetch(`${edge.url}/put-back`)).status).toBe(200);

/** As a client whose connection is cut and that says which session it was in. What it is told there. */
async function claimAgain(): Promise<unknown> {
  client.stream.close();
  const { stream, ping } = await reconnect(edge.url);
  client.stream = stream;
  await client.post({ jsonrpc: "2.0", id: ping["id"], result: {} });
  return textOf(await client.call("add", { a: 1, b: 1 }));
}

test("once the clock was put back, a client whose dead connection nobody has noticed resumes its session", async () => {
  await putClockBack();
  const resumed = await RawStream.open(`${edge.url}/sse`, { headers: { "last-event-id": client.stream.lastEventId } });
  const { data } = await resumed.next(({ event }) => event === "endpoint");
  expect(new URL(data, edge.url).href).toBe(client.endpoint);
  resumed.close();
  client.close();
});

test("likewise it claims its session, also if it had claimed it before", async () => {
  expect(await claimAgain()).toBe("2");
  await putClockBack();
  expect(await claimAgain()).toBe("2");
  client.close();
});
