/** So much of a message is looked through, UTF-16 units: more than a log shows of it. */
const maxMessageLength = 2_000;

/** A text that is shorter says nothing, and is in many a message by chance, UTF-16 units. */
const minTextLength = 4;

/**
 * A longer text is sought by its pieces of this length, UTF-16 units: at least one is whole in any part of it that has nearly
 * twice as many. A piece that the message has as well is taken for a quote, with all around it that is the same in both.
 */
const pieceLength = 10;

/** A text that is shorter is sought as a whole: most parts of it are words. */
const longLength = 2 * pieceLength;

/** What is a credential whoever sent it: of HTTP, a JWT, a password or a query in a URL. */
const credentials: readonly [RegExp, string][] = [
  [/\b(bearer|basic|digest|dpop) +[^\s,;"']+/gi, "…"],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, "…"],
  [/(\b[a-z][\w+.-]*:\/\/)[^\s/@]*@/gi, "$1"],
  [/(\bhttps?:\/\/[^\s?#"']*)[?#][^\s"']*/gi, "$1"],
];

/** Long, and no word: a key, a hash, a session's id. But for a UUID, which incidents have. */
const key = /(?=[\w+=-]*\d)[\w+=-]{32,}/g;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What JSON may write in another way. */
const escaped = /["\\\p{Cc}]/u;

/**
 * The beginning of `message`, without what is in it of `sent`, and without what looks like a credential: "…" stands in its
 * place. Of `sent`, which came as JSON, texts and numbers count, not the names of members, which a schema has. A text is
 * recognised by any 19 units of it in a row.
 *
 * Takes time by the length of `sent`, whatever it holds: who sent it may have made it for that.
 */
export function redacted(message: string, sent: unknown): string {
  let told = message.slice(0, maxMessageLength);
  for (const [pattern, instead] of credentials) told = told.replaceAll(pattern, instead);
  told = told.replaceAll(key, (found) => (uuid.test(found) ? found : "…"));
  return new Quotes(told).without(sent);
}

/** The places of a message in which it quotes something. */
class Quotes {
  readonly #message: string;
  readonly #isQuoted: Uint8Array;
  /** Where each piece of the message begins; without those that were found, which no other text is to be compared with. */
  readonly #pieces = new Map<string, number[]>();

  constructor(message: string) {
    this.#message = message;
    this.#isQuoted = new Uint8Array(message.length);
    for (let at = 0; at + pieceLength <= message.length; at++) {
      const piece = message.slice(at, at + pieceLength);
      const places = this.#pieces.get(piece);
      if (places === undefined) this.#pieces.set(piece, [at]);
      else places.push(at);
    }
  }

  without(sent: unknown): string {
    const short = new Set<string>();
    for (const text of textsIn(sent)) {
      if (text.length >= longLength) this.#findLong(text);
      else if (text.length >= minTextLength) short.add(text);
    }
    this.#findShort(short);
    let rest = "";
    for (const [at, unit] of this.#message.split("").entries()) {
      if (this.#isQuoted[at] !== 1) rest += unit;
      else if (this.#isQuoted[at - 1] !== 1) rest += "…";
    }
    return rest;
  }

  #findShort(texts: Set<string>): void {
    if (texts.size === 0) return;
    for (let length = minTextLength; length < longLength; length++) {
      for (let at = 0; at + length <= this.#message.length; at++) {
        if (texts.has(this.#message.slice(at, at + length))) this.#isQuoted.fill(1, at, at + length);
      }
    }
  }

  #findLong(text: string): void {
    for (let from = 0; from + pieceLength <= text.length; from += pieceLength) {
      const piece = text.slice(from, from + pieceLength);
      for (const at of this.#pieces.get(piece) ?? []) this.#markAround(text, from, at);
      this.#pieces.delete(piece);
    }
  }

  /** The units around `at` are those of `text` around `from`, as far as they are the same. */
  #markAround(text: string, from: number, at: number): void {
    const message = this.#message;
    let before = 0;
    while (at > before && from > before && message[at - before - 1] === text[from - before - 1]) before += 1;
    let after = pieceLength;
    while (message[at + after] !== undefined && message[at + after] === text[from + after]) after += 1;
    this.#isQuoted.fill(1, at - before, at + after);
  }
}

/** Every text and number in a value of JSON, however deep: as it is, and as JSON writes it if that is something else. */
function* textsIn(value: unknown): Generator<string> {
  const rest = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next === "string") {
      yield next;
      if (escaped.test(next)) yield JSON.stringify(next).slice(1, -1);
    } else if (typeof next === "number") yield String(next);
    else if (typeof next === "object" && next !== null) for (const part of Object.values(next)) rest.push(part);
  }
}
