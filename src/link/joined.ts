/** What each piece takes besides itself, bytes. */
export const lengthBytes = 4;

/** Pieces one after the other, each behind its length, a uint32. */
export function join(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(pieces.reduce((total, piece) => total + lengthBytes + piece.byteLength, 0));
  const view = new DataView(joined.buffer);
  let at = 0;
  for (const piece of pieces) {
    view.setUint32(at, piece.byteLength);
    joined.set(piece, at + lengthBytes);
    at += lengthBytes + piece.byteLength;
  }
  return joined;
}

/** The pieces again, each in memory of its own. `joined` may have room behind its `usedBytes`. */
export function split(joined: ArrayBuffer, usedBytes = joined.byteLength): Uint8Array<ArrayBuffer>[] {
  const view = new DataView(joined);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < usedBytes;) {
    const end = at + lengthBytes + view.getUint32(at);
    pieces.push(new Uint8Array(joined.slice(at + lengthBytes, end)));
    at = end;
  }
  return pieces;
}
