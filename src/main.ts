#!/usr/bin/env node
/**
 * The command `mcp-edge`, in the folder of a project: `dev`, `stdio`, `inspect`, `session`, `build`, `serve`. What a command needs is
 * loaded after the version of Node is known to do: an older one would end in a stack.
 */

/** Node reads TypeScript from here on. */
const oldestNode = [22, 18] as const;

const usage = `mcp-edge dev       serves src/worker.ts on this machine, again whenever a source is saved; takes what wrangler dev takes
mcp-edge stdio     serves src/server.ts over stdio
mcp-edge inspect   opens the MCP Inspector on the running server: [<url>] [--port 8000] [--cli …]
mcp-edge session   shows what the object of a session holds, of a running mcp-edge dev: [<session>] [<url>] [--port 8000] [--json]
mcp-edge build     makes what plain workerd serves: [--out dist] [--env <name>] [--compile]
mcp-edge serve     serves it: [dist]; PORT, HOST, DATA, GRACE, ALLOWED_HOSTS`;

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
}

/** Of the others wrangler tells, or `serve/main.ts`. */
const told = new Set(["stdio", "inspect", "session"]);

async function run(asked: string | undefined, option: string | undefined): Promise<void> {
  const isHelp = option === "--help" || option === "-h";
  const command = isHelp && told.has(asked ?? "") ? "--help" : asked;
  switch (command) {
    case "dev":
      process.argv.splice(2, 1);
      await import("./dev.ts");
      return;
    case "stdio":
      await import("./stdio/project.ts");
      return;
    case "inspect":
      process.argv.splice(2, 1);
      await import("./dev/inspector.ts");
      return;
    case "session":
      process.argv.splice(2, 1);
      await import("./dev/inspect.ts");
      return;
    case "build":
    case "serve":
      await import("./serve/main.ts");
      return;
    case "--help":
    case "-h":
      console.log(usage);
      return;
    default:
      console.error(command === undefined ? usage : `There is no command ${command}.\n\n${usage}`);
      process.exitCode = 1;
  }
}

if (isTooOld(process.versions.node)) {
  console.error(`mcp-edge needs Node ${oldestNode.join(".")} or newer; this is ${process.versions.node}.`);
  process.exitCode = 1;
} else {
  const { sentenceOf } = await import("./fault.ts");
  await run(process.argv[2], process.argv[3]).catch((error: unknown) => {
    const sentence = sentenceOf(error);
    if (sentence === undefined) throw error;
    console.error(sentence);
    process.exitCode = 1;
  });
}
