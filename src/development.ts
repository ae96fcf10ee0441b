import { adviceOn } from "./dev/advice.ts";
import { isObject } from "./protocol/json-rpc.ts";
import { withoutIssues } from "./dev/issues.ts";
import { isTellable, stackOf, textOf } from "./protocol/thrown.ts";
import { type Handler, wrapHandlers } from "./sdk/handlers.ts";
import type { AnyServer } from "./server-context.ts";

/**
 * What only a Worker of `npm start` does: it tells the developer's terminal, see `dev/worker-events.ts`, what is no matter of a
 * log. wrangler writes NODE_ENV into the bundle, so that a deployed one has nothing of this.
 */

/** What the terminal is told. */
export type TerminalEvent =
  /** A call, or `createServer`, begins. Whatever never ends is what blocks this server. */
  | { event: "started"; what: string }
  | { event: "ended"; what: string }
  /** What a tool or another handler of the user's threw, which the SDK turns into an answer without a stack. */
  | { event: "thrown"; by: string; error: string }
  /** An answer that is an error, of the protocol or of a tool. */
  | { event: "failed"; by: string; message: string }
  /** A request was refused, because of the name under which it came or that of its page. */
  | { event: "refused"; header: "host" | "origin"; hostname: string }
  /** `createServer` asked for `memory` where there is no session. */
  | { event: "no-memory" };

/** How a line for the terminal begins: no tool writes one that does. */
export const terminalMark = "to the terminal of npm start: ";

/** How much of an error's message is told, UTF-16 units: a tool may put anything into one. */
const maxSaidLength = 2_000;

export function tellTerminal(event: TerminalEvent): void {
  if (process.env["NODE_ENV"] === "development") console.log(terminalMark + JSON.stringify(event));
}

/** Of a call, which begins or is over. What it is about is looked at here: a deployed Worker has nothing of that. */
export function tellCall(event: "started" | "ended", call: { request: Asked }): void {
  if (process.env["NODE_ENV"] === "development") tellTerminal({ event, what: subjectOf(call.request) });
}

/** `context`, of the stateless revision, whose `memory` tells the terminal that somebody wanted it. */
export function withoutMemory<Context extends object>(context: Context): Context {
  if (process.env["NODE_ENV"] !== "development") return context;
  return Object.defineProperty(context, "memory", {
    enumerable: true,
    get: () => void tellTerminal({ event: "no-memory" }),
  });
}

/** What the sender of a request is told of a fault: on a machine what it is, of a deployed server only its number. */
export function incidentMessage(incident: string, error: unknown): string {
  if (process.env["NODE_ENV"] === "development") {
    const said = textOf(error)
      .slice(0, maxSaidLength)
      .replace(/^Error: |\.$/g, "");
    return `Internal error: ${said}. ${adviceOn(said)} The terminal of npm start shows where.`.replace("  ", " ");
  }
  return `Internal error: the server's log has it as incident ${incident}.`;
}

interface ToolResult {
  isError?: boolean;
  content?: { text?: string }[];
}

/** Tells the terminal of an answer that is an error. */
export function tellFailure(call: { request: Asked }, answer: object): void {
  if (process.env["NODE_ENV"] !== "development") return;
  const { result, error } = answer as { result?: ToolResult; error?: { message: string } };
  const said = error === undefined ? result?.isError === true && (result.content?.[0]?.text ?? "") : error.message;
  if (typeof said !== "string") return;
  const message = withoutIssues(said).slice(0, maxSaidLength);
  tellTerminal({ event: "failed", by: subjectOf(call.request), message });
}

/**
 * Tells the terminal what the handlers of `server` throw. The SDK keeps no more of it than its message, and says nowhere
 * when: so its own methods, which v1 and v2 have under the same names, are called through ours.
 */
export function watchHandlers(server: AnyServer): void {
  if (process.env["NODE_ENV"] !== "development") return;
  const told = new WeakSet<object>();
  const tell = (by: string, error: unknown): void => {
    if (isTellable(error) && told.has(error)) return;
    if (isTellable(error)) told.add(error);
    tellTerminal({ event: "thrown", by, error: stackOf(error) });
  };
  // Of the three only the handler is all the user's; what a schema finds wrong with a message is no fault of its code.
  for (const step of ["validateToolInput", "executeToolHandler", "validateToolOutput"] as const) {
    const original: unknown = Reflect.get(server, step);
    if (typeof original !== "function") continue;
    Reflect.set(server, step, async (tool: unknown, ...rest: unknown[]) => {
      let result: unknown;
      try {
        result = await Reflect.apply(original, server, [tool, ...rest]);
      } catch (error) {
        if (step === "executeToolHandler" || !isMeant(error)) tell(nameOf(tool, server), error);
        throw error;
      }
      if (step === "executeToolHandler" && !isObject(result)) throw new TypeError(noResult(result));
      return result;
    });
  }
  wrapHandlers(server, (handler) => watched(handler, tell));
}

interface Asked {
  method: string;
  params?: Record<string, unknown> | undefined;
}

/** What a request is about: a tool, a prompt or a resource by its name, else its method. */
export function subjectOf({ method, params }: Asked): string {
  const name = params?.["name"] ?? params?.["uri"];
  return typeof name === "string" ? name : method;
}

function watched(handler: Handler, tell: (by: string, error: unknown) => void): Handler {
  return async (request, context) => {
    try {
      return await handler(request, context);
    } catch (error) {
      if (!isMeant(error)) tell(subjectOf(request), error);
      throw error;
    }
  };
}

/** One with a code is an answer that was meant so. */
function isMeant(error: unknown): boolean {
  return isTellable(error) && typeof Reflect.get(error, "code") === "number";
}

/** The SDKs say of it that they cannot read its members, or nothing. */
function noResult(returned: unknown): string {
  const what = returned === undefined ? "nothing" : returned === null ? "null" : `a ${typeof returned}`;
  return `The tool returned ${what}: end it with return text("…"), or return { content: […] }.`;
}

/** The name under which an McpServer has `tool`. */
function nameOf(tool: unknown, server: AnyServer): string {
  const tools: unknown = Reflect.get(server, "_registeredTools");
  return Object.entries(Object(tools)).find(([, registered]) => registered === tool)?.[0] ?? "a tool";
}
