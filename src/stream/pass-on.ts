import { ClientStream, drainedBytes } from "./client-stream.ts";

/**
 * `response`; if it is a stream of events, read as they come: what its client has not read waits in a `ClientStream`, and is
 * bounded there. `onOver` is called once there is nothing more to pass on.
 */
export function passOn(
  response: Response,
  { keepAliveMs, onOver }: { keepAliveMs: number; onOver: () => void },
): Response {
  const { body, headers } = response;
  if (body === null || headers.get("content-type") !== "text/event-stream") {
    onOver();
    return response;
  }
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  const client = new ClientStream({
    keepAliveMs,
    stalledAboveBytes: drainedBytes,
    onGone: () => void reader.cancel().catch(() => undefined),
  });
  void passAll(reader, client).finally(onOver);
  return new Response(client.body, response);
}

async function passAll(reader: ReadableStreamDefaultReader<Uint8Array>, client: ClientStream): Promise<void> {
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return client.close();
      client.write(value);
    }
  } catch {
    // What wrote it is gone.
    client.breakOff();
  }
}
