/** Deeper than anybody reads, and far from where it could not be written any more. */
const maxDepth = 1_000;

/** Whose memory it is, as errors call it. */
export type Whose = "session" | "user";

/** @throws {RangeError} for what is no text. */
export function checkText(of: Whose, key: unknown): void {
  if (typeof key !== "string") throw new RangeError(noKey(of, key === null ? "null" : typeof key));
}

/** @throws {RangeError} for what a memory cannot hold: a key that is no text and would not come back as it was, or such a value. */
export function checkEntry(of: Whose, key: string, value: unknown): void {
  checkText(of, key);
  if (!key.isWellFormed()) throw new RangeError(noKey(of, "half of a surrogate pair"));
  const fault = notJson(value);
  if (fault !== undefined) throw new RangeError(`The ${of}'s memory holds JSON, as it is: ${fault}.`);
}

function noKey(of: Whose, what: string): string {
  return `A key of the ${of}'s memory is text; ${what} is not.`;
}

/**
 * What in `value` JSON would empty, change or refuse, and where: `value.users[3].born is a Date`. `undefined` if nothing: it
 * consists of plain objects, arrays, strings, finite numbers, booleans and null.
 */
function notJson(value: unknown, path = "value", above = new Set<unknown>()): string | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `${path} is ${value}`;
  if (typeof value !== "object") return `${path} is ${value === undefined ? "undefined" : `a ${typeof value}`}`;
  if (above.has(value)) return `${path} holds itself`;
  if (above.size === maxDepth) return `${path.slice(0, path.search(/[.[]/))} is nested deeper than ${maxDepth} levels`;
  const isArray = Array.isArray(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  // That of an array is a plain object as well.
  if (!(isArray ? isPlain(prototype) : isPlain(value))) return `${path} is a ${nameOfClass(value)}`;
  const [symbol] = Object.getOwnPropertySymbols(value);
  if (symbol !== undefined) return `${path} has a symbol for a key`;
  // Nobody sees them in it, and its own `toJSON` may be one.
  const hidden = Object.getOwnPropertyNames(value).find((name) => !isSeen(value, name));
  if (hidden !== undefined) return `${memberPath(path, hidden)} is not enumerable`;
  above.add(value);
  const fault = isArray
    ? (notElements(value, path) ?? firstOf(value, (element, index) => notJson(element, `${path}[${index}]`, above)))
    : firstOf(Object.entries(value), ([key, member]) => notJson(member, memberPath(path, key), above));
  above.delete(value);
  return fault;
}

function isSeen(value: object, name: string): boolean {
  return Object.prototype.propertyIsEnumerable.call(value, name) || (Array.isArray(value) && name === "length");
}

/** A gap in `array`, or a member that is none of its elements. */
function notElements(array: unknown[], path: string): string | undefined {
  const keys = Object.keys(array);
  const index = keys.findIndex((key, at) => key !== String(at));
  if (index < 0) return keys.length < array.length ? `${path}[${keys.length}] is empty` : undefined;
  return index < array.length ? `${path}[${index}] is empty` : `${memberPath(path, keys[index] ?? "")} is no element`;
}

function firstOf<Item>(items: Item[], find: (item: Item, index: number) => string | undefined): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Also one that another realm made, and one without a prototype. */
function isPlain(value: unknown): boolean {
  const prototype: unknown = value === null ? value : Object.getPrototypeOf(value);
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(Object(prototype), "isPrototypeOf"))
  );
}

function nameOfClass(value: object): string {
  const { name = "class" } = Object(value.constructor) as { name?: string };
  return name === "" ? "class" : name;
}

function memberPath(path: string, key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}
