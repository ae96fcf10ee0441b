/** What all messages that are being answered may take in one isolate together, bytes: half of what it may have. */
const maxHeldBytes = 64 * 1024 * 1024;

/** One that takes no more is held beside whatever there is: those who send much keep nobody out who sends little. */
const smallBytes = 16 * 1024;

/** What one takes for each of its characters, as it came, parsed, and written again; and for each value in it, which may be `{}`, and each name. */
const [characterBytes, valueBytes] = [3, 48];

/** With one such, each character of a text takes twice as much. The engine need not look for it in a text that is stored narrow. */
const wide = /[\u0100-\uffff]/;

const backslash = 0x5c;

let heldBytes = 0;
const tornDown = new FinalizationRegistry<number>((bytes) => (heldBytes -= bytes));

/**
 * Names under which Workers of this isolate hold what an object, perhaps of this isolate too, is to hold as well: both have it
 * in memory, but neither is in the way of the other.
 */
export const handedOver = new Set<string>();

/** Of a message that needs none. */
export const noRoomTaken = (): void => undefined;

/**
 * Takes room for `json`, before it is parsed, which may take twenty times as much memory as its text. What is uploaded at once
 * is bounded, but it stays here for as long as its tool takes. What is returned gives the room back, as does the collector for an
 * object that crashed. `undefined`: there is none. `from`: see {@linkcode handedOver}.
 */
export function holdMessage(json: string, from?: string): (() => void) | undefined {
  const bytes = memoryOf(json);
  if (bytes <= smallBytes) return noRoomTaken;
  // Alone it may be as long as the option for that says, but not hold more than belongs to its length.
  const isAlone = heldBytes === (from !== undefined && handedOver.has(from) ? bytes : 0);
  const neededBytes = isAlone ? bytes - lengthOf(json) : heldBytes + bytes;
  if (neededBytes > maxHeldBytes) return undefined;
  heldBytes += bytes;
  const release = (): void => {
    if (tornDown.unregister(release)) heldBytes -= bytes;
  };
  tornDown.register(release, bytes, release);
  return release;
}

/** What `json` takes in memory, or a little more, bytes. */
export function memoryOf(json: string): number {
  let bytes = lengthOf(json);
  if (bytes + json.length * valueBytes <= smallBytes) return bytes;
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case 0x22: // "
        at = endOfText(json, at + 1);
        break;
      case 0x2c: // , : [ { come before values, or behind names
      case 0x3a:
      case 0x5b:
      case 0x7b:
        bytes += valueBytes;
    }
  }
  return bytes;
}

function lengthOf(json: string): number {
  const isWide = wide.test(json) || json.includes("\\u");
  return json.length * characterBytes * (isWide ? 2 : 1);
}

/** Where the text ends whose first unit is at `from`. */
function endOfText(json: string, from: number): number {
  for (let at = json.indexOf('"', from); at >= 0; at = json.indexOf('"', at + 1)) {
    let escapes = 0;
    while (json.charCodeAt(at - escapes - 1) === backslash) escapes += 1;
    if (escapes % 2 === 0) return at;
  }
  return json.length;
}
