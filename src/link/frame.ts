import { utf8 } from "../protocol/utf8.ts";

/** The first byte of a frame. In version 1 of the link a frame began with its sequence, whose first byte is never so large. */
const mark = { passed: 0x80, held: 0x81 } as const;
const headerBytes = 17;
const [sequenceAt, postAt] = [1, 9];
const headerRoom = "\0".repeat(headerBytes);

/**
 * An SSE frame as the object sends it to the relay: a byte that says whether to hold it until the object says `kept`,
 * see `from-object.ts`; its sequence number and that of the POST that it answers, or 0, as float64s; then the bytes for the
 * client. The relay learns how far the client is without reading a byte of the frame. A POST's sequence means something only
 * on the socket that brought it, see {@linkcode addressed}.
 */
export function packFrame(sequence: number, frame: string, { post = 0, isHeld = false } = {}): Uint8Array {
  const packed = utf8(headerRoom + frame);
  const header = new DataView(packed.buffer, packed.byteOffset);
  header.setUint8(0, isHeld ? mark.held : mark.passed);
  header.setFloat64(sequenceAt, sequence);
  header.setFloat64(postAt, post);
  return packed;
}

/**
 * Frames that nobody holds, and that answer no POST, as one: the SSE frames one behind the other, with the sequence number of
 * the last. To the relay it is a frame like any other.
 */
export function packTogether(frames: readonly Uint8Array[]): Uint8Array {
  const together = new Uint8Array(
    frames.reduce((total, { byteLength }) => total + byteLength - headerBytes, headerBytes),
  );
  let at = headerBytes;
  for (const packed of frames) {
    together.set(packed.subarray(0, headerBytes));
    together.set(frameOf(packed), at);
    at += packed.byteLength - headerBytes;
  }
  return together;
}

/**
 * The frame as it is to be sent now: whether the relay is to hold it, as the object's memory alone has it and a client waits
 * for it; and which POST it says to be accepted, 0 for none.
 */
export function addressed(packed: Uint8Array, { post, isHeld }: { post?: number; isHeld?: boolean }): Uint8Array {
  const header = new DataView(packed.buffer, packed.byteOffset);
  const wanted = isHeld === true ? mark.held : mark.passed;
  const first = isHeld === undefined ? header.getUint8(0) : wanted;
  const answered = post ?? header.getFloat64(postAt);
  if (header.getUint8(0) === first && header.getFloat64(postAt) === answered) return packed;
  // A copy: what was sent before may still be on its way.
  const copy = packed.slice();
  const changed = new DataView(copy.buffer);
  changed.setUint8(0, first);
  changed.setFloat64(postAt, answered);
  return copy;
}

/** A frame without its first byte: as version 1 sends it, and as it is stored and given back, whatever the version. */
export function plainFrame(packed: Uint8Array): Uint8Array {
  return isPlain(packed) ? packed : packed.subarray(1);
}

/** The frame again that {@linkcode plainFrame} took the first byte from. */
export function packedAgain(plain: Uint8Array): Uint8Array {
  const packed = new Uint8Array(1 + plain.byteLength);
  packed[0] = mark.passed;
  packed.set(plain, 1);
  return packed;
}

function isPlain(packed: Uint8Array): boolean {
  return (packed[0] ?? 0) < mark.passed;
}

export interface UnpackedFrame {
  sequence: number;
  post: number;
  /** A plain frame does not say, and counts as held. */
  isHeld: boolean;
  frame: Uint8Array<ArrayBuffer>;
}

/** Also a plain frame, see {@linkcode plainFrame}. */
export function unpackFrame(packed: Uint8Array<ArrayBuffer>): UnpackedFrame {
  const at = isPlain(packed) ? 0 : 1;
  const header = new DataView(packed.buffer, packed.byteOffset + at);
  return {
    sequence: header.getFloat64(0),
    post: header.getFloat64(8),
    isHeld: packed[0] !== mark.passed,
    frame: packed.subarray(at + 16),
  };
}

/** The bytes for the client, when the object writes to it directly. */
export function frameOf(packed: Uint8Array): Uint8Array {
  return packed.subarray(headerBytes);
}
