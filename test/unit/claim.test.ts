import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type AttachTarget, StreamRelay } from "../../src/edge/stream-relay.ts";
import { resolveOptions } from "../../src/options.ts";
import { messageFrame } from "../../src/protocol/sse-frame.ts";
import { closeCode, packFrame } from "../../src/session/link.ts";

/** A relay's end of a WebSocket to an object, which the test plays. */
class FakeSocket extends EventTarget {
  binaryType = "blob";
  readonly sent: string[] = [];
  isClosed = false;

  accept(): void {
    // There is nobody to wait for.
  }

  send(data: string): void {
    this.sent.push(data);
  }

  close(): void {
    this.isClosed = true;
  }

  receive(data: string | ArrayBuffer): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  break(code: number): void {
    this.isClosed = true;
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

const fresh = "f".repeat(64);
const old = "0".repeat(64);
const settings = resolveOptions({});

type Attempt = PromiseWithResolvers<WebSocket | Response>;

/** A relay that asks its client which session it was in, with everything around it in the test's hand. */
async function claimingRelay() {
  const freshSocket = new FakeSocket();
  /** Attempts to attach to the old session that wait for their outcome. */
  const attempts: Attempt[] = [];
  const attach = (target: AttachTarget): Promise<WebSocket | Response> => {
    if (target.sessionId === fresh) return Promise.resolve(freshSocket as unknown as WebSocket);
    const attempt = Promise.withResolvers<WebSocket | Response>();
    attempts.push(attempt);
    return attempt.promise;
  };
  const response = await StreamRelay.open({
    target: { sessionId: fresh, kind: "claiming", after: undefined },
    attach,
    giveBack: () => Promise.resolve(),
    preamble: "",
    claim: { endpoint: "/sse/message?sessionId=fresh" },
    retryMs: undefined,
    settings,
  });
  const reader = response.body?.getReader();
  let text = "";
  const reading = (async () => {
    for (;;) {
      const chunk = await reader?.read();
      if (chunk === undefined || chunk.done) return;
      text += new TextDecoder().decode(chunk.value);
    }
  })();
  return { freshSocket, attempts, written: () => text, reader, reading };
}

function frame(sequence: number, from: string): ArrayBuffer {
  const packed = packFrame(sequence, messageFrame(String(sequence), `{"from":"${from}"}`));
  return packed.slice().buffer as ArrayBuffer;
}

const count = (text: string, part: string): number => text.split(part).length - 1;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a stream whose client is asked which session it was in", () => {
  const step = fc.constantFrom(
    "the client claims",
    "the old session takes it",
    "the old session refuses",
    "the old session cannot be reached",
    "the fresh object says something",
    "the old session says something",
    "some time passes",
    "the time to claim is over",
  );

  test("goes on with exactly one session, in whatever order things happen", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const { freshSocket, attempts, written, reader, reading } = await claimingRelay();
        const oldSockets: FakeSocket[] = [];
        let sequence = 0;
        for (const action of steps) {
          const attempt = attempts.at(-1);
          switch (action) {
            case "the client claims":
              if (!freshSocket.isClosed) freshSocket.receive(JSON.stringify({ attach: old }));
              break;
            case "the old session takes it": {
              const socket = new FakeSocket();
              if (attempt !== undefined) oldSockets.push(socket);
              attempts.pop()?.resolve(socket as unknown as WebSocket);
              break;
            }
            case "the old session refuses":
              attempts.pop()?.resolve(new Response(null, { status: 404 }));
              break;
            case "the old session cannot be reached":
              attempts.pop()?.reject(new Error("unreachable"));
              break;
            case "the fresh object says something":
              freshSocket.receive(frame(++sequence, "fresh"));
              break;
            case "the old session says something":
              oldSockets.at(-1)?.receive(frame(++sequence, "old"));
              break;
            case "some time passes":
              await vi.advanceTimersByTimeAsync(settings.claimMs / 3);
              break;
            case "the time to claim is over":
              await vi.advanceTimersByTimeAsync(settings.claimMs);
          }
          await vi.advanceTimersByTimeAsync(0);
        }
        for (const socket of oldSockets) socket.receive(frame(++sequence, "old"));
        freshSocket.receive(frame(++sequence, "fresh"));
        await vi.advanceTimersByTimeAsync(settings.claimMs);

        const text = written();
        const endpoints = count(text, "event: endpoint");
        const isClaimed = text.includes('"from":"old"');
        // A claimed stream never gets the new session's endpoint; any other gets it once.
        expect(endpoints).toBe(isClaimed ? 0 : 1);
        // Whoever lost is let go of, and what it says afterwards is not heard.
        expect(freshSocket.isClosed).toBe(isClaimed);
        expect(oldSockets.filter(({ isClosed }) => !isClosed)).toHaveLength(isClaimed ? 1 : 0);
        expect(count(text, `"id":"claim:${fresh}"`)).toBe(1);
        await reader?.cancel();
        await reading;
      }),
      { numRuns: 300 },
    );
  });

  test("an ended session ends it, and any other close does not", async () => {
    const { freshSocket, reading } = await claimingRelay();
    freshSocket.break(closeCode.ended);
    await vi.advanceTimersByTimeAsync(0);
    await reading;
  });
});
