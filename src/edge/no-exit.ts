/**
 * A server that was written for Node may end its process, where it cannot go on. On the edge that would end the request, of
 * whoever it is, without an answer: so it is an error like any other, which the client and the log are told.
 */
export function refuseExit(): void {
  const refuse = (name: string) => (): never => {
    throw new Error(
      `process.${name}() was called. On the edge there is no process to end: throw an error, or return one.`,
    );
  };
  const { process } = globalThis as { process?: object };
  if (process !== undefined) Object.assign(process, { exit: refuse("exit"), abort: refuse("abort") });
}
