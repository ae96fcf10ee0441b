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

/** Of a file that an editor writes in several steps, only the last counts, milliseconds. */
const readAfterMs = 100;

let said: readonly string[] = [];
/** Says what has become wrong since the last time. */
async function sayFaults(): Promise<void> {
  const faults = await configurationFaults(args);
  for (const sentence of faults) if (!said.includes(sentence)) console.error(`▲ ${sentence}`);
  said = faults;
}

goOnUnread();
const server = new DevServer(args);
server.start();
let later: NodeJS.Timeout | undefined;
watchSources(root, (path) => {
  server.saved(path);
  if (!/^(wrangler\.|\.dev\.vars|\.env)/.test(path)) return;
  clearTimeout(later);
  later = setTimeout(() => void sayFaults(), readAfterMs);
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => server.stop(0));
whenNpmIsGone(() => server.stop(0));
void sayFaults();
