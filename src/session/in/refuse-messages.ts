import type { JSONRPCRequest } from "@modelcontextprotocol/server";
import type { Settings } from "../../options.ts";
import type { ParsedMessages } from "../../protocol/json-rpc.ts";
import * as refusals from "../../protocol/refusals.ts";
import { memoryOf } from "../../stream/held-messages.ts";
import type { Calls } from "../calls/calls.ts";
import type { Outbox } from "../out/outbox.ts";

/** What an `initialize` may take, bytes of memory: it is stored, read at each wake, and held as long as the session is. */
const maxInitializeBytes = 256 * 1024;

/** Streamable HTTP: `initialize` opens a session, alone, and nothing else does. */
export function refuseInitialize(
  { messages, requests }: ParsedMessages,
  { isNew }: { isNew: boolean },
): Response | undefined {
  const initialize = requests.find((request) => request.method === "initialize");
  if (initialize === undefined) return undefined;
  if (messages.length > 1) return refusals.initializeInBatch();
  return isNew ? undefined : refusals.alreadyInitialized(initialize.id);
}

/** Whether the requests of one POST, whose body is `json`, may not run beside `calls`. */
export function refuseCalls(
  { requests, json }: { requests: JSONRPCRequest[]; json: string },
  { calls, outbox, settings }: { calls: Calls; outbox: Outbox; settings: Settings },
): Response | undefined {
  const [first] = requests;
  if (first === undefined) return undefined;
  const isRepeated = requests.length > 1 && new Set(requests.map(({ id }) => id)).size < requests.length;
  const used = isRepeated ? first : requests.find(({ id }) => calls.get(id) !== undefined);
  if (used !== undefined) return refusals.requestIdInUse(used.id);
  if (requests.some(({ method }) => method === "initialize") && memoryOf(json) > maxInitializeBytes) {
    return refusals.initializeTooLarge(first.id);
  }
  if (!outbox.hasRoom()) return refusals.tooMuchUnread(first.id);
  const { maxCallsInFlight, maxBodyBytes } = settings;
  if (calls.size + requests.length > maxCallsInFlight) return refusals.tooManyCalls(`${maxCallsInFlight}`, first.id);
  // Twice, so that one of the longest does not keep out all others.
  const maxBytes = 2 * maxBodyBytes;
  return calls.jsonLength + json.length > maxBytes
    ? refusals.tooManyCalls(`${maxBytes} bytes of`, first.id)
    : undefined;
}
