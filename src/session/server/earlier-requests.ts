import { frameOf } from "../../link/link.ts";
import { isRequest, parseMessage } from "../../protocol/json-rpc.ts";
import { dataOf } from "../../protocol/sse-frame.ts";
import type { Clock } from "../clock.ts";
import type { ServerRequests } from "../calls/server-requests.ts";
import type { Delivery } from "../out/delivery.ts";
import type { Introduction } from "../stored/introduction.ts";

interface EarlierRequestsParts {
  delivery: Delivery;
  introduction: Introduction;
  serverRequests: ServerRequests;
  clock: Clock;
}

/**
 * What an earlier run of the object asked its client, and may not have arrived. Whoever waited for an answer is gone with that
 * run, and a person would be asked for nothing: it is not sent again. Only what was asked in an introduction waits still.
 */
export function takeOverRequests({ delivery, introduction, serverRequests, clock }: EarlierRequestsParts): void {
  const { outbox } = delivery;
  outbox.forgetRequests((request) => {
    const { stream, sequence } = request;
    const message = parseMessage(dataOf(new TextDecoder().decode(frameOf(outbox.packedOf(request)))));
    const id = message !== undefined && isRequest(message) ? message.id : undefined;
    const isWaiting = id !== undefined && introduction.awaits(id);
    if (isWaiting) serverRequests.add(id, { stream, sequence, nowMs: clock() });
    return isWaiting;
  });
}
