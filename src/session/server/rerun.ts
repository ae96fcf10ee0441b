import type { JSONRPCRequest, RequestId } from "@modelcontextprotocol/server";
import { errorAnswer, isObject } from "../../protocol/json-rpc.ts";
import { mayHaveRun } from "../../protocol/refusals.ts";
import type { SessionTransport } from "./transport.ts";

/** Methods that only read, or that set what they set again: the specification defines no other effect of them. */
const repeatable = new Set([
  "initialize",
  "ping",
  "tools/list",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "resources/subscribe",
  "resources/unsubscribe",
  "prompts/list",
  "prompts/get",
  "completion/complete",
  "logging/setLevel",
]);

/**
 * How often one request is run again, at most. What interrupts it has nothing to do with it, as a rule: a new version, a move
 * to another machine; two of them may meet one long call. A request that is interrupted each time is what kills its object,
 * by the memory or the time that it takes, and would do so for ever.
 */
export const maxReruns = 2;

/** Most pages of `tools/list` that are read for one tool's annotations. */
const maxPages = 100;

/**
 * Whether a request that was interrupted may run a second time: a tool says so by `idempotentHint` or `readOnlyHint`
 * (revision 2025-11-25, ToolAnnotations).
 */
export async function mayRunAgain(request: JSONRPCRequest, transport: Pick<SessionTransport, "ask">): Promise<boolean> {
  if (request.method !== "tools/call") return repeatable.has(request.method);
  let cursor: unknown;
  for (let page = 0; page < maxPages; page++) {
    const answer = await transport.ask({ method: "tools/list", params: cursor === undefined ? {} : { cursor } });
    const result = "result" in answer && isObject(answer.result) ? answer.result : {};
    const tools = Array.isArray(result["tools"]) ? result["tools"] : [];
    const tool: unknown = tools.find(
      (candidate) => isObject(candidate) && candidate["name"] === request.params?.["name"],
    );
    if (isObject(tool)) {
      const annotations = isObject(tool["annotations"]) ? tool["annotations"] : {};
      return annotations["idempotentHint"] === true || annotations["readOnlyHint"] === true;
    }
    cursor = result["nextCursor"];
    if (cursor === undefined) return false;
  }
  return false;
}

/** What the caller of an interrupted request is told when it may not run again. */
export function interruptedAnswer(id: RequestId) {
  return errorAnswer(id, `The session restarted while this call ran: ${mayHaveRun}`);
}
