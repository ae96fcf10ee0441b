/** One line in the log for what `from` said and this version does not know: perhaps it is of another release. */
export function logUnknown(from: "worker" | "relay" | "object"): void {
  console.warn(JSON.stringify({ event: "unknown-word", from }));
}
