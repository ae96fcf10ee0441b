import { basename, join, relative } from "node:path";
import { bundle, workerConfig } from "./bundle.ts";

export interface WorkerdConfig {
  /** Path of the Worker's module, from the root. */
  main: string;
  /** The folder that the configuration will be in. */
  folder: string;
  /** Where its databases are. */
  diskFolder: string;
  port: number;
}

/** `McpAgent` loads it and never uses it here. Only the platform has it. */
const emailModule = `(name = "cloudflare-internal:email", internal = true, esModule = "export default { EmailMessage: class {} }")`;

/** A configuration of `workerd serve` (Cap'n Proto text): a Worker, bundled as a deploy would, with its Durable Objects. */
export async function workerdConfig({ main, folder, diskFolder, port }: WorkerdConfig): Promise<string> {
  const { compatibility_date: date, compatibility_flags: flags } = await workerConfig(main);
  const script = relative(folder, join(await bundle(main), "out", `${basename(main, ".ts")}.js`));
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "disk", disk = (path = ${JSON.stringify(diskFolder)}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
  extensions = [(modules = [${emailModule}])],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${JSON.stringify(script)})],
  compatibilityDate = "${date}",
  compatibilityFlags = ${JSON.stringify(flags)},
  bindings = [(name = "SESSION", durableObjectNamespace = "Session")],
  durableObjectNamespaces = [(className = "Session", uniqueKey = "mcp-edge-session", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
);
`;
}
