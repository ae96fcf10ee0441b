/** What is in the way of a command. Its message is shown alone, to whoever typed it: it says what to do. */
export class Fault extends Error {}

/** What is said of an error that ends a command; `undefined` if it is a fault of ours, of which the stack is wanted. */
export function sentenceOf(error: unknown): string | undefined {
  if (error instanceof Fault) return error.message;
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  if (code !== "ERR_MODULE_NOT_FOUND" || typeof message !== "string") return undefined;
  // Of a file that is not there it names the path.
  const missing = /^Cannot find package '(?<name>[^']+)'/.exec(message)?.groups?.["name"];
  return missing === undefined ? undefined : notInstalled(missing);
}

function notInstalled(name: string): string {
  return `${name} is not installed. Run npm install in ${process.cwd()}, or npm install ${name} if its package.json does not name it.`;
}
