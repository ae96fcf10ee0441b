import { closeCode, unpackFrame } from "../link/link.ts";
import type { AttachTarget, StreamSource } from "./attach.ts";

/** Waits between attempts to attach again, milliseconds. After the last one the stream is ended: the client reconnects. */
const reattachDelaysMs = [0, 25, 50, 100, 200, 400, 800, 1_600, 3_000, 3_000, 3_000];

/** How an object closes that has written down what it sent: it answers, or its own close was on the way already. */
const deliberate = new Set<number>([1000, closeCode.ended, closeCode.superseded]);

/** What a relay looks for whose object went away. */
export interface Search {
  target: AttachTarget;
  /** What only the lost object's memory had, see `HeldFrames`. */
  held: Uint8Array[];
  /** Whether nobody looks any more. */
  isOver: () => boolean;
}

/**
 * The object that went away, or another one in its place, which first gets back what it may have lost. `undefined` if it
 * refuses, could not be reached at any attempt, or the search is over. What there is to give back is given back also if the
 * client goes meanwhile.
 */
export function attachAgain(source: StreamSource, search: Search): Promise<WebSocket | undefined> {
  const found = find(source, search);
  if (search.held.length > 0) source.goOn?.(found);
  return found;
}

async function find(source: StreamSource, { target, held, isOver }: Search): Promise<WebSocket | undefined> {
  let unreturned = held;
  for (const delayMs of reattachDelaysMs) {
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    // Also if the client has gone meanwhile: it comes back, and asks for what the object may have lost.
    if (!(await giveBack(source, target.sessionId, unreturned))) continue;
    unreturned = [];
    if (isOver()) return undefined;
    const attached = await tryAttach(source, target);
    if (attached instanceof Response) return undefined;
    if (attached !== undefined || isOver()) return attached;
  }
  return undefined;
}

/** A relay's last word to an object that it was attached to. */
interface Leaving {
  sessionId: string;
  socket: WebSocket;
  /** What only the object's memory has besides, see `HeldFrames`. */
  held: Uint8Array[];
}

/**
 * Closes `socket`, whose client has gone. What an object that crashes before it hears of that had in memory only it has
 * from here, also what it sent meanwhile.
 */
export function leave(source: StreamSource, leaving: Leaving): void {
  source.goOn?.(giveBackUnheard(source, leaving));
  leaving.socket.close(1000, "the client is gone");
}

async function giveBackUnheard(source: StreamSource, { sessionId, socket, held }: Leaving): Promise<void> {
  const isHeard = await new Promise<boolean>((resolve) => {
    socket.addEventListener("message", ({ data }) => {
      if (data instanceof ArrayBuffer && unpackFrame(new Uint8Array(data)).isHeld) held.push(new Uint8Array(data));
    });
    socket.addEventListener("close", ({ code }) => resolve(deliberate.has(code)));
    socket.addEventListener("error", () => resolve(false));
  });
  if (isHeard || held.length === 0) return;
  await attachAgain(source, {
    target: { sessionId, session: "stored", position: undefined },
    held,
    isOver: () => true,
  });
}

/** False if the object cannot take it now. */
async function giveBack(source: StreamSource, sessionId: string, packed: Uint8Array[]): Promise<boolean> {
  if (packed.length === 0) return true;
  return await source.giveBack(sessionId, packed).then(
    () => true,
    () => false,
  );
}

/** `undefined` if the object cannot be reached this time. */
export async function tryAttach(source: StreamSource, target: AttachTarget): Promise<WebSocket | Response | undefined> {
  const attached = await source.attach(target).catch(() => undefined);
  return attached instanceof Response && attached.status >= 500 ? undefined : attached;
}

/** An object that was attached to for nothing: its client has gone meanwhile. */
export function leaveQuietly(
  source: StreamSource,
  { sessionId, attached }: { sessionId: string; attached: WebSocket | Response | undefined },
): void {
  if (attached === undefined || attached instanceof Response) return;
  attached.binaryType = "arraybuffer";
  attached.accept();
  leave(source, { sessionId, socket: attached, held: [] });
}
