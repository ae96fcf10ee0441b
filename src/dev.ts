import { readArguments } from "./dev/arguments.ts";
import { configurationFaults } from "./dev/configuration.ts";
import { DevServer } from "./dev/dev-server.ts";
import { whenNpmIsGone } from "./dev/npm-parent.ts";
import { watchSources } from "./dev/source-watch.ts";
import { root, unwritable } from "./dev/wrangler-process.ts";
import { goOnUnread } from "./outputs.ts";

/** `npm start`. Its arguments are those of `wrangler dev`, besides `--allowed-host` and `--allowed-origin`. */

function argumentsOrEnd() {
  try {
    return readArguments(process.argv.slice(2), process.env);
  } catch (error) {
    return end(error instanceof Error ? error.message : String(error));
  }
}

function end(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}

const args = argumentsOrEnd();
const fault = unwritable(root);
if (fault !== undefined) end(fault);

const said = new Set<string>();
async function sayFaults(): Promise<void> {
  for (const sentence of await configurationFaults(args)) {
    if (!said.has(sentence)) console.error(`▲ ${sentence}`);
    said.add(sentence);
  }
}

goOnUnread();
const server = new DevServer(args);
server.start();
watchSources(root, (path) => {
  server.saved(path);
  if (/^(wrangler\.|\.dev\.vars|\.env)/.test(path)) void sayFaults();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => server.stop(0));
whenNpmIsGone(() => server.stop(0));
void sayFaults();
