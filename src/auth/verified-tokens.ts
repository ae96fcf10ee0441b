import type { Caller } from "./auth.ts";

/** A key that the issuer withdraws is trusted for so much longer. */
const keptMs = 60_000;

const maxTokens = 1_000;

/**
 * Tokens whose signature was verified a moment ago, with who brought them.
 * Storage: memory of the isolate, at most 1,000 tokens, which only the issuer can make. Lifetime: a minute, and never past a
 * token's end. Loses: the oldest, which is verified again.
 */
export class VerifiedTokens {
  readonly #callers = new Map<string, { caller: Caller; untilMs: number }>();

  get(token: string, nowMs: number): Caller | undefined {
    const kept = this.#callers.get(token);
    return kept !== undefined && nowMs < kept.untilMs ? kept.caller : undefined;
  }

  add(token: string, caller: Caller, nowMs: number): void {
    // At its end in the order, also if it was there.
    this.#callers.delete(token);
    const [oldest] = this.#callers.keys();
    if (oldest !== undefined && this.#callers.size >= maxTokens) this.#callers.delete(oldest);
    const endMs = (caller.authInfo.expiresAt ?? 0) * 1000;
    this.#callers.set(token, { caller, untilMs: Math.min(nowMs + keptMs, endMs) });
  }
}
