/** What is in the way of a command. Its message is shown alone, to whoever typed it: it says what to do. */
export class Fault extends Error {}

/** What is said of an error that ends a command; `undefined` if it is a fault of ours, of which the stack is wanted. */
export function sentenceOf(error: unknown): string | undefined {
  return error instanceof Fault ? error.message : (ofMissingPackage(error) ?? ofSystem(error));
}

/** What is said if `error` is Node's of a package that is not there. */
export function ofMissingPackage(error: unknown): string | undefined {
  const { code, message } = Object(error) as NodeJS.ErrnoException;
  if (code !== "ERR_MODULE_NOT_FOUND") return undefined;
  // Of a file that is not there it names the path.
  const name = /^Cannot find package '(?<name>[^']+)'/.exec(message)?.groups?.["name"];
  if (name === undefined) return undefined;
  return `${name} is not installed. Run npm install in ${process.cwd()}, or npm install ${name} if its package.json does not name it.`;
}

/** Of a file or a folder that cannot be read or written. */
function ofSystem(error: unknown): string | undefined {
  const { syscall = "spawn", path, message } = Object(error) as NodeJS.ErrnoException;
  if (syscall.startsWith("spawn") || path === undefined) return undefined;
  return `Not possible here: ${message}. Choose a place that can be written, and has room.`;
}
