import { tracing } from "cloudflare:workers";
import { type CallOutcome, outcomeOf } from "../call-log.ts";
import { traceparentIn } from "../protocol/trace-context.ts";
import type { AnyServer } from "../server-context.ts";
import { aroundCalls, type Caller, requestIn } from "./call-hooks.ts";

type Span = Parameters<Parameters<typeof tracing.enterSpan>[1]>[0];

/**
 * Gives each call to `server` a span in the trace of what brought it, if that is traced: a request, or a message of the
 * WebSocket between Worker and object, in which the platform knows of no active span, yet opens one. It takes no parent from
 * outside: the trace of the caller is an attribute.
 */
export function traceCalls(server: AnyServer, { lane }: Pick<Caller, "lane">): void {
  aroundCalls(server, ({ method, params = {} }, context, run) => {
    if (tracing.getActiveSpan()?.isTraced === false) return run();
    const { name, _meta: meta } = params;
    const subject = typeof name === "string" ? ` ${name.slice(0, 100)}` : "";
    return tracing.enterSpan(`${method}${subject}`, (span) => {
      // Most are not: that costs no promise.
      if (!span.isTraced) return run();
      const header = requestIn(context as Record<string, unknown>)?.headers.get("traceparent");
      const traceparent = traceparentIn(meta, header);
      span.setAttributes({ "mcp.method.name": method, "mcp.lane": lane(), "mcp.traceparent": traceparent });
      return runIn(span, run);
    });
  });
}

async function runIn(span: Span, run: () => unknown): Promise<unknown> {
  // Unless it ends with a result.
  let outcome: CallOutcome = "error";
  try {
    const result = await run();
    outcome = outcomeOf({ result });
    return result;
  } finally {
    span.setAttribute("mcp.outcome", outcome);
    if (outcome !== "ok") span.setStatus({ code: "error" });
  }
}
