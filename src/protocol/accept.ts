const quotedStrings = /"(?:[^"\\]|\\.)*"?/g;

/** One range of an `Accept` header, such as `text/*`, and how much it is wanted, from 0 to 1. */
interface Range {
  name: string;
  quality: number;
}

/** A longer header is not remembered, UTF-16 units. */
const maxRememberedLength = 256;

/** What was asked last: a client says the same with each request, and most clients say the same as the others. */
let remembered: { accept: string; qualities: Map<string, number> } = { accept: "", qualities: new Map() };

/**
 * How much a client wants `mediaType`, from 0 (not at all) to 1, by its `Accept` header: the most specific range that
 * matches decides (RFC 9110, section 12.5.1). Types have no case (8.3.1). Without the header, anything will do. Parameters
 * other than the weight are not looked at: what we send has none.
 */
export function qualityOf(mediaType: string, accept: string | null): number {
  if (accept === null || accept.trim() === "") return 1;
  if (accept.length > maxRememberedLength) return qualityIn(accept, mediaType);
  if (accept !== remembered.accept) remembered = { accept, qualities: new Map() };
  const { qualities } = remembered;
  const known = qualities.get(mediaType);
  if (known !== undefined) return known;
  const quality = qualityIn(accept, mediaType);
  qualities.set(mediaType, quality);
  return quality;
}

function qualityIn(accept: string, mediaType: string): number {
  const [type = ""] = mediaType.split("/");
  // From the vaguest to the most specific. `*` alone is how `java.net.URLConnection` spells the first.
  const matching = ["*", "*/*", `${type}/*`, mediaType];
  let best = { rank: -1, quality: 0 };
  for (const { name, quality } of rangesIn(accept)) {
    const rank = matching.indexOf(name);
    if (rank < 0) continue;
    if (rank > best.rank || (rank === best.rank && quality > best.quality)) best = { rank, quality };
  }
  return best.quality;
}

/** Whether a client takes each of `mediaTypes`. */
export function acceptsAll(mediaTypes: readonly string[], accept: string | null): boolean {
  return mediaTypes.every((mediaType) => qualityOf(mediaType, accept) > 0);
}

function rangesIn(accept: string): Range[] {
  // A quoted string is the value of a parameter, and may hold a comma or a semicolon.
  const ranges = accept.toLowerCase().replaceAll(quotedStrings, "").split(",");
  return ranges.map((range) => {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim());
    return { name, quality: weightIn(parameters) };
  });
}

/** 1 if there is none, or one that is no number. */
function weightIn(parameters: string[]): number {
  const weight = parameters.find((parameter) => /^q\s*=/.test(parameter));
  const quality = weight === undefined ? 1 : Number(weight.slice(weight.indexOf("=") + 1));
  return Number.isNaN(quality) ? 1 : quality;
}
