import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openBare, postJson, type RawStream } from "../support/raw-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

/** How many may listen, by the fixture. Its keep-alive comes every 20 s. */
const most = 4;

let server: WorkerdProcess;
beforeEach(async () => {
  server = await startWorkerd({ main: "test/fixtures/mirror.ts" });
});
afterEach(() => server.close());

const { message, headers } = statelessRequest("subscriptions/listen", { notifications: { toolsListChanged: true } });
const body = JSON.stringify(message);
const json = { ...headers, "content-type": "application/json", accept: "application/json, text/event-stream" };

/** Listens as a client at `address` does: in a test nobody is in front who says so. */
async function listen(address: string): Promise<RawStream> {
  const stream = await openBare(`${server.url}/mcp`, { headers: { ...json, "cf-connecting-ip": address }, body });
  if (stream.response.headers.get("content-type") === "text/event-stream") {
    await stream.message(({ method }) => method === "notifications/subscriptions/acknowledged");
  }
  return stream;
}

const isListening = (stream: RawStream): boolean => stream.response.headers.get("content-type") === "text/event-stream";

/** Listens over a socket of its own, to the first event. */
async function listenBySocket(): Promise<Socket> {
  const { host, hostname, port } = new URL(server.url);
  const fields = { host, ...json, "content-length": String(Buffer.byteLength(body)) };
  const head = Object.entries(fields).map(([key, value]) => `${key}: ${value}\r\n`);
  const socket = connect(Number(port), hostname);
  socket.write(`POST /mcp HTTP/1.1\r\n${head.join("")}\r\n${body}`);
  let seen = "";
  await new Promise<void>((resolve, reject) => {
    socket.on("data", (chunk) => (seen += chunk.toString()).includes("acknowledged") && resolve());
    socket.on("close", () => reject(new Error(seen)));
  });
  return socket;
}

test.each([
  ["closed in order", (socket: Socket) => socket.destroy()],
  ["reset", (socket: Socket) => socket.resetAndDestroy()],
])("who listens no more is free at once, its connection was %s", async (_, leave) => {
  const sockets = await Promise.all(Array.from({ length: most }, listenBySocket));
  for (const socket of sockets) leave(socket);
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve))));
  const streams: RawStream[] = [];
  const listenAgain = async (): Promise<number> => {
    const stream = await listen("");
    return isListening(stream) ? streams.push(stream) : streams.length;
  };
  // The server hears of it when it can, but long before its keep-alive.
  await expect.poll(listenAgain, { timeout: 15_000 }).toBe(2);
  for (const stream of streams) stream.close();
});

test("who listens is not disturbed by one more, who is refused", async () => {
  const crowd = await Promise.all(Array.from({ length: most }, () => listen("")));
  const refused = await postJson(`${server.url}/mcp`, body, json);
  expect(await refused.text()).toContain("limit reached");
  expect(crowd.map(({ events }) => events)).toEqual(crowd.map(() => []));
  expect(await Promise.race([...crowd.map(({ over }) => over), Promise.resolve("all are open")])).toBe("all are open");
  for (const stream of crowd) stream.close();
});

test("who takes all makes room for others, the oldest first, and goes on listening on the rest", async () => {
  const crowd: RawStream[] = [];
  for (let n = 0; n < most; n++) crowd.push(await listen("2001:db8:1:2::" + String(n)));
  const other = await listen("203.0.113.7");
  expect(isListening(other)).toBe(true);
  expect(await crowd[0]?.over).toBe("ended");
  const second = await listen("203.0.113.7");
  expect(isListening(second)).toBe(true);
  expect(await crowd[1]?.over).toBe("ended");
  // Now each has its share.
  for (const address of ["203.0.113.7", "2001:db8:1:2:ffff::1"]) {
    const refused = await listen(address);
    expect([isListening(refused), address]).toEqual([false, address]);
    refused.close();
  }
  const third = await listen("198.51.100.1");
  expect(isListening(third)).toBe(true);
  for (const stream of [...crowd, other, second, third]) stream.close();
});
