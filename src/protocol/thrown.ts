/** How much is told of an error, UTF-16 units: its message and its stack have no end of their own. */
const maxStackLength = 8_000;

/** So many of what is behind an error are told as well: each may have a cause, itself for one. */
const maxBehind = 5;

/** What was thrown, as text. Anything can be thrown, also what has no text or throws when it is asked for it. */
export function textOf(thrown: unknown): string {
  return read(() => String(thrown)) ?? "something that has no text";
}

/** The stack of what was thrown, and those of what caused it. */
export function stackOf(thrown: unknown): string {
  const told = new Map<unknown, string>();
  const waiting: { how: string; one: unknown }[] = [{ how: "", one: thrown }];
  for (const { how, one } of waiting) {
    if (told.size > maxBehind) break;
    if (told.has(one)) continue;
    told.set(one, `${how}${ownStackOf(one)}`);
    waiting.push(...behind(one));
  }
  return [...told.values()].join("\n");
}

/** Whether the SDKs can tell a client what was thrown: they read these members, and so it is an error to them. */
export function isTellable(thrown: unknown): thrown is Error {
  const seen = read(() => {
    const { code, message, data } = thrown as { code?: unknown; message?: unknown; data?: unknown };
    return { code, message, data };
  });
  return typeof thrown === "object" && typeof seen?.message === "string";
}

function ownStackOf(one: unknown): string {
  const stack = read(() => (one instanceof Error ? (one.stack ?? one.message) : undefined));
  return (typeof stack === "string" ? stack : textOf(one)).slice(0, maxStackLength);
}

/** Its cause, and what an `AggregateError` is made of. */
function behind(one: unknown): { how: string; one: unknown }[] {
  const cause = read(() => (one instanceof Error ? one.cause : undefined));
  const errors = read(() => (one instanceof AggregateError ? Array.from(one.errors, (part: unknown) => part) : []));
  return [
    ...(cause === undefined ? [] : [{ how: "caused by ", one: cause }]),
    ...(errors ?? []).map((part) => ({ how: "one of them: ", one: part })),
  ];
}

/** `undefined` if it throws. */
function read<Value>(from: () => Value): Value | undefined {
  try {
    return from();
  } catch {
    // There is nothing to read.
    return undefined;
  }
}
