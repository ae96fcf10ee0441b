import type { AttachTarget, StreamSource } from "./attach.ts";

/** Waits between attempts to attach again, milliseconds. After the last one the stream is ended: the client reconnects. */
const reattachDelaysMs = [0, 25, 50, 100, 200, 400, 800, 1_600, 3_000, 3_000, 3_000];

/** What a relay looks for whose object went away. */
export interface Search {
  target: AttachTarget;
  /** Answers that only the lost object's memory had. */
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

/**
 * What `socket` carried to a client that has gone. An object that answers its close has written that down; one that crashes
 * before it hears of it has it from here.
 */
export async function giveBackUnheard(
  source: StreamSource,
  { sessionId, socket, held }: { sessionId: string; socket: WebSocket; held: Uint8Array[] },
): Promise<void> {
  const isHeard = await new Promise<boolean>((resolve) => {
    socket.addEventListener("close", ({ code }) => resolve(code === 1000));
    socket.addEventListener("error", () => resolve(false));
  });
  const target: AttachTarget = { sessionId, session: "stored", position: undefined };
  if (!isHeard) await attachAgain(source, { target, held, isOver: () => true });
}

/** False if the object cannot be reached. */
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

/** An object that was attached to for nothing. */
export function closeQuietly(attached: WebSocket | Response | undefined): void {
  if (attached === undefined || attached instanceof Response) return;
  attached.accept();
  attached.close(1000, "not needed");
}
