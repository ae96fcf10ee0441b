import { Client, SSEClientTransport } from "@modelcontextprotocol/client";
import { computed, signal } from "@preact/signals";
import { isCurrent, setCurrentClient } from "./current-client.ts";
import { answerQuestion, forgetQuestions } from "./questions.ts";
import { forgetOffer, listOffer, relist, sentenceOf } from "./offer.ts";
import { Plug, type RefusedAnswer } from "./plug.ts";
import { findLogin, goToLogin, type LoginWay, redeem, takeReturned } from "./oauth.ts";
import { noteInRuns, noteLog } from "./runs.ts";
import { findServer, type ServerUrls } from "./server-url.ts";
import { noteOnWire } from "./wire.ts";

/** How it stands with the page's session. */
export type Link =
  | { state: "connecting" }
  | { state: "connected" }
  /** The stream was lost in a session, which the SDK's client goes back to. */
  | { state: "cut" }
  /** It is there again, after `afterMs` milliseconds, in the session that it was in. */
  | { state: "back"; afterMs: number }
  | { state: "login"; scope: string | undefined; way: LoginWay; fault: string | undefined }
  | { state: "refused"; status: number; sentence: string }
  | { state: "away" };

/** What the server says of itself. */
export interface ServerFacts {
  name: string;
  version: string;
  instructions: string | undefined;
  revision: string;
}

export const link = signal<Link>({ state: "connecting" });
export const urls = signal<ServerUrls | undefined>(undefined);
export const facts = signal<ServerFacts | undefined>(undefined);
export const sessionId = signal<string | undefined>(undefined);
/** Whether requests can be sent now, or will be in a moment. */
export const isUp = computed(() => ["connected", "back"].includes(link.value.state));

/** Held in memory only: a reload forgets it. */
const token = signal("");
/** Whether the person has it from elsewhere, as other clients then need it too: from a login of the server's they get their own. */
export const isTokenGiven = signal(false);

/** How often a server that is away is looked for, milliseconds. */
const lookAgainMs = 3_000;

/** A connection that is gone for longer is the server's fault, as far as a person can see, milliseconds. */
const awayAfterMs = 8_000;

let plug: Plug | undefined;
let lookAgain: ReturnType<typeof setTimeout> | undefined;

export function pullPlug(): void {
  plug?.pull();
}

/** Opens a session of the page's own, in the place of the one that it may have. */
export async function connect(): Promise<void> {
  clearTimeout(lookAgain);
  await setCurrentClient(undefined)?.close();
  link.value = { state: "connecting" };
  forgetQuestions();
  const attempt = new Attempt();
  try {
    const returned = takeReturned();
    urls.value = await findServer();
    // A code that is worth nothing: the login is asked for again, with what it said.
    if (returned !== undefined) {
      token.value = await redeem(returned, urls.value.sse).catch(noteFault);
      isTokenGiven.value = false;
    }
    await attempt.open(urls.value.sse);
  } catch (error) {
    await attempt.failed(error);
  }
}

/** To the server's own login, by OAuth; it comes back to the page. */
export async function logIn(): Promise<void> {
  if (urls.value === undefined) return;
  loginFault = undefined;
  await goToLogin(urls.value.sse).catch(noteFault);
  if (loginFault !== undefined && link.value.state === "login") link.value = { ...link.value, fault: loginFault };
}

/** Opens a session by a token that the person has. */
export async function logInBy(given: string): Promise<void> {
  token.value = given;
  isTokenGiven.value = true;
  loginFault = "The server did not take this token.";
  await connect();
  loginFault = undefined;
}

/** Why the last login failed. */
let loginFault: string | undefined;

function noteFault(thrown: unknown): string {
  loginFault = `The login failed: ${sentenceOf(thrown)}`;
  return "";
}

