/** What zod finds wrong with a value. */
interface Issue {
  message: string;
  path: PropertyKey[];
  /** Of a union: what is wrong with each of its alternatives. */
  errors?: Issue[][];
}

/**
 * A message of the SDKs that ends in zod's list of issues, as one sentence. Of a value that is none of some alternatives it says
 * what keeps it from the nearest.
 */
export function withoutIssues(message: string): string {
  const { about, list } = /^(?<about>[^[]*)(?<list>\[\s*\{[^]*\])$/.exec(message)?.groups ?? {};
  if (about === undefined || list === undefined) return message;
  try {
    return about + (JSON.parse(list) as Issue[]).flatMap((issue) => sentences(issue, [])).join("; ");
  } catch {
    // It only looks alike.
    return message;
  }
}

function sentences({ message, path, errors = [] }: Issue, above: PropertyKey[]): string[] {
  const place = [...above, ...path];
  const [nearest] = errors.toSorted((one, other) => one.length - other.length);
  if (nearest !== undefined) return nearest.flatMap((issue) => sentences(issue, place));
  return [`${place.map(String).join(".")}: ${message}`.replace(/^: /, "")];
}
