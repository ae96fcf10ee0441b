/** What does not exist on the edge, by what is said about it, and what takes its place. */
const advice: [RegExp, string][] = [
  [
    /readAll '|no such file or directory|ENOENT/,
    'On the edge there is no file system: import the file (import data from "./data.json" with { type: "json" }), or export its text from a module.',
  ],
  [
    /__dirname|__filename/,
    "On the edge there is no file system, and modules are not in a folder: import what is needed as a module.",
  ],
  [/child_process/, "On the edge there are no processes: ask a service by fetch, or serve this tool over stdio only."],
  [/worker_threads|cluster/, "On the edge there is one thread for each session."],
  [
    /Could not resolve "[^"]*\.node"|No loader is configured for "\.node"|process\.dlopen|node-gyp/,
    "On the edge there are no native modules: choose a package in JavaScript or WebAssembly.",
  ],
  [/Could not resolve "[^./][^"]*"/, "Install it (npm install <name>), or correct its name."],
  [
    /is not implemented|No such module "node:/,
    "The edge has only a part of Node: see Cloudflare's list of Node.js APIs.",
  ],
];

/** What to do about an error of a server that was written for Node; empty if nothing is known. */
export function adviceOn(message: string): string {
  return advice.find(([said]) => said.test(message))?.[1] ?? "";
}
