import { Writable } from "node:stream";

/**
 * Imported before anything else that runs over stdio. From then on whatever this process writes to `process.stdout` goes to
 * stderr: `console` in all its methods, `process.stdout.write`, a pipe, a worker's output, and what modules print while they
 * load. "The server MUST NOT write anything to its stdout that is not a valid MCP message" (MCP, transports: stdio).
 *
 * A process has no say in what passes its streams by: a child process that inherits stdout (`stdio: "inherit"`), and
 * `fs.writeSync(1, …)`.
 */
const { stdout, stderr } = process;
const writeMessage = stdout.write.bind(stdout);

/** Stdout, for messages alone. It fails as stdout does, when nobody reads there any more. */
export const messageOutput = new Writable({
  decodeStrings: false,
  write: (chunk: string, encoding, done) => void writeMessage(chunk, encoding, done),
});
// One for each message that waits until stdout has room.
messageOutput.setMaxListeners(0);
stdout.on("error", (error: Error) => messageOutput.destroy(error));

/** Who ends stdout has written what is left to say; messages go on. */
function writeLast(last?: unknown): typeof stdout {
  if (typeof last === "string" || last instanceof Uint8Array) stderr.write(last);
  return stdout;
}
Object.assign(stdout, { write: stderr.write.bind(stderr), end: writeLast });
// Who waited until there is room to write more, such as a pipe into stdout.
stderr.on("drain", () => stdout.emit("drain"));
// Nobody is left to read what goes wrong.
stderr.on("error", () => undefined);
