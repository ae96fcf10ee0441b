import { resolveOptions } from "../options.ts";
import { checkPort, takeAll, valueOf } from "./flags.ts";
import { withNpmOptions } from "./npm-options.ts";

/** What `npm start` was told. */
export interface DevArguments {
  /** For `wrangler dev`. */
  wrangler: string[];
  /** Somebody chose a level of wrangler's log. */
  isVerbose: boolean;
  /** `--config` and `--env`, as wrangler reads them. */
  config: string | undefined;
  env: string | undefined;
  isHttps: boolean;
}

/** Options of ours, and the binding by which the Worker gets what they say. */
const names = [
  { flag: "allowed-host", option: "allowedHosts", binding: "MCP_EDGE_ALLOWED_HOSTS" },
  { flag: "allowed-origin", option: "allowedOrigins", binding: "MCP_EDGE_ALLOWED_ORIGINS" },
] as const;

/** What is not given is this: every message of the tools is shown, and stacks have the names of the functions. */
const defaults = [
  ["log-level", "log"],
  ["minify", "false"],
  ["show-interactive-dev-session", "false"],
] as const;

/** Those that are taken also without `--` before them. */
const withoutDashes = ["port", "ip", "env", "log-level", "allowed-host", "allowed-origin"];

/**
 * Reads the arguments of `npm start`: those of `wrangler dev`, `--allowed-host` and `--allowed-origin`.
 * @throws {RangeError} for a hostname that no request can have.
 * @throws {Fault} for what is no port, and for options that npm has mixed up.
 */
export function readArguments(argv: string[], environment: NodeJS.Dict<string>): DevArguments {
  const args = withNpmOptions(argv, environment, withoutDashes);
  const port = valueOf(args, "port");
  if (port !== undefined) checkPort(port, 0);
  const isVerbose = valueOf(args, "log-level") !== undefined;
  for (const { flag, option, binding } of names) {
    const values = takeAll(args, flag);
    if (values.length === 0) continue;
    resolveOptions({ [option]: option === "allowedOrigins" && values.includes("*") ? "*" : values });
    args.push("--var", `${binding}:${values.join(",")}`);
  }
  const given = defaults.filter(([name]) => valueOf(args, name) === undefined && !args.includes(`--no-${name}`));
  return {
    wrangler: [...given.map(([name, value]) => `--${name}=${value}`), ...args],
    isVerbose,
    config: valueOf(args, "config") ?? valueOf(args, "c"),
    env: valueOf(args, "env") ?? valueOf(args, "e") ?? environment["CLOUDFLARE_ENV"],
    isHttps: valueOf(args, "local-protocol") === "https",
  };
}
