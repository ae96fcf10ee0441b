import { join, relative } from "node:path";
import type { EdgeOptions } from "../../src/index.ts";
import { bundle, root, workerConfig } from "./bundle.ts";

/** Cap'n Proto text. */
export interface MoreConfig {
  /** Services, each with a comma behind it. */
  services: string;
  /** Bindings, each with a comma before it. */
  bindings?: string;
  /** Members of the Worker, each with a comma behind it. */
  worker?: string;
  /** Workers, as constants. */
  constants?: string;
}

export interface WorkerdConfig {
  /** Path of the Worker's module, from the root. */
  main: string;
  /** The folder that the configuration will be in. */
  folder: string;
  /** Where its databases are. */
  diskFolder: string;
  port: number;
  /** Where a second isolate of the Worker listens, with the same Durable Objects: the edge has many. */
  otherPort?: number | undefined;
  /** Which of the two isolates runs the release before this one; `main` has the objects. */
  previous?: "main" | "other" | undefined;
  /** What V8 may have for each isolate, MiB. The platform's bound is 128. */
  heapMib?: number | undefined;
  /** In the place of those of the fixture, if it reads them. */
  options?: EdgeOptions;
  /** What else the Worker has. */
  more?: MoreConfig | undefined;
}

/** The example server as the release before this one would deploy it. */
const previousScript = join(root, "test/fixtures/previous/worker.bundle");

/** `McpAgent` loads it and never uses it here. Only the platform has it. */
const emailModule = `(name = "cloudflare-internal:email", internal = true, esModule = "export default { EmailMessage: class {} }")`;

/** A configuration of `workerd serve` (Cap'n Proto text): a Worker, bundled as a deploy would, with its Durable Objects. */
export async function workerdConfig({
  main,
  folder,
  diskFolder,
  port,
  otherPort,
  previous,
  heapMib,
  options = {},
  more,
}: WorkerdConfig): Promise<string> {
  const { compatibility_date: date, compatibility_flags: flags } = await workerConfig(main);
  const { script } = await bundle(main);
  const modulesOf = (isolate: "main" | "other"): string => {
    const path = relative(folder, isolate === previous ? previousScript : script);
    return `[(name = "worker.js", esModule = embed ${JSON.stringify(path)})]`;
  };
  const dated = `compatibilityDate = "${date}",
  compatibilityFlags = ${JSON.stringify(flags)}`;
  const heap = heapMib === undefined ? "" : `\n  v8Flags = ["--max-heap-size=${heapMib}"],`;
  const isSplit = otherPort !== undefined;
  const optionsText = `(name = "OPTIONS", text = ${JSON.stringify(JSON.stringify(options))})`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),${isSplit ? `\n    (name = "other", worker = .other),` : ""}
    (name = "disk", disk = (path = ${JSON.stringify(diskFolder)}, writable = true)),${more?.services ?? ""}
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:${port}", http = (), service = "main"),
    ${isSplit ? `(name = "other", address = "127.0.0.1:${otherPort}", http = (), service = "other"),` : ""}
  ],
  extensions = [(modules = [${emailModule}])],${heap}
);
const worker :Workerd.Worker = (
  modules = ${modulesOf("main")},
  ${dated},
  bindings = [(name = "SESSION", durableObjectNamespace = "Session"), ${optionsText}${more?.bindings ?? ""}],
  durableObjectNamespaces = [(className = "Session", uniqueKey = "mcp-edge-session", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  ${more?.worker ?? ""}
);
${more?.constants ?? ""}
const other :Workerd.Worker = (
  modules = ${modulesOf("other")},
  ${dated},
  bindings = [(name = "SESSION", durableObjectNamespace = (className = "Session", serviceName = "main")), ${optionsText}],
);
`;
}
