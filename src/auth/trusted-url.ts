import { localhostAllowedHostnames } from "@modelcontextprotocol/server";

const localhosts = localhostAllowedHostnames();

/** Whether `value` is a URL on the way to which nobody can answer instead: of HTTPS, or of this machine. */
export function isTrusted(value: unknown): value is string {
  const url = typeof value === "string" ? URL.parse(value) : null;
  const isLocal = url?.protocol === "http:" && localhosts.includes(url.hostname);
  return url !== null && (url.protocol === "https:" || isLocal) && url.hash === "";
}
