import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Inspection } from "../fixtures/inspectable.ts";
import { patient } from "../support/patient.ts";
import { RawSseClient, RawStream, textOf } from "../support/raw-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

const main = "test/fixtures/large-answers.ts";

/** A client that reads nothing during half a minute is let go. */
let server: WorkerdProcess;
beforeAll(async () => {
  server = await startWorkerd({ main, options: patient });
});
afterAll(() => server.close());

const answerBytes = 500_000;

/** A client that takes over the stream of `client` and then reads no byte of it, by a socket of its own. */
async function stopReading(client: RawSseClient): Promise<Socket> {
  const { port } = new URL(client.base);
  const socket = connect({ host: "127.0.0.1", port: Number(port) });
  const head = ["GET /sse HTTP/1.1", "host: localhost", `last-event-id: ${client.stream.lastEventId}`, "", ""];
  socket.write(head.join("\r\n"));
  await new Promise((resolve) => socket.once("data", resolve));
  socket.pause();
  await client.stream.over;
  // It is cut off while it does not look.
  socket.on("error", () => undefined);
  return socket;
}

async function inspect({ base, sessionId }: RawSseClient): Promise<Inspection> {
  const response = await fetch(`${base}/test/inspect?id=${sessionId}`);
  return (await response.json()) as Inspection;
}

/** An answer to a client that comes back as often as it is let go, as it may be on a busy machine. */
async function answerTo(client: RawSseClient, id: string): Promise<Record<string, unknown>> {
  for (;;) {
    const answer = await client.stream.answerTo(id).catch(() => undefined);
    if (answer !== undefined) return answer;
    await client.resume();
  }
}

test("a client that does not read is refused new calls, is closed, and can resume; others do not feel it", async () => {
  // There after a second.
  const strict = await startWorkerd({ main });
  onTestFinished(() => strict.close());
  const slow = await RawSseClient.open(strict.url);
  const other = await RawSseClient.open(strict.url);
  await slow.call("weigh", { n: 0, bytes: 1 });
  const socket = await stopReading(slow);

  // Kernels on the way take some; then the bound is reached, and the refusal says what to do.
  const asked: number[] = [];
  let refusal: Response | undefined;
  for (let n = 1; n <= 200 && refusal === undefined; n++) {
    const params = { name: "weigh", arguments: { n, bytes: answerBytes } };
    const response = await slow.post({ jsonrpc: "2.0", id: `w${n}`, method: "tools/call", params });
    if (response.status === 202) asked.push(n);
    else refusal = response;
  }
  expect(refusal?.status).toBe(429);
  expect(await refusal?.text()).toContain("read them first");
  expect(textOf(await other.call("weigh", { n: 7, bytes: 1 }))).toBe("7:x");

  // Its stream is closed at the second keep-alive at which it has read nothing.
  await expect.poll(async () => (await inspect(slow)).sockets).toBe(0);
  socket.destroy();

  await slow.resume();
  for (const n of asked.slice(-6)) {
    const text = textOf(await answerTo(slow, `w${n}`));
    expect([text.slice(0, text.indexOf(":")), text.length]).toEqual([String(n), answerBytes + String(n).length + 1]);
  }
  expect(textOf(await slow.call("weigh", { n: 8, bytes: 1 }))).toBe("8:x");
  slow.close();
  other.close();
});

test("a client that reads slowly but steadily gets everything, in order, however much it is", async () => {
  const client = await RawSseClient.open(server.url);
  const count = 30;
  const answers: Promise<Record<string, unknown>>[] = [];
  for (let n = 0; n < count; n++) {
    const id = `s${n}`;
    const params = { name: "weigh", arguments: { n, bytes: answerBytes } };
    // Refused while too much waits to be read: that is the signal to wait for some of it.
    for (;;) {
      const response = await client.post({ jsonrpc: "2.0", id, method: "tools/call", params });
      if (response.status === 202) break;
      expect(response.status).toBe(429);
      await client.stream.answerTo(`s${n - 1}`).catch(() => undefined);
    }
    answers.push(client.stream.answerTo(id));
  }
  const texts = (await Promise.all(answers)).map(textOf);
  expect(texts.map((text) => Number(text.slice(0, text.indexOf(":"))))).toEqual(
    Array.from({ length: count }, (_, n) => n),
  );
  client.close();
});

test("large answers that are stored nowhere yet survive a crash of their object: the relay gives them back", async () => {
  const client = await RawSseClient.open(server.url);
  await client.call("weigh", { n: 0, bytes: 1 });
  const { lastEventId } = client.stream;
  const ids: unknown[] = [];
  for (let n = 1; n <= 6; n++) ids.push((await client.call("weigh", { n, bytes: answerBytes }))["id"]);
  await fetch(`${server.url}/test/abort?id=${client.sessionId}`);
  const again = await RawStream.open(`${server.url}/sse`, { headers: { "last-event-id": lastEventId } });
  for (const [index, id] of ids.entries()) {
    expect(textOf(await again.answerTo(id as number)).slice(0, 3)).toBe(`${index + 1}:x`);
  }
  again.close();
  client.close();
});

test("an answer that no relay has room to copy survives a crash of its object all the same", async () => {
  const clients = await Promise.all(Array.from({ length: 10 }, () => RawSseClient.open(server.url)));
  // Each stream's copies are as much as its object keeps; all of them are more than one isolate has room for.
  for (const client of clients) for (let n = 0; n < 9; n++) await client.call("weigh", { n, bytes: answerBytes });
  const [last] = clients.slice(-1);
  if (last === undefined) throw new Error("There are ten clients.");
  const { lastEventId } = last.stream;
  const answered = await last.call("weigh", { n: 9, bytes: 1 });
  await fetch(`${server.url}/test/abort?id=${last.sessionId}`);
  const again = await RawStream.open(`${server.url}/sse`, { headers: { "last-event-id": lastEventId } });
  expect(textOf(await again.answerTo(answered["id"] as number))).toBe("9:x");
  again.close();
  for (const client of clients) client.close();
});

test("a client that has read all gets the next message, however large, when its relay is about to say so", async () => {
  const client = await RawSseClient.open(server.url);
  await client.call("weigh", { n: 0, bytes: 1 });
  // A relay confirms at half of the bound. It has almost so much, counted without what only it and the object see.
  await client.resume();
  await client.stream.next(({ event }) => event === "endpoint");
  const half = (1024 * 1024) / 2;
  let bytes = 0;
  for (let n = 0; bytes < half - 4_000; n++) {
    const id = await client.send("tools/call", { name: "weigh", arguments: { n, bytes: 1_000 } });
    const said = await client.stream.next(({ event, data }) => event === "message" && data.includes(`"id":${id}}`));
    bytes += `event: message\nid: ${said.id}\ndata: ${said.data}\n\n`.length;
  }
  expect(textOf(await client.call("weigh", { n: 7, bytes: 900_000 })).length).toBe(900_002);
  client.close();
});
