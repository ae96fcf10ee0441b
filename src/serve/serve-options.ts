import { resolve } from "node:path";
import { Fault } from "../fault.ts";
import { resolveOptions } from "../options.ts";

export interface ServeOptions {
  /** What `build` wrote. */
  folder: string;
  /** 8000. */
  port: number;
  /** The address it listens on. `127.0.0.1`: this machine only. */
  host: string;
  /** Where the sessions lie; it must be the same after each start. */
  data: string;
  /** How long running calls may take to end once it is told to stop, milliseconds. 3 s. */
  graceMs: number;
  /** Hostnames under which it may be reached, besides localhost and IP addresses, as `allowedHosts`. `["*"]`: any. */
  allowedHosts: readonly string[];
  /** Where the secrets are. */
  env: NodeJS.Dict<string>;
}

/**
 * The options in the environment: `PORT`, `HOST`, `DATA`, `GRACE` (seconds), `ALLOWED_HOSTS`. One that is empty is not set: a
 * host of "" would be all networks, a folder of "" the one that it is started in.
 * @throws {Fault} for a value that cannot be.
 */
export function optionsIn(env: NodeJS.Dict<string>, folder: string): ServeOptions {
  const given = (name: string, otherwise: string): string => env[name]?.trim() || otherwise;
  const port = given("PORT", "8000");
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw new Fault(`PORT is a number from 1 to 65535, not ${port}.`);
  }
  const grace = given("GRACE", "3");
  if (!/^\d+(\.\d+)?$/.test(grace) || Number(grace) > 3_600) {
    throw new Fault(`GRACE is a number of seconds up to 3600, not ${grace}.`);
  }
  return {
    folder: resolve(folder),
    port: Number(port),
    // As it stands in a URL, and as it does not.
    host: given("HOST", "127.0.0.1").replace(/^\[(?<address>.*)\]$/, "$<address>"),
    data: resolve(given("DATA", "data")),
    graceMs: Number(grace) * 1_000,
    allowedHosts: hostsIn(given("ALLOWED_HOSTS", "")),
    env,
  };
}

function hostsIn(text: string): string[] {
  const names = text
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  if (names.includes("*")) return ["*"];
  try {
    resolveOptions({ allowedHosts: names });
    return names;
  } catch {
    throw new Fault(
      `ALLOWED_HOSTS is hostnames with commas between them, without scheme, port and wildcard, or * for any, not ${text}.`,
    );
  }
}
