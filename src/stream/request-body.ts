/** What all bodies that are being read may take in one isolate together, bytes: a quarter of what it may have. */
const maxReadingBytes = 32 * 1024 * 1024;

/** How long the longest body may take to arrive, milliseconds: 4 MiB at half a megabit per second. */
const maxReadingMs = 60_000;

/** A body so short is read in one go, bytes: most are. */
const smallBytes = 64 * 1024;

export type ReadBody =
  | { ok: true; text: string }
  /** `too-slow`: it did not arrive in time, or others needed the room that it took for longest. */
  | { ok: false; why: "too-large" | "too-slow" | "broken" };

/** A body that is being read. */
interface Reading {
  bytes: number;
  giveUp: () => void;
}

/** Those of this isolate, the longest first. */
const readings = new Set<Reading>();
let readingBytes = 0;

/**
 * The body of `request` as UTF-8, at most `maxBytes` of it. An upload that stalls holds what has come of it: all of them
 * are bounded together, and each has a deadline. Whoever has taken longest makes room, so that nobody keeps others out.
 *
 * `late`: from when on the deadline runs, if not at once. Nearly every body is here before, and need not pay for a timer.
 */
export async function readBody(request: Request, maxBytes: number, late?: Promise<void>): Promise<ReadBody> {
  const { promise: isGivenUp, resolve } = Promise.withResolvers<undefined>();
  const reading: Reading = { bytes: 0, giveUp: () => resolve(undefined) };
  let deadline: ReturnType<typeof setTimeout> | undefined;
  const watch = (): void => {
    if (readings.has(reading)) deadline = setTimeout(reading.giveUp, maxReadingMs);
  };
  readings.add(reading);
  if (late === undefined) watch();
  else void late.then(watch);
  try {
    return await read(request, { reading, isGivenUp, maxBytes });
  } catch {
    // The client stopped in the middle of it.
    return { ok: false, why: "broken" };
  } finally {
    clearTimeout(deadline);
    release(reading);
  }
}

interface Terms {
  reading: Reading;
  isGivenUp: Promise<undefined>;
  maxBytes: number;
}

async function read(request: Request, { reading, isGivenUp, maxBytes }: Terms): Promise<ReadBody> {
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared > maxBytes) return { ok: false, why: "too-large" };
  if (declared <= smallBytes) {
    take(reading, declared);
    const whole = await Promise.race([request.text(), isGivenUp]);
    return whole === undefined ? { ok: false, why: "too-slow" } : { ok: true, text: whole };
  }
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = request.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const part = await Promise.race([reader?.read(), isGivenUp]);
    if (part?.done !== false) return part === undefined && reader !== undefined ? stop(reader, "too-slow") : ended();
    bytes += part.value.byteLength;
    if (bytes > maxBytes) return stop(reader, "too-large");
    take(reading, part.value.byteLength);
    text += decoder.decode(part.value, { stream: true });
  }

  function ended(): ReadBody {
    return { ok: true, text: text + decoder.decode() };
  }
}

function stop(reader: ReadableStreamDefaultReader | undefined, why: "too-large" | "too-slow"): ReadBody {
  // Whether it can be told so or not, nothing more of it is read.
  void reader?.cancel().catch(() => undefined);
  return { ok: false, why };
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
