import { assetsFolder, type BuiltAssets } from "./assets.ts";

/** What a configuration is made of. */
export interface BuiltWorker {
  /** Tells this bundle from every other. */
  version: string;
  compatibilityDate: string;
  compatibilityFlags: readonly string[];
  /** Durable Objects, by the name of their binding. */
  objects: { name: string; className: string }[];
  /** `[vars]` of wrangler.toml. */
  vars: Readonly<Record<string, unknown>>;
  /** Names of secrets, whose values are in the environment. */
  secrets: readonly string[];
  /** The binding of `[version_metadata]`. */
  versionBinding?: string | undefined;
  /** Files that the Worker reads by a binding. */
  assets?: BuiltAssets | undefined;
}

/** Names in the configuration that a command line can override. */
export const names = { socket: "http", disk: "data" } as const;

/** By it `serve` tells the Worker under which hostnames it may be reached, see `allowedHosts`. */
export const hostsVariable = "MCP_EDGE_ALLOWED_HOSTS";

/**
 * A configuration of `workerd serve` (Cap'n Proto text). Where it listens and where its data lie are overridden by
 * `--socket-addr` and `--directory-path`.
 */
export function workerdConfig(worker: BuiltWorker): string {
  const classes = [...new Set(worker.objects.map(({ className }) => className))];
  const bindings = [
    ...worker.objects.map(
      ({ name, className }) => `(name = ${text(name)}, durableObjectNamespace = ${text(className)})`,
    ),
    ...Object.entries(worker.vars).map(([name, value]) => variable(name, value)),
    ...[...worker.secrets, hostsVariable].map((name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`),
    ...(worker.assets === undefined ? [] : [`(name = ${text(worker.assets.binding)}, service = "assets")`]),
    ...(worker.versionBinding === undefined ? [] : [version(worker.versionBinding, worker.version)]),
  ];
  // The key is fixed: with another, every session's id would mean nothing.
  const namespaces = classes.map(
    (name) => `(className = ${text(name)}, uniqueKey = ${text(`mcp-edge-${name}`)}, enableSql = true)`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "${names.disk}", disk = (path = "data", writable = true)),${
      worker.assets === undefined
        ? ""
        : `
    (name = "assets", worker = .assets),`
    }
  ],
  sockets = [(name = "${names.socket}", address = "127.0.0.1:8000", http = (), service = "worker")],
);

const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = ${text(worker.compatibilityDate)},
  compatibilityFlags = ${list(worker.compatibilityFlags.map(text))},
  bindings = ${list(bindings)},
  durableObjectNamespaces = ${list(namespaces)},
  durableObjectStorage = (localDisk = "${names.disk}"),
);
${worker.assets === undefined ? "" : assetsWorker(worker.assets, worker.compatibilityDate)}`;
}

/** The files are in the configuration, and so in the binary that may be made of it. */
function assetsWorker({ paths }: BuiltAssets, compatibilityDate: string): string {
  const files = paths.map((path) => `(name = ${text(path)}, data = embed ${text(`${assetsFolder}/${path}`)})`);
  return `
const assets :Workerd.Worker = (
  modules = ${list(['(name = "assets.js", esModule = embed "assets.js")', ...files])},
  compatibilityDate = ${text(compatibilityDate)},
);
`;
}

function variable(name: string, value: unknown): string {
  if (typeof value === "string") return `(name = ${text(name)}, text = ${text(value)})`;
  return `(name = ${text(name)}, json = ${text(JSON.stringify(value))})`;
}

function version(binding: string, id: string): string {
  return `(name = ${text(binding)}, json = ${text(JSON.stringify({ id, tag: "", timestamp: "" }))})`;
}

function list(items: string[]): string {
  return items.length === 0 ? "[]" : `[\n    ${items.join(",\n    ")},\n  ]`;
}

/** Cap'n Proto reads the escapes of C, and those of JSON that are not are the ones with `u`. */
function text(value: string): string {
  const bytes = [...Buffer.from(value)].map((byte) => {
    const character = String.fromCharCode(byte);
    return byte >= 0x20 && byte < 0x7f && !`"\\`.includes(character)
      ? character
      : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `"${bytes.join("")}"`;
}
