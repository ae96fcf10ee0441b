import { parseArgs } from "node:util";
import { typed } from "../dev/commands.ts";
import { whenNpmIsGone } from "../dev/npm-parent.ts";
import { sentenceOf } from "../fault.ts";
import { goOnUnread } from "../outputs.ts";
import { build } from "./build.ts";
import { serve, type Serving } from "./serve.ts";
import { optionsIn, type ServeOptions } from "./serve-options.ts";

const usage = `mcp-edge build [--out dist] [--env <name>] [--compile]   makes what plain workerd serves
mcp-edge serve [dist]                                    serves it, as its environment says:
  PORT           where it listens (8000)
  HOST           on which address (127.0.0.1: this machine only; 0.0.0.0: all networks)
  DATA           the folder of the sessions, one server at a time (data)
  ALLOWED_HOSTS  hostnames under which clients reach it, with commas; *: any (none: localhost and IP addresses)
  GRACE          seconds that running calls have to end when it is told to stop (3)
  and the secrets that [secrets] of wrangler.toml requires`;

/** Arguments that no command knows; the message says which. */
class UsageFault extends Error {}

/** `build` and `serve`: a server without Cloudflare. Ends with 1 and a sentence for what is in the way. */
async function main([command, ...args]: string[]): Promise<void> {
  if ([command, ...args].some((arg) => arg === "--help" || arg === "-h")) {
    console.log(usage);
    return;
  }
  switch (command) {
    case "build": {
      const { out, env, compile } = parsed(() =>
        parseArgs({
          args,
          options: { out: { type: "string" }, env: { type: "string" }, compile: { type: "boolean", default: false } },
        }),
      ).values;
      const folder = await build({ root: process.cwd(), env, compile, ...(out === undefined ? {} : { out }) });
      console.error(`Built ${folder}. Serve it: ${typed("serve", out)}`);
      return;
    }
    case "serve": {
      const [folder = "dist", another] = parsed(() => parseArgs({ args, allowPositionals: true })).positionals;
      if (another !== undefined) throw new UsageFault(`It serves one folder, and there is ${another} besides.`);
      await serveUntilStopped(optionsIn(process.env, folder));
      return;
    }
    default:
      console.error(usage);
      process.exitCode = 1;
  }
}

function parsed<Result>(parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    // Node's sentence, of whose second one half is about its own use.
    throw new UsageFault(`${error instanceof Error ? error.message.split(". ", 1)[0] : String(error)}.`);
  }
}

type Phase = { is: "starting" } | { is: "serving"; serving: Serving } | { is: "stopping" };

/** Ends the process with 0 if it was told to stop, by a signal, and with 1 if workerd ended by itself. */
async function serveUntilStopped(options: ServeOptions): Promise<void> {
  goOnUnread();
  let phase: Phase = { is: "starting" };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      // Before it serves nothing is lost. Whoever says it twice will not wait for calls.
      if (phase.is !== "serving") process.exit(0);
      const { serving } = phase;
      phase = { is: "stopping" };
      const seconds = options.graceMs / 1_000;
      console.error(`Told to stop (${signal}): running calls have ${seconds} s; once more, and they have none.`);
      void serving.stop();
    });
  }
  // npm may go first when both are told, which is to be told once.
  whenNpmIsGone(() => isStopping(phase) || process.kill(process.pid, "SIGTERM"));
  const serving = await serve(options);
  phase = { is: "serving", serving };
  console.error(serving.line);
  const how = await serving.ended;
  if (isStopping(phase)) return;
  console.error(
    `workerd ended by itself (${typeof how === "number" ? `exit code ${how}` : how}): why stands above, or in the log of ` +
      "the system if it took too much memory. The sessions are on the disk: start again.",
  );
  process.exitCode = 1;
}

/** A signal may have changed it, which the compiler does not see. */
function isStopping(phase: Phase): boolean {
  return phase.is === "stopping";
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof UsageFault) console.error(`${error.message}\n\n${usage}`);
  else console.error(sentenceOf(error) ?? error);
  process.exit(1);
});
