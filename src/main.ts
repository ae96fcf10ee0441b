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

async function run(command: string | undefined): Promise<void> {
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
    default:
      console.error(usage);
      process.exitCode = command === "--help" || command === "-h" ? 0 : 1;
  }
}

if (isTooOld(process.versions.node)) {
  console.error(`mcp-edge needs Node ${oldestNode.join(".")} or newer; this is ${process.versions.node}.`);
  process.exitCode = 1;
} else {
  const { NotInstalled } = await import("./installed.ts");
  await run(process.argv[2]).catch((error: unknown) => {
    if (!(error instanceof NotInstalled)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
}
