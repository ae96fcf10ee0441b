import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClientStream, drainedBytes } from "../../src/stream/client-stream.ts";
import { passOn } from "../../src/stream/pass-on.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Its own bound is a second, which a busy machine may need for less. */
const until = (look: () => void): Promise<void> => vi.waitFor(look, { timeout: 90_000 });

const options = { keepAliveMs: 1_000, stalledAboveBytes: drainedBytes, onGone: () => undefined };
const mebibyte = 1024 * 1024;

test("what is written in one go is read in pieces: all but the one that is on its way waits, and counts", async () => {
  const client = new ClientStream(options);
  client.write(new Uint8Array(mebibyte));
  const reader = client.body.getReader();
  const { value } = await reader.read();
  expect(value?.byteLength).toBe(drainedBytes);
  expect(client.waitingBytes).toBe(mebibyte - drainedBytes);
  client.close();
});

test("what a client has not read when its stream ends counts on, and makes room for others", async () => {
  const ended = new ClientStream(options);
  ended.write(new Uint8Array(20 * mebibyte));
  ended.close();
  expect(ended.waitingBytes).toBe(20 * mebibyte);
  const other = new ClientStream(options);
  other.write(new Uint8Array(20 * mebibyte));
  await until(() => expect(ended.waitingBytes).toBe(0));
  await expect(ended.body.getReader().read()).rejects.toThrow("does not read");
  const { value } = await other.body.getReader().read();
  expect(value?.byteLength).toBe(drainedBytes);
  other.close();
});

test("a stream that ended in order is read to its end", async () => {
  const client = new ClientStream(options);
  client.write(new Uint8Array(mebibyte));
  client.close();
  expect((await new Response(client.body).arrayBuffer()).byteLength).toBe(mebibyte);
});

function endless(onCancel: () => void): Response {
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(mebibyte)),
    cancel: onCancel,
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

test("events are passed on as they come; whoever reads none of them is let go, and what wrote them is told", async () => {
  const [onCancel, onOver] = [vi.fn<() => void>(), vi.fn<() => void>()];
  const { body } = passOn(endless(onCancel), { keepAliveMs: 1_000, onOver });
  await until(() => expect(onCancel).toHaveBeenCalledOnce());
  await until(() => expect(onOver).toHaveBeenCalledOnce());
  await expect(body?.getReader().read()).rejects.toThrow("does not read");
});

test("what is no stream of events is as it was, and over at once", async () => {
  const onOver = vi.fn<() => void>();
  const response = Response.json({});
  expect(passOn(response, { keepAliveMs: 1_000, onOver })).toBe(response);
  expect(onOver).toHaveBeenCalledOnce();
});
