/** What a client or a server calls something is as long as they like: no more of it is logged, UTF-16 units. */
const maxNameLength = 200;

/** `name` as a line of the log has it; `undefined` for what is no name. */
export function loggedName(name: unknown): string | undefined {
  return typeof name === "string" ? name.slice(0, maxNameLength) : undefined;
}
