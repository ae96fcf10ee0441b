import { checkBinding, checkNames, checkOneOf } from "../option-checks.ts";
import { type CallHook, type HookedCall, namedIn } from "../sdk/call-hooks.ts";
import { networkOf } from "../protocol/network.ts";
import { bindingNamed } from "./binding.ts";

/** Options of {@linkcode rateLimit}. All may be left out. */
export interface RateLimitOptions {
  /** Name of the `[[ratelimits]]` binding in wrangler.toml. Default `CALLS`. */
  binding?: string;
  /** Whose calls are counted together. Who has no such name is counted by the next: user, session, address. `"user"`. */
  by?: "user" | "session" | "address";
  /** The `period` of the binding, seconds: what is refused is told to wait so long, and the binding does not say it. 60. */
  periodSeconds?: 10 | 60;
}

/** What the specification leaves to servers (JSON-RPC 2.0, section 5.1). */
const tooManyCode = -32_029;

/**
 * A hook of `edge` that bounds how often one user, session or address calls, and how many sessions an address opens, by the
 * rate limit of a binding. A call above it does not run: a model reads when to come back. One that runs again after a crash was
 * counted when it came. A client that comes back for its session is counted apart from those who open one. Without the binding
 * nothing is bounded, and the log says so.
 * @throws {RangeError} at start-up for an option that cannot be.
 */
export function rateLimit(options: RateLimitOptions = {}): CallHook {
  checkNames("rateLimit", options, ["binding", "by", "periodSeconds"]);
  const { binding = "CALLS", by = "user", periodSeconds = 60 } = options;
  checkBinding("binding of rateLimit", binding);
  checkOneOf("by of rateLimit", by, ["user", "session", "address"]);
  checkOneOf("periodSeconds of rateLimit", periodSeconds, [10, 60]);
  const isAbove = async (key: string): Promise<boolean> => {
    const limit = bindingNamed<RateLimit>(binding, "ratelimits", "nobody is limited.");
    return limit !== undefined && !(await limit.limit({ key })).success;
  };
  const hook: CallHook = async (call, next) => {
    if (call.isRerun || !(await isAbove(keyOf(call, by)))) return await next();
    const text = `Too many calls: this one did not run. Wait ${periodSeconds} seconds, then send it again.`;
    if (call.method === "tools/call") return { content: [{ type: "text", text }], isError: true };
    throw Object.assign(new Error(text), { code: tooManyCode, data: { retryAfterSeconds: periodSeconds } });
  };
  hook.onOpen = async ({ request, mayHaveSession }) => {
    const key = `${mayHaveSession ? "return" : "open"}:${addressOf(request)}`;
    return (await isAbove(key)) ? periodSeconds : undefined;
  };
  return hook;
}

function keyOf(call: HookedCall, by: RateLimitOptions["by"]): string {
  const user = by === "user" ? namedIn(call)?.id : undefined;
  if (user !== undefined) return `user:${user}`;
  if (by !== "address" && call.session !== undefined) return `session:${call.session}`;
  return `address:${addressOf(call.request)}`;
}

function addressOf(request: Request | undefined): string {
  return (request && networkOf(request)) || "unknown";
}
