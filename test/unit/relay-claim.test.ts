import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AttachTarget } from "../../src/edge/attach.ts";
import { StreamRelay } from "../../src/edge/relay.ts";
import { resolveOptions } from "../../src/options.ts";
import { endpointFrame, messageFrame } from "../../src/protocol/sse-frame.ts";
import { closeCode, packFrame } from "../../src/link/link.ts";
import { FakeSocket, readText } from "../support/fake-socket.ts";

const fresh = "f".repeat(64);
const old = "0".repeat(64);
const settings = resolveOptions({});

type Attempt = PromiseWithResolvers<WebSocket | Response>;

/** A relay that asks its client which session it was in, with everything around it in the test's hand. */
async function claimingRelay() {
  /** The fresh object's, one after the other. */
  const freshSockets: FakeSocket[] = [];
  let isBack = false;
  /** Attempts to attach to the old session that wait for their outcome. */
  const attempts: Attempt[] = [];
  const attach = (target: AttachTarget): Promise<WebSocket | Response> => {
    if (target.sessionId === fresh) {
      // It died, and takes a moment to come back.
      if (freshSockets.at(-1)?.isClosed === true && !isBack) {
        isBack = true;
        return Promise.reject(new Error("unreachable"));
      }
      isBack = false;
      const socket = new FakeSocket();
      freshSockets.push(socket);
      return Promise.resolve(socket as unknown as WebSocket);
    }
    const attempt = Promise.withResolvers<WebSocket | Response>();
    attempts.push(attempt);
    return attempt.promise;
  };
  const response = await StreamRelay.open(
    {
      source: { attach, giveBack: () => Promise.resolve() },
      target: { sessionId: fresh, session: "new", position: undefined },
      claim: { endpointFrame: () => endpointFrame(`${fresh}/sse/0`, "/sse/message?sessionId=fresh") },
      settings,
    },
    { preamble: () => "" },
  );
  return { freshSockets, attempts, ...readText(response) };
}

function frame(sequence: number, from: string): ArrayBuffer {
  const packed = packFrame(sequence, messageFrame(`{"from":"${from}"}`, String(sequence)));
  return packed.slice().buffer;
}

const count = (text: string, part: string): number => text.split(part).length - 1;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const isOpen = ({ isClosed }: FakeSocket): boolean => !isClosed;

type World = Awaited<ReturnType<typeof claimingRelay>> & { oldSockets: FakeSocket[]; sequence: number };

const steps: Record<string, (world: World) => unknown> = {
  "the client claims": ({ freshSockets }) => {
    freshSockets.findLast(isOpen)?.receive(JSON.stringify({ attach: old }));
  },
  "the old session takes it": ({ attempts, oldSockets }) => {
    const attempt = attempts.pop();
    if (attempt === undefined) return;
    const socket = new FakeSocket();
    // The newest wins.
    oldSockets.findLast(isOpen)?.break(closeCode.superseded);
    oldSockets.push(socket);
    attempt.resolve(socket as unknown as WebSocket);
  },
  "the old session refuses": ({ attempts }) => attempts.pop()?.resolve(new Response(null, { status: 404 })),
  "the old session cannot be reached": ({ attempts }) => attempts.pop()?.reject(new Error("unreachable")),
  "the fresh object dies": ({ freshSockets }) => freshSockets.findLast(isOpen)?.break(1006),
  "the fresh object says something": (world) => world.freshSockets.at(-1)?.receive(frame(++world.sequence, "fresh")),
  "the old session says something": (world) => world.oldSockets.at(-1)?.receive(frame(++world.sequence, "old")),
  "the client is asked again": () => vi.advanceTimersByTimeAsync(settings.claimMs / 5),
  "the time to claim is over": () => vi.advanceTimersByTimeAsync(settings.claimMs),
};

describe("a stream whose client is asked which session it was in", () => {
  test("goes on with exactly one session, in whatever order things happen", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...Object.keys(steps)), { maxLength: 12, size: "max" }),
        async (names) => {
          const world: World = { ...(await claimingRelay()), oldSockets: [], sequence: 0 };
          const { freshSockets, attempts, oldSockets, written, reader, reading } = world;
          for (const name of names) {
            await steps[name]?.(world);
            await vi.advanceTimersByTimeAsync(0);
            // A second one at the same time would push out the first.
            expect(attempts.length).toBeLessThanOrEqual(1);
          }
          for (const socket of oldSockets) socket.receive(frame(++world.sequence, "old"));
          for (const attempt of attempts.splice(0)) attempt.reject(new Error("unreachable"));
          await vi.advanceTimersByTimeAsync(2 * settings.claimMs);
          const last = ++world.sequence;
          freshSockets.at(-1)?.receive(frame(last, "fresh"));
          await vi.advanceTimersByTimeAsync(0);

          const text = written();
          const isClaimed = text.includes('"from":"old"');
          // A claimed stream never gets the new session's endpoint; any other gets it once.
          expect(count(text, "event: endpoint")).toBe(isClaimed ? 0 : 1);
          // Whoever lost is let go of, and what it says afterwards is not heard.
          expect(freshSockets.filter(isOpen)).toHaveLength(isClaimed ? 0 : 1);
          expect(oldSockets.filter(isOpen)).toHaveLength(isClaimed ? 1 : 0);
          if (isClaimed) expect(attempts).toEqual([]);
          expect(text.includes(`id: ${last}\n`)).toBe(!isClaimed);
          // It is asked again and again, until it has said so or the time is over; never twice under one id.
          const ids = [...text.matchAll(/"id":"(claim:[^"]+)"/g)].map(([, id]) => id);
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids[0]).toBe(`claim:${fresh}.0`);
          const isRefused = names.includes("the old session refuses");
          if (!isClaimed && !isRefused) expect(ids).toHaveLength(5);
          await reader?.cancel();
          await reading;
        },
      ),
      { numRuns: 300, examples: [[["the client claims", "the fresh object dies", "the old session takes it"]]] },
    );
  });

  test("that has named its session in time waits for it, however long that takes", async () => {
    const { freshSockets, attempts, reader, reading, written } = await claimingRelay();
    freshSockets[0]?.receive(JSON.stringify({ attach: old }));
    await vi.advanceTimersByTimeAsync(2 * settings.claimMs);
    const socket = new FakeSocket();
    attempts.pop()?.resolve(socket as unknown as WebSocket);
    await vi.advanceTimersByTimeAsync(0);
    socket.receive(frame(1, "old"));
    await vi.advanceTimersByTimeAsync(0);
    expect(written()).toContain('"from":"old"');
    expect(written()).not.toContain("event: endpoint");
    await reader?.cancel();
    await reading;
  });

  test("ends when its session does, without another word", async () => {
    const { freshSockets, reading, written } = await claimingRelay();
    freshSockets[0]?.break(closeCode.ended);
    await reading;
    await vi.advanceTimersByTimeAsync(settings.claimMs);
    expect(written()).not.toContain("event: endpoint");
  });
});