/** One session, from its first GET until it is given up. */
class Attempt {
  #refused: RefusedAnswer | undefined;
  #lostAtMs: number | undefined;
  #opened: string | undefined;
  #isOver = false;
  readonly #plug = new Plug({
    onStream: () => void this.#streamOpened(),
    onLost: () => this.#lost(),
    onSession: (id) => this.#told(id),
    onRefused: (answer) => this.#noteRefused(answer),
  });
  readonly #client = newClient();

  async open(url: URL): Promise<void> {
    const bearer = token.value === "" ? {} : { authorization: `Bearer ${token.value}` };
    const transport = new SSEClientTransport(url, { fetch: this.#plug.fetch, requestInit: { headers: bearer } });
    await this.#client.connect(transport);
    setCurrentClient(this.#client);
    plug = this.#plug;
    const server = this.#client.getServerVersion();
    facts.value = {
      name: server?.title ?? server?.name ?? "MCP server",
      version: server?.version ?? "",
      instructions: this.#client.getInstructions(),
      revision: this.#client.getNegotiatedProtocolVersion() ?? "",
    };
    link.value = { state: "connected" };
    await listOffer(this.#client);
  }

  async failed(thrown: unknown): Promise<void> {
    this.#isOver = true;
    clearTimeout(lookAgain);
    // The SDK's client would go on looking, for ever.
    await Promise.allSettled([this.#client.close()]);
    const refused = this.#refused;
    // Neither a stream nor a refusal is of whatever stands before a server that is away.
    if (refused === undefined || refused.status >= 500 || refused.status < 400) return this.#away(thrown);
    if (refused.status === 401) return await askForLogin(refused.challenge);
    link.value = { state: "refused", status: refused.status, sentence: refused.sentence };
  }

  #away(error: unknown): void {
    noteOnWire("connection", "away", String(error));
    link.value = { state: "away" };
    lookAgain = setTimeout(() => void connect(), lookAgainMs);
  }

  /** Of a session that is open, what is said of a message is the matter of its call, unless there is no session without. */
  #noteRefused(answer: RefusedAnswer): void {
    this.#refused = answer;
    if (!this.#isOpen || !(answer.isToStream || answer.status === 401)) return;
    if (answer.status === 401 && token.value !== "") loginFault = "The server does not take this token any more.";
    void this.failed(undefined);
  }

  get #isOpen(): boolean {
    return !this.#isOver && isCurrent(this.#client);
  }

  #lost(): void {
    if (!this.#isOpen || this.#lostAtMs !== undefined) return;
    this.#lostAtMs = performance.now();
    noteInRuns("connection", "The connection is gone. The call runs on.");
    link.value = { state: "cut" };
    lookAgain = setTimeout(() => (link.value = { state: "away" }), awayAfterMs);
  }

  /** After a loss: an answer to a `ping` on the new stream shows that the session is whole. */
  async #streamOpened(): Promise<void> {
    const lostAtMs = this.#lostAtMs;
    if (lostAtMs === undefined) return;
    try {
      await this.#client.ping({ timeout: 20_000 });
    } catch {
      // Cut again, and told so by then; or it is silent, and stays cut.
      return;
    }
    if (this.#lostAtMs !== lostAtMs || !this.#isOpen) return;
    clearTimeout(lookAgain);
    this.#lostAtMs = undefined;
    noteOnWire("connection", "back", "The page is in the same session again.");
    noteInRuns("connection", "Back in the same session.");
    link.value = { state: "back", afterMs: performance.now() - lostAtMs };
  }

  /** The server says which session this is. Another than before knows nothing of the page: that one is over. */
  #told(id: string): void {
    sessionId.value = id;
    this.#opened ??= id;
    if (id === this.#opened || !this.#isOpen) return;
    noteOnWire("connection", "over", "The session is over. The page opens another.");
    noteInRuns("connection", "The session is over.");
    void connect();
  }
}

/** Nothing of the server is shown without its login. `challenge`: the header of its 401. */
async function askForLogin(challenge: string | null): Promise<void> {
  facts.value = undefined;
  sessionId.value = undefined;
  forgetOffer();
  const headers = { "www-authenticate": challenge ?? "Bearer" };
  const server = urls.value?.sse ?? new URL(location.href);
  const way = await findLogin(new Response(null, { status: 401, headers }), server).catch(() => noWay);
  const scope = /scope="([^"]*)"/.exec(challenge ?? "")?.[1];
  link.value = { state: "login", scope, way, fault: loginFault };
}

/** A server that says nothing of it: its tokens come from elsewhere. */
const noWay: LoginWay = { issuers: [], isOwn: false };

function newClient(): Client {
  const made = new Client(
    { name: "mcp-edge-page", title: "The page at the server's URL", version: "1.0.0" },
    { capabilities: { elicitation: { form: {}, url: {} }, sampling: {} } },
  );
  made.setRequestHandler("elicitation/create", ({ params }, { mcpReq }) =>
    answerQuestion(mcpReq, { kind: "elicitation", params }),
  );
  made.setRequestHandler("sampling/createMessage", ({ params }, { mcpReq }) =>
    answerQuestion(mcpReq, { kind: "sampling", params }),
  );
  made.setNotificationHandler("notifications/message", ({ params }) => noteLog(params));
  for (const changed of ["tools", "resources", "prompts"] as const) {
    made.setNotificationHandler(`notifications/${changed}/list_changed`, () => relist(made, changed));
  }
  return made;
}
