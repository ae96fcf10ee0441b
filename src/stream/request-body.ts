import * as refusals from "../protocol/refusals.ts";

/** What all bodies that are being read may take in one isolate together, bytes: a quarter of what it may have. */
const maxReadingBytes = 32 * 1024 * 1024;

/** How long the longest body may take to arrive, milliseconds: 4 MiB at half a megabit per second. */
const maxReadingMs = 60_000;

/** What is read in one go, bytes: most bodies as a whole. Each read costs as much as some thousand bytes. */
const pieceBytes = 64 * 1024;
/** The first piece of a body whose length nobody knows, bytes; each that follows may be twice as long. Most are small. */
const firstBytes = 4 * 1024;

/** A refusal says why the body was not read, if its client is still there. */
export type ReadBody = { ok: true; text: string } | { ok: false; refusal: Response };

/** A body that is being read. */
interface Reading {
  bytes: number;
  giveUp: () => void;
}

/** Those of this isolate, the longest first. */
const readings = new Set<Reading>();
let readingBytes = 0;

/** What calls back once something has taken long, if it is not told before that this is over. */
export interface Late {
  add(then: () => void): void;
  delete(then: () => void): void;
}

/**
 * The body of `request` as UTF-8, at most `maxBytes` of it. An upload that stalls holds what has come of it: all of them
 * are bounded together, and each has a deadline. Whoever has taken longest makes room, so that nobody keeps others out.
 *
 * `late`: from when on the deadline runs, if not at once. Nearly every body is here before, and need not pay for a timer.
 */
export async function readBody(request: Request, maxBytes: number, late?: Late): Promise<ReadBody> {
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared > maxBytes) return { ok: false, refusal: refusals.bodyTooLarge(maxBytes) };
  // All of it, if it is read as a whole; `undefined` if it is given up. One promise, as each POST pays for it.
  const { promise: text, resolve, reject } = Promise.withResolvers<string | undefined>();
  const reading: Reading = { bytes: 0, giveUp: () => resolve(undefined) };
  let deadline: ReturnType<typeof setTimeout> | undefined;
  const watch = (): void => void (deadline = setTimeout(reading.giveUp, maxReadingMs));
  readings.add(reading);
  if (late === undefined) watch();
  else late.add(watch);
  try {
    if (!(declared <= pieceBytes)) return await readPieces(request, { reading, declared, isGivenUp: text, maxBytes });
    take(reading, declared);
    request.text().then(resolve, reject);
    const whole = await text;
    return whole === undefined ? { ok: false, refusal: refusals.bodyTooSlow() } : { ok: true, text: whole };
  } catch {
    // The client stopped in the middle of it.
    return { ok: false, refusal: refusals.notJson("the body could not be read to its end") };
  } finally {
    late?.delete(watch);
    clearTimeout(deadline);
    release(reading);
  }
}

interface Terms {
  reading: Reading;
  /** As it is declared, bytes; NaN if it is not. */
  declared: number;
  isGivenUp: Promise<string | undefined>;
  maxBytes: number;
}

async function readPieces(request: Request, { reading, declared, isGivenUp, maxBytes }: Terms): Promise<ReadBody> {
  if (request.body === null) return { ok: true, text: "" };
  const reader = piecesOf(request.body);
  const decoder = new TextDecoder();
  let text = "";
  let piece = Number.isNaN(declared) ? firstBytes : pieceBytes;
  for (let bytes = 0; ; piece = Math.min(2 * piece, pieceBytes)) {
    // No further than one byte too many. It is counted before it is there: what has come of it is held, too.
    const next = Math.min(piece, maxBytes + 1 - bytes);
    take(reading, next);
    const part = await Promise.race([reader.read(next), isGivenUp]);
    if (part === undefined || typeof part === "string") return stop(reader, refusals.bodyTooSlow());
    if (part.done || part.value === undefined) return { ok: true, text: text + decoder.decode() };
    bytes += part.value.byteLength;
    if (bytes > maxBytes) return stop(reader, refusals.bodyTooLarge(maxBytes));
    text += decoder.decode(part.value, { stream: true });
  }
}

interface Pieces {
  /** Of `bytes`, or less at the end. */
  read(bytes: number): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

function piecesOf(body: ReadableStream<Uint8Array>): Pieces {
  try {
    const reader = body.getReader({ mode: "byob" });
    return {
      read: (bytes) => reader.readAtLeast(bytes, new Uint8Array(bytes)),
      cancel: () => reader.cancel(),
    };
  } catch {
    // What stands in front of us made it, and not of bytes: its pieces are what it wrote.
    const reader = body.getReader();
    return { read: () => reader.read(), cancel: () => reader.cancel() };
  }
}

function stop(reader: Pieces, refusal: Response): ReadBody {
  // Whether it can be told so or not, nothing more of it is read.
  void reader.cancel().catch(() => undefined);
  return { ok: false, refusal };
}

function take(reading: Reading, bytes: number): void {
  reading.bytes += bytes;
  readingBytes += bytes;
  for (const longest of readings) {
    if (readingBytes <= maxReadingBytes || readings.size === 1) return;
    release(longest);
    longest.giveUp();
  }
}

function release(reading: Reading): void {
  readingBytes -= reading.bytes;
  reading.bytes = 0;
  readings.delete(reading);
}
