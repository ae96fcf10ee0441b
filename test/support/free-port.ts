import { createServer } from "node:net";

/** Below the ports that systems give by themselves: to whoever listens on 0, and to every connection. */
const [lowest, count] = [10_000, 20_000];

/**
 * A TCP port of this machine that is free at this moment, and that nobody is given by chance before it is used: tests run
 * in parallel, and another one's server on it would answer in the place of the one that was meant.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * count);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
