import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Patience } from "../../src/edge/patience.ts";
import { Uplink } from "../../src/edge/uplink.ts";
import { formatPostKey, parseFromRelay, type PostKey } from "../../src/link/link.ts";

const message = { head: "[]", text: "{}" };
const patienceMs = 1_000;
const noKey: PostKey = { epoch: "", sequence: 0 };
/** Streams of clients that have read all that was written, and that have not. */
const read = { isWritten: true };
const unread = { isWritten: false };

/** A stream's WebSocket, and what went over it. */
function openSocket() {
  const keys: PostKey[] = [];
  const send = (sent: string): void => {
    const said = parseFromRelay(sent);
    keys.push(said?.is === "post" ? said.post.key : noKey);
  };
  return { keys, socket: { send } as unknown as WebSocket };
}

const sequenceOf = ({ sequence }: PostKey): number => sequence;

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

let count = 0;
function openUplink() {
  const sessionId = `session ${count++}`;
  const uplink = new Uplink("");
  const { keys, socket } = openSocket();
  const onSilence = vi.fn<() => void>();
  uplink.open(sessionId, socket, onSilence);
  return { sessionId, uplink, keys, onSilence };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a POST on its stream's WebSocket", () => {
  test("hears what became of it, whatever became of others", async () => {
    const { sessionId, uplink, keys } = openUplink();
    const refusal = { status: 409, headers: [], body: "no" };
    const both = [1, 2].map(() => uplink.carry(sessionId, message, new Patience(patienceMs)));
    await vi.advanceTimersByTimeAsync(0);
    const [first = noKey, second = noKey] = keys;
    expect(sequenceOf(second)).toBe(sequenceOf(first) + 1);
    uplink.settle({ sequence: sequenceOf(second), refusal, isAnswered: false }, read);
    uplink.settle({ sequence: sequenceOf(first), isAnswered: true }, read);
    await vi.advanceTimersByTimeAsync(0);
    expect(await Promise.all(both)).toEqual([
      { receipt: { sequence: sequenceOf(first), isAnswered: true }, key: first },
      { receipt: { sequence: sequenceOf(second), refusal, isAnswered: false }, key: second },
    ]);
    expect(uplink.lastKey).toEqual(second);
  });

  test("is settled a turn after its answer, also if its stream is no more", async () => {
    for (const isClosed of [false, true]) {
      const { sessionId, uplink, keys } = openUplink();
      let heard: unknown;
      const carried = uplink.carry(sessionId, message, new Patience(patienceMs)).then((told) => (heard = told));
      await vi.advanceTimersByTimeAsync(0);
      const [key = noKey] = keys;
      uplink.settle({ sequence: sequenceOf(key), isAnswered: true }, read);
      if (isClosed) uplink.close();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      expect(heard).toBeUndefined();
      await vi.advanceTimersByTimeAsync(0);
      expect(await carried).toEqual({ receipt: { sequence: sequenceOf(key), isAnswered: true }, key });
    }
  });

  test("is settled at once if it has no answer, whatever waits in the stream", async () => {
    const { sessionId, uplink, keys } = openUplink();
    let heard: unknown;
    void uplink.carry(sessionId, message, new Patience(patienceMs)).then((told) => (heard = told));
    await vi.advanceTimersByTimeAsync(0);
    const [key = noKey] = keys;
    uplink.settle({ sequence: sequenceOf(key), isAnswered: false }, unread);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    expect(heard).toEqual({ receipt: { sequence: sequenceOf(key), isAnswered: false }, key });
  });

  test("is settled only when nothing waits in the stream before its answer", async () => {
    const { sessionId, uplink, keys } = openUplink();
    const stream = { isWritten: false };
    let heard: unknown;
    const carried = uplink.carry(sessionId, message, new Patience(patienceMs)).then((told) => (heard = told));
    await vi.advanceTimersByTimeAsync(0);
    const [key = noKey] = keys;
    uplink.settle({ sequence: sequenceOf(key), isAnswered: true }, stream);
    await vi.advanceTimersByTimeAsync(patienceMs / 2);
    expect(heard).toBeUndefined();
    stream.isWritten = true;
    await vi.advanceTimersByTimeAsync(2);
    expect(await carried).toEqual({ receipt: { sequence: sequenceOf(key), isAnswered: true }, key });
  });

  test("is not waited for longer than its patience, nor is another sent there before there is another WebSocket", async () => {
    const { sessionId, uplink, keys, onSilence } = openUplink();
    const carried = uplink.carry(sessionId, message, new Patience(patienceMs));
    await vi.advanceTimersByTimeAsync(patienceMs - 1);
    expect(Uplink.of(sessionId)).toBe(uplink);
    expect(onSilence).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    const [key = noKey] = keys;
    expect(await carried).toEqual({ receipt: undefined, key });
    expect(onSilence).toHaveBeenCalledTimes(1);
    expect(Uplink.of(sessionId)).toBeUndefined();
    expect(await uplink.carry(sessionId, message, new Patience(patienceMs))).toEqual({
      receipt: undefined,
      key: undefined,
    });
    const next = openSocket();
    uplink.open(sessionId, next.socket, onSilence);
    void uplink.carry(sessionId, message, new Patience(patienceMs));
    await vi.advanceTimersByTimeAsync(0);
    expect(next.keys.map(sequenceOf)).toEqual([sequenceOf(key) + 1]);
    expect(keys).toEqual([key]);
    expect(onSilence).toHaveBeenCalledTimes(1);
  });

  test("whose answer waits in the stream for longer than that was heard of: its WebSocket is not given up", async () => {
    const { sessionId, uplink, keys, onSilence } = openUplink();
    const carried = uplink.carry(sessionId, message, new Patience(patienceMs));
    await vi.advanceTimersByTimeAsync(0);
    const [key = noKey] = keys;
    uplink.settle({ sequence: sequenceOf(key), isAnswered: true }, unread);
    await vi.advanceTimersByTimeAsync(patienceMs + 1);
    expect(await carried).toEqual({ receipt: { sequence: sequenceOf(key), isAnswered: true }, key });
    expect(onSilence).not.toHaveBeenCalled();
    expect(Uplink.of(sessionId)).toBe(uplink);
  });

  test("goes by itself if the WebSocket goes, under the key that it had, if it was sent", async () => {
    const { sessionId, uplink, keys } = openUplink();
    const sent = uplink.carry(sessionId, message, new Patience(patienceMs));
    await vi.advanceTimersByTimeAsync(0);
    const waiting = uplink.carry(sessionId, message, new Patience(patienceMs));
    uplink.close();
    expect(await sent).toEqual({ receipt: undefined, key: keys[0] });
    expect(await waiting).toEqual({ receipt: undefined, key: undefined });
    expect(Uplink.of(sessionId)).toBeUndefined();
  });

  test("goes by itself if it cannot be sent, and so do all after it until there is another WebSocket", async () => {
    const { sessionId, uplink, keys, onSilence } = openUplink();
    const fails = (): void => {
      throw new Error("Cannot perform I/O on behalf of a different request.");
    };
    uplink.open(sessionId, { send: fails } as unknown as WebSocket, onSilence);
    expect(await uplink.carry(sessionId, message, new Patience(patienceMs))).toEqual({
      receipt: undefined,
      key: undefined,
    });
    expect(Uplink.of(sessionId)).toBeUndefined();
    const next = openSocket();
    uplink.open(sessionId, next.socket, onSilence);
    const carried = uplink.carry(sessionId, message, new Patience(patienceMs));
    await vi.advanceTimersByTimeAsync(0);
    const [key = noKey] = next.keys;
    uplink.settle({ sequence: sequenceOf(key), isAnswered: true }, read);
    await vi.advanceTimersByTimeAsync(0);
    expect(await carried).toEqual({ receipt: { sequence: sequenceOf(key), isAnswered: true }, key });
    expect(keys).toEqual([]);
  });

  test("does not go to a session that its stream was given to meanwhile", async () => {
    const { sessionId, uplink, keys, onSilence } = openUplink();
    const { keys: others, socket } = openSocket();
    uplink.open("the claimed one", socket, onSilence);
    expect(await uplink.carry(sessionId, message, new Patience(patienceMs))).toEqual({
      receipt: undefined,
      key: undefined,
    });
    expect([...keys, ...others]).toEqual([]);
    expect(Uplink.of("the claimed one")).toBe(uplink);
  });

  test("has a key that none of another stream has, also of one that was opened in the same millisecond or 2^20 later", async () => {
    const keys: string[] = [];
    for (const openedAtMs of [0, 0, 2 ** 20, 2 ** 20, 2 ** 21]) {
      vi.setSystemTime(1_800_000_000_000 + openedAtMs);
      const { sessionId, uplink, keys: own } = openUplink();
      for (let post = 0; post < 3; post++) void uplink.carry(sessionId, message, new Patience(patienceMs));
      await vi.advanceTimersByTimeAsync(0);
      keys.push(...own.map(formatPostKey));
    }
    expect(keys).toHaveLength(15);
    expect([...new Set(keys)]).toEqual(keys);
  });

  test("does not go to a stream that was torn down without a word, which leaves nothing behind", async () => {
    vi.useRealTimers();
    const { sessionId } = openUplink();
    expect(Uplink.of(sessionId)).toBeDefined();
    // What was looked at in this turn is kept until its end.
    await new Promise(setImmediate);
    collectGarbage();
    expect(Uplink.of(sessionId)).toBeUndefined();
  });

  test("goes over the newest stream of its session, which an older one that ends does not take away", () => {
    const { sessionId, uplink, onSilence } = openUplink();
    const newer = new Uplink("");
    newer.open(sessionId, openSocket().socket, onSilence);
    uplink.close();
    expect(Uplink.of(sessionId)).toBe(newer);
  });
});
