import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClientStream, drainedBytes } from "../../src/stream/client-stream.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

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
  await vi.waitFor(() => expect(ended.waitingBytes).toBe(0));
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
