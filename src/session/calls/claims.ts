import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { dropOldest } from "../../protocol/drop-oldest.ts";
import { isResponse } from "../../protocol/json-rpc.ts";
import { claimAsks, readClaimId } from "../../link/link.ts";

/** Fresh objects whose last claim is remembered: a client has one stream that asks, and those that it had just before. */
const maxRemembered = 32;

/** Streams in a row that a client may claim its session from at once. */
export const claimsAtOnce = 20;

export interface ClaimsOptions {
  /** How long a relay asks, milliseconds. */
  claimMs: number;
  /** What a client waits before it reconnects, milliseconds. */
  retryMs: number;
}

/**
 * Which claims are worth a request to another object: anybody may say that they answer a ping which nobody sent. So one
 * session makes no more of them than a client can be cut and come back, and for one fresh object no oftener than its relay
 * asks.
 *
 * Storage: none. Lifetime: the object's time in memory.
 */
export class Claims {
  readonly #askEveryMs: number;
  readonly #retryMs: number;
  /** When the last claim for a fresh object was taken, milliseconds since 1970. */
  readonly #takenAtMs = new Map<string, number>();
  /** Claims that may be taken at once; one more in each `#retryMs`. */
  #left = claimsAtOnce;
  #countedAtMs = 0;

  constructor({ claimMs, retryMs }: ClaimsOptions) {
    this.#askEveryMs = claimMs / claimAsks;
    this.#retryMs = retryMs;
  }

  /** The fresh object that one POST claims, if that is to be passed on. The first claim of it: a client has one stream. */
  takeFrom(messages: JSONRPCMessage[], nowMs: number): string | undefined {
    for (const message of messages) {
      const freshId = isResponse(message) && message.id !== undefined ? readClaimId(message.id) : undefined;
      if (freshId !== undefined) return this.take(freshId, nowMs) ? freshId : undefined;
    }
    return undefined;
  }

  /** Whether the claim for `freshId` is to be passed on. */
  take(freshId: string, nowMs: number): boolean {
    this.#left = Math.min(claimsAtOnce, this.#left + (nowMs - this.#countedAtMs) / this.#retryMs);
    this.#countedAtMs = nowMs;
    // Half: an answer that is slow and the next one that is quick come closer together than they were asked for.
    const isRepeated = nowMs - (this.#takenAtMs.get(freshId) ?? 0) < this.#askEveryMs / 2;
    if (isRepeated || this.#left < 1) return false;
    this.#left -= 1;
    this.#takenAtMs.delete(freshId);
    this.#takenAtMs.set(freshId, nowMs);
    dropOldest(this.#takenAtMs, maxRemembered);
    return true;
  }
}
