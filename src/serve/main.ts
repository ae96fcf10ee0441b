import { parseArgs } from "node:util";
import { build, BuildFault } from "./build.ts";
import { DataFault } from "./data-folder.ts";
import { optionsIn, serve, ServeFault } from "./serve.ts";

const usage = `mcp-edge build [--out dist] [--env <name>] [--compile]   makes what plain workerd serves
mcp-edge serve [dist]                                    serves it; PORT, HOST, DATA, GRACE, ALLOWED_HOSTS`;

/** `build` and `serve`: a server without Cloudflare. Ends with 1 and a sentence for what is in the way. */
async function main([command, ...args]: string[]): Promise<void> {
  switch (command) {
    case "build": {
      const { values } = parseArgs({
        args,
        options: { out: { type: "string" }, env: { type: "string" }, compile: { type: "boolean", default: false } },
      });
      const { out, env, compile } = values;
      const folder = await build({ root: process.cwd(), env, compile, ...(out === undefined ? {} : { out }) });
      console.error(`Built ${folder}. Serve it: mcp-edge serve${out === undefined ? "" : ` ${out}`}`);
      return;
    }
    case "serve": {
      const { positionals } = parseArgs({ args, allowPositionals: true });
      const serving = await serve(optionsIn(process.env, positionals[0] ?? "dist"));
      console.error(serving.line);
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.once(signal, () => void serving.stop().then(() => process.exit(0)));
      }
      process.exitCode = (await serving.ended) ?? 1;
      return;
    }
    default:
      console.error(usage);
      process.exitCode = 1;
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const isKnown = [BuildFault, ServeFault, DataFault].some((fault) => error instanceof fault);
  // The second is of `parseArgs`, for an argument that it does not know.
  const isSentence = isKnown || (error instanceof TypeError && "code" in error);
  console.error(isSentence ? String(error).replace(/^\w+: /, "") : error);
  process.exit(1);
});
