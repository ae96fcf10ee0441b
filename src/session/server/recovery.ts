import { attempt } from "../stored/attempt.ts";
import type { Calls } from "../calls/calls.ts";
import { logIncident } from "../../protocol/incident.ts";
import { messageExtra } from "../calls/http-source.ts";
import { requestOf } from "../calls/stored-request.ts";
import type { Clock } from "../clock.ts";
import type { Journal } from "../calls/journal.ts";
import { asRerun } from "../../sdk/reruns.ts";
import { callContext, type ServerMessages } from "./server-messages.ts";
import { interruptedAnswer, maxReruns, mayRunAgain } from "./rerun.ts";
import type { SessionTransport } from "./transport.ts";

export interface Interrupted {
  clock: Clock;
  journal: Journal;
  calls: Calls;
  transport: SessionTransport;
  serverMessages: ServerMessages;
  /** Some run again: they are looked after from now on, by this object and by the alarm. */
  onRerun: () => void;
}

/**
 * Answers what an earlier run of the object left unanswered: runs it again, or says that it may have run.
 *
 * Each rerun is counted on disk before it begins: it may kill this object at once. What cannot be counted is not run.
 */
export async function answerInterrupted(interrupted: Interrupted): Promise<void> {
  const { clock, journal, calls, transport, serverMessages, onRerun } = interrupted;
  const again: (() => void)[] = [];
  for (const { key, entry } of journal.interrupted()) {
    const { request } = entry;
    const traceparent = new Headers(entry.headers).get("traceparent");
    const call = calls.open(request, { stream: entry.stream, traceparent }, clock());
    call.journalKey = key;
    // A list may depend on who asks for it.
    const extra = messageExtra(requestOf(entry));
    const ask: SessionTransport["ask"] = (asked) => transport.ask(asked, extra);
    const mayRun =
      (entry.reruns ?? 0) < maxReruns &&
      (await mayRunAgain(request, { ask })) &&
      // Another version of the Worker may ask for more scopes than the one by which it began.
      (await transport.refuseScopes([request], extra.authInfo)?.catch(logIncident)) === undefined;
    const run = (): void => asRerun(() => transport.receive(request, extra));
    if (mayRun && attempt(() => journal.countRerun(key, entry))) again.push(() => callContext.run(request.id, run));
    else serverMessages.answer(interruptedAnswer(request.id), "interrupted");
  }
  if (again.length === 0) return;
  await journal.sync();
  onRerun();
  for (const runAgain of again) runAgain();
}
