/** What does not exist on the edge, by what is said about it, and what takes its place. */
const advice: [RegExp, string][] = [
  [
    // wrangler's own begin with ENOENT, and are about files of the project.
    /readAll '|(?<!ENOENT: )no such file or directory/,
    'On the edge there is no file system: import the file (import data from "./data.json" with { type: "json" }), or export its text from a module.',
  ],
  [
    /__dirname|__filename/,
    "On the edge there is no file system, and modules are not in a folder: import what is needed as a module.",
  ],
  [/child_process/, "On the edge there are no processes: ask a service by fetch, or serve this tool over stdio only."],
  [
    /StdioServerTransport|\(reading 'listeners'\)/,
    "createServer only returns its server: leave out the transport and connect(…), which is done for it, over stdio as well.",
  ],
  [
    /EADDRINUSE|bind EACCES|listen EACCES/,
    "On the edge nothing listens on a port: createServer only returns its server, and clients come to its URL.",
  ],
  [
    /node_modules[\\/]mcp-edge[\\/]dist[\\/]page$/m,
    "mcp-edge is not installed there: run npm install. In a workspace, where it is in a folder above, write that one in wrangler.toml, " +
      'below [assets]: directory = "../../node_modules/mcp-edge/dist/page".',
  ],
  [/worker_threads|cluster|The Worker method is not/, "On the edge there is one thread for each session."],
  [
    /Could not resolve "[^"]*\.node"|No loader is configured for "\.node"|process\.dlopen|node-gyp/,
    "On the edge there are no native modules: choose a package in JavaScript or WebAssembly.",
  ],
  [/Could not resolve "(?!node:)[^./][^"]*"/, "Install it (npm install <name>), or correct its name."],
  [
    /ExportedHandler|Class extends value|does not export a fetch\(\) function/,
    "src/worker.ts exports what edge made: export class Session extends app.Session {}, and export default { fetch: app.fetch };",
  ],
  [
    /within global scope|top-level await in a synchronously required module/,
    "While a module loads nothing can be waited for: do it in createServer, which may be async, or in the tool.",
  ],
  [
    /FinalizationRegistry is not defined|No such module "node:async_hooks"/,
    'mcp-edge needs compatibility_date = "2025-05-05" or later in wrangler.toml, and before 2026-08-04 compatibility_flags = ["nodejs_als"] too.',
  ],
  [
    /is not implemented|(No such module|Could not resolve) "node:/,
    "The edge has only a part of Node: see Cloudflare's list of Node.js APIs.",
  ],
];

/** What to do about an error of a server that was written for Node; empty if nothing is known. */
export function adviceOn(message: string): string {
  return advice.find(([said]) => said.test(message))?.[1] ?? "";
}
