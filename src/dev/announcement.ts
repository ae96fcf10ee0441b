import { typed } from "./commands.ts";

/** What `wrangler dev` tells its parent process once it listens. */
interface DevServerReady {
  event: "DEV_SERVER_READY";
  ip: string;
  port: number;
}

/** The port that wrangler.toml gives, and the Inspector's command expects. */
export const usualPort = 8000;

/** Calls `then` with the URL once the first bundle answers there. */
export async function whenServing(
  message: unknown,
  { isHttps }: { isHttps: boolean },
  then: (url: string) => void,
): Promise<void> {
  const ready = readReady(message);
  if (ready === undefined) return;
  const host = ready.ip === "0.0.0.0" || ready.ip === "::" ? "localhost" : ready.ip;
  const url = `http${isHttps ? "s" : ""}://${host}:${ready.port}`;
  // It listens before the bundle is built, and holds requests until then. Any answer of the Worker will do; / is a file.
  const isServing = await fetch(`${url}/health`).then(
    () => true,
    // Its certificate is its own. Of anything else wrangler says itself what is wrong.
    (error: unknown) => isHttps && String((error as Error).cause).includes("certificate"),
  );
  if (isServing) then(url);
}

/** What is said at first: where `url` is, and what is served there: what `config` names, if it is not the project's own. */
export function announcement(url: string, config: string | undefined): string {
  const { port } = new URL(url);
  const inspector = typed("inspect", Number(port) === usualPort ? "" : `--port ${port}`);
  return `
Serving ${config === undefined ? "src/server.ts" : `what ${config} names`}, and again whenever you save it. Ctrl-C ends it.

  ${url}/sse   connect here (HTTP+SSE), or open it in a browser
  ${url}/mcp   or here (Streamable HTTP)

Next, in another terminal; then, in its page, connect, Tools, add:

  ${inspector}
`;
}

export function servingAgain(url: string): string {
  return `\nServing again: ${url}/sse\n`;
}

function readReady(message: unknown): DevServerReady | undefined {
  const value: unknown = typeof message === "string" ? JSON.parse(message) : message;
  const isReady = typeof value === "object" && value !== null && "event" in value && value.event === "DEV_SERVER_READY";
  // The version of wrangler is pinned, and its shape with it.
  return isReady ? (value as DevServerReady) : undefined;
}
