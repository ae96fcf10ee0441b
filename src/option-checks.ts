import { isObject } from "./protocol/json-rpc.ts";

/** Nothing checks types before `npm start` and a deploy: what options are is looked at when they are given. */

/** @throws {RangeError} for what is no object, and so has no option. */
export function checkObject(of: string, options: unknown): void {
  if (!isObject(options)) throw new RangeError(`The options of ${of} are an object, not ${shown(options)}.`);
}

/** @throws {RangeError} likewise, and for a member of another name. */
export function checkNames(of: string, options: object, names: readonly string[]): void {
  checkObject(of, options);
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new RangeError(`${of} has no option ${unknown}. It has ${names.join(", ")}.`);
}

/** @throws {RangeError} for a value that is none of `allowed`. */
export function checkOneOf(name: string, value: unknown, allowed: readonly unknown[]): void {
  if (allowed.includes(value)) return;
  throw new RangeError(`${name} is ${allowed.map(shown).join(" or ")}, not ${shown(value)}.`);
}

/** @throws {RangeError} for what is no name of a binding. */
export function checkBinding(name: string, value: unknown): void {
  if (typeof value === "string" && value !== "") return;
  throw new RangeError(`${name} is the name of a binding in wrangler.toml, not ${shown(value)}.`);
}

/** @throws {RangeError} for a path that no request can have: it is compared as a URL spells it. */
export function checkPath(name: string, path: string): void {
  const mayBeEmpty = name === "publicPath";
  if (mayBeEmpty && path === "") return;
  if (!/^\/[^?#\s]*[^/?#\s]$/.test(path)) {
    const or = mayBeEmpty ? "is empty, or " : "";
    throw new RangeError(`${name} ${or}starts with a slash and does not end in one: "/sse", not "${path}".`);
  }
  // Two slashes would begin a host, where a client reads it as a URL without one.
  const spelled = new URL(`http://localhost${path}`).pathname.replace(/^\/+/, "/");
  if (spelled !== path) throw new RangeError(`${name} is a path as URLs spell it: "${spelled}", not "${path}".`);
}

/** @throws {RangeError} for what no request names: hostnames are compared as a URL spells them. */
export function checkHostnames(name: string, value: unknown, { mayBeEvery }: { mayBeEvery: boolean }): void {
  if (mayBeEvery && value === "*") return;
  for (const entry of [value].flat()) {
    const hostname = hostnameIn(entry);
    if (Array.isArray(value) && hostname !== "" && hostname === entry) continue;
    throw new RangeError(
      `${name} is ${mayBeEvery ? '"*" or ' : ""}an array of hostnames, without scheme, port and wildcard: ` +
        `["${hostname === "" ? "app.example.com" : hostname}"], not ${shown(value)}.`,
    );
  }
}

/** What was meant by it; empty if there is no telling. */
function hostnameIn(entry: unknown): string {
  if (typeof entry !== "string" || entry.includes("*")) return "";
  return URL.parse(entry.includes("://") ? entry : `http://${entry}`)?.hostname ?? "";
}

/** `value`, whatever it is, as a part of a sentence. */
export function shown(value: unknown): string {
  // JSON has no word for NaN, undefined and functions.
  if (typeof value === "number") return String(value);
  if (typeof value === "bigint") return `${value}n`;
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return typeof value;
  }
}
