import { eventStreamHeaders } from "../protocol/sse-frame.ts";

/** Until then an answer has the status that is its own, milliseconds: what waits on the way gives up after 60 s. */
const lateAfterMs = 10_000;

/**
 * `answer`; or, if it takes longer than `lateAfterMs`, a stream of events on which it comes. Written to meanwhile, nothing on
 * the way takes it for dead, and whether its client has gone is found out.
 */
export async function streamIfLate(answer: Promise<Response>): Promise<Response> {
  const late = Promise.withResolvers<undefined>();
  // A request that waits for nothing of its own counts as hung, and its client is told so in the runtime's words.
  const timer = setTimeout(late.resolve, lateAfterMs);
  const soon = await Promise.race([answer, late.promise]).finally(() => clearTimeout(timer));
  if (soon !== undefined) return soon;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  void writeEvents(answer, writable).catch(() => writable.abort());
  return new Response(readable, { headers: eventStreamHeaders });
}

async function writeEvents(answer: Promise<Response>, writable: WritableStream<Uint8Array>): Promise<void> {
  let response = await answer;
  if (response.headers.get("content-type") !== "text/event-stream") {
    const json = await response.text();
    // To a notification there is none.
    response = new Response(json && `event: message\ndata: ${json}\n\n`);
  }
  await response.body?.pipeTo(writable);
}

/** Likewise of a Durable Object, whose answer is as it is. Whether a tool ever answers is for its client to wait for. */
export async function keptAwake(answer: Promise<Response>, everyMs: number): Promise<Response> {
  const awake = setInterval(() => undefined, everyMs);
  return await answer.finally(() => clearInterval(awake));
}
