import type { Socket } from "node:net";

/** How a connection is cut. A black hole swallows everything for a while before the client hears of it. */
export type CutMode = "rst" | "fin" | "black-hole";

/** What a proxy connects: a client, and for it the server. */
export interface Pair {
  client: Socket;
  upstream: Socket;
  /** Nothing that comes is passed on any more. */
  isCut: boolean;
}

/** Longer than a client waits to reconnect, shorter than a run, milliseconds. */
const blackHoleMs = 400;

/** The end of one is that of the other, unless they were cut. `onClosed`: the client's connection is over. */
export function endTogether(pair: Pair, onClosed: () => void): void {
  const { client, upstream } = pair;
  client.on("close", () => {
    onClosed();
    if (!pair.isCut) upstream.destroy();
  });
  upstream.on("close", () => {
    if (!pair.isCut) client.end();
  });
  // Cutting makes errors; the close events that follow say all there is to say.
  client.on("error", () => undefined);
  upstream.on("error", () => client.destroy());
}

export function cutOff(pair: Pair, mode: CutMode): void {
  pair.isCut = true;
  const { client, upstream } = pair;
  switch (mode) {
    case "rst":
      client.resetAndDestroy();
      upstream.resetAndDestroy();
      return;
    case "fin":
      client.end();
      // As a client's own kernel would: the server hears of it at once, and notices at its next write.
      upstream.destroy();
      return;
    case "black-hole":
      setTimeout(() => client.resetAndDestroy(), blackHoleMs);
      // The server keeps on writing into nothing, long after the client came back.
      setTimeout(() => upstream.destroy(), 4 * blackHoleMs);
  }
}
