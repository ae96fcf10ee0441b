import { Fault } from "../fault.ts";
import { inspectedHeader, inspectHeader, type Inspected } from "../link/inspection.ts";
import { usualPort } from "./announcement.ts";
import { typed } from "./commands.ts";
import { takePort } from "./flags.ts";
import { withNpmOptions } from "./npm-options.ts";
import { reportList, reportSession } from "./session-report.ts";
import { inspectKey } from "./wrangler-process.ts";

/**
 * `npm run inspect -- <session>`, `mcp-edge session`: what the object of a session holds, of the running `npm start` of this
 * project; without a session, which there are.
 *
 * Takes an id as a client or a tool has it, its beginning, what the log calls it, or the endpoint of HTTP+SSE; the URL of the
 * server or `--port`; and `--json`. Ends with 1 if there is nothing to show.
 */

/** Of a session's id those that find its object; the rest opens it, see `session-id.ts`. */
const objectDigits = 64;

/** A server that is busy with a call answers late. */
const answerTimeoutMs = 10_000;

interface Asked {
  session: string | undefined;
  url: string;
  isJson: boolean;
}

/** @throws {Fault} for what it does not know. */
function readAsked(argv: string[], environment: NodeJS.Dict<string>): Asked {
  const args = withNpmOptions(argv, environment, ["port"]);
  const port = takePort(args) ?? usualPort;
  const unknown = args.find((arg) => arg.startsWith("-") && arg !== "--json");
  if (unknown !== undefined) throw new Fault(`There is no option ${unknown}: it takes --port and --json.`);
  const place = args.find((arg) => /^https?:/.test(arg) && URL.canParse(arg));
  const [named, another] = args.filter((arg) => arg !== place && arg !== "--json");
  if (another !== undefined) throw new Fault(`It shows one session, and there is ${another} besides.`);
  const { origin, pathname, searchParams } = new URL(place ?? `http://localhost:${port}/sse`);
  // Of an event's id the beginning; and no more of any id than is no secret.
  const session = searchParams.get("sessionId") ?? named?.split("/")[0];
  return {
    session: session?.slice(0, objectDigits),
    url: origin + pathname,
    // npm takes it for its own, if there is no -- before it.
    isJson: args.includes("--json") || environment["npm_config_json"] === "true",
  };
}

/** `undefined`: what answers there shows no sessions. Rejects if nothing answers. */
async function ask({ session, url }: Asked): Promise<Inspected | undefined> {
  const headers: Record<string, string> = { accept: "application/json", [inspectHeader]: inspectKey() ?? "" };
  if (session !== undefined) headers[inspectedHeader] = encodeURIComponent(session);
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(answerTimeoutMs) });
  const answer: unknown = response.ok ? await response.json().catch(() => undefined) : undefined;
  // It is of the same release: the project's own.
  return Object(answer).is === undefined ? undefined : (answer as Inspected);
}

/** What is shown of the answer, or the sentence that says why nothing is. */
function shown(answer: Inspected | undefined, { session, url, isJson }: Asked): { text: string } | { fault: string } {
  switch (answer?.is) {
    case undefined:
      return {
        fault: `What answers at ${url} shows no sessions: only an npm start of this project does, and never a deployed server.`,
      };
    case "session":
      return { text: isJson ? JSON.stringify(answer.session, null, 2) : reportSession(answer.session) };
    case "list":
      return { text: isJson ? JSON.stringify(answer.sessions, null, 2) : reportList(answer.sessions, url) };
    case "unknown":
      return {
        fault: `There is no session ${session}: it has ended, or that is mistyped. ${typed("session")} lists those there are.`,
      };
    case "ambiguous":
      return { fault: `More than one session begins with ${session}: ${answer.sessions.join(", ")}.` };
  }
}

async function run(asked: Asked): Promise<void> {
  let answer: Inspected | undefined;
  try {
    answer = await ask(asked);
  } catch {
    return fail(
      `Nothing answers at ${asked.url}. Start the server by ${typed("dev")} in another terminal; ` +
        `if it is elsewhere, say where: ${typed("session", "--port 8123")}, or with its URL.`,
    );
  }
  const told = shown(answer, asked);
  if ("fault" in told) fail(told.fault);
  else console.log(told.text);
}

function fail(sentence: string): void {
  console.error(sentence);
  process.exitCode = 1;
}

await run(readAsked(process.argv.slice(2), process.env));
