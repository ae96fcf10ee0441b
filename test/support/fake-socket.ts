/** A relay's end of a WebSocket to an object, which the test plays. */
export class FakeSocket extends EventTarget {
  binaryType = "blob";
  readonly sent: string[] = [];
  isClosed = false;

  accept(): void {
    // There is nobody to wait for.
  }

  send(data: string): void {
    this.sent.push(data);
  }

  close(): void {
    this.isClosed = true;
  }

  receive(data: string | ArrayBuffer): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  /** The runtime does so for whatever is no disconnection. */
  fail(): void {
    this.dispatchEvent(new Event("error"));
  }

  break(code: number): void {
    this.isClosed = true;
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

/** Reads a stream as fast as it comes. */
export function readText({ body }: Response) {
  const reader = body?.getReader();
  let text = "";
  const reading = (async () => {
    for (;;) {
      const chunk = await reader?.read();
      if (chunk === undefined || chunk.done) return;
      text += new TextDecoder().decode(chunk.value);
    }
  })();
  return { written: () => text, reader, reading };
}
