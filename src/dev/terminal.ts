import { stripVTControlCharacters, styleText } from "node:util";
import { adviceOn } from "./advice.ts";
import { typed } from "./commands.ts";
import { Lines } from "./lines.ts";
import type { StackFrames } from "./stack-frames.ts";
import { Uncaught } from "./uncaught.ts";
import { type ErrorEvent, readEvent, type WorkerEvent } from "./worker-events.ts";

const header = /^[✘▲] \[(?<level>ERROR|WARNING)\] (?<text>.*)$/;

/** What a module threw while it was loaded. */
const loadError = /^service core:user:[^:]*: (?:Uncaught )?(?<said>.*)$/;

/** What wrangler says about that afterwards: paragraphs without a word on its cause. */
const aboutLoadError =
  /^A DurableObjectNamespace in the config referenced the class|^The Workers runtime failed to start|^Runtime stderr:/;

/** What V8 and workerd say when they run out of memory, besides that they did. */
const aboutCrash = /^<--- Last few GCs|^\[\d+:0x[\da-f]+\] +\d+ ms: |^stack: \/|^\*\*\* Received signal/;

/** What wrangler says of each start, reload and request. The first two are said shorter, the last by each call's line. */
const wranglersOwn =
  /^⎔|^\[wrangler:info\] (Ready on|[A-Z]+ \/|✨ Parsed \d+ valid header)|^Using secrets defined|^Your Worker has access|^Binding +Resource|^env\.\S|^If you think this is a bug|^🪵/;

/** Where an `npm start` shows something, and what it learns on the way. */
export interface TerminalOptions {
  frames: StackFrames;
  show: (line: string) => void;
  /** Everything of wrangler's is shown: somebody asked for a level of its log. */
  isVerbose: boolean;
  /** Whether wrangler's messages keep their colours. What tools write keeps its own. */
  hasColours: boolean;
  onEvent: (event: WorkerEvent) => void;
  onReloading: () => void;
  onReloaded: () => void;
}

const noMemory =
  "A client speaks revision 2026-07-28, which has no sessions, and this server uses `memory`. If it speaks the others too,\n" +
  '  sessions: "preferred" in src/worker.ts has it open a session: edge(createServer, { sessions: "preferred" })';

/**
 * What is shown of the output of wrangler: what tools write as it is, the Worker's events as sentences, stacks in places of
 * the sources, and of wrangler's own what the developer can do something about.
 */
export class Terminal {
  readonly #options: TerminalOptions;
  readonly #lines = new Lines((line) => this.#line(line));
  readonly #errorLines = new Lines((line) => this.#errorLine(line));
  /** Of wrangler's messages, which have indented lines and blank ones, and end where a line begins at the margin. */
  #block: "none" | "shown" | "hidden" = "none";
  #isGoStack = false;
  /** What was said last of an error whose answer may follow. */
  #lastSaid: string | undefined;
  readonly #uncaught = new Uncaught();
  readonly #advised = new Set<string>();

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  /** Text of wrangler and of the Worker. */
  write(text: string): void {
    this.#lines.write(text);
  }

  /** Text of esbuild or of a Node that crashes: nothing else writes to this output of wrangler's processes. */
  writeError(text: string): void {
    this.#errorLines.write(text);
  }

  /** Whatever is written next is of another wrangler. */
  end(): void {
    this.#lines.end();
    this.#errorLines.end();
    this.#block = "none";
    this.#isGoStack = false;
  }

  #line(coloured: string): void {
    const line = stripVTControlCharacters(coloured).trimEnd();
    const head = header.exec(line)?.groups;
    const text = head?.["text"] ?? line;
    const event = readEvent(text);
    if (event !== undefined) {
      this.#block = "hidden";
      this.#event(event);
      return;
    }
    const ofWrangler = this.#options.hasColours ? coloured : line;
    if (head !== undefined) this.#header(ofWrangler, text);
    else if (this.#block !== "none" && (line === "" || line.startsWith(" "))) this.#inBlock(ofWrangler, line);
    else this.#plain(coloured, line);
  }

  #header(coloured: string, text: string): void {
    const said = loadError.exec(text)?.groups?.["said"];
    this.#block =
      aboutLoadError.test(text) || aboutCrash.test(text) || this.#uncaught.isAgain(text) ? "hidden" : "shown";
    if (said !== undefined) this.#fault(said);
    else if (this.#block === "shown") this.#show(unusablePort(text) ?? coloured);
  }

  #inBlock(coloured: string, line: string): void {
    if (this.#block === "hidden" || line.trim() === "") return;
    const advice = adviceOn(line);
    if (!this.#options.frames.isFrame(line)) this.#show(coloured);
    else for (const place of this.#options.frames.theirs(line)) this.#show(`    at ${place}`);
    if (advice !== "") this.#show(`  ${advice}`);
  }

  #plain(coloured: string, line: string): void {
    this.#block = aboutLoadError.test(line) ? "hidden" : "none";
    if (this.#block === "hidden") return;
    if (line.startsWith("⎔ Reloading")) this.#options.onReloading();
    if (line.startsWith("⎔ Local server updated")) this.#options.onReloaded();
    if (/^V8 fatal error.* out of memory/.test(line)) {
      return this.#fault("The server ran out of memory, and is started again: what ran in it is over.");
    }
    if ((wranglersOwn.test(line) || aboutCrash.test(line)) && !this.#options.isVerbose) return;
    if (!this.#options.frames.isFrame(line)) this.#show(coloured);
    else for (const place of this.#options.frames.theirs(line)) this.#show(`    at ${place}`);
  }

  /** A stack of Go is esbuild's last word when it is ended while it works: nobody can do anything about that. */
  #errorLine(line: string): void {
    if (/^(fatal error: |SIG[A-Z]+: |goroutine \d+ |panic: )/.test(line)) this.#isGoStack = true;
    if (!this.#isGoStack && line.trim() !== "") this.#show(line);
  }

  #event(event: WorkerEvent): void {
    this.#options.onEvent(event);
    switch (event.event) {
      case "call":
        return this.#show(callLine(event));
      case "thrown": {
        const thrown = `${event.by} threw ${event.error}`;
        // What cannot be listed is looked for by listing again.
        if (firstLine(thrown) !== firstLine(this.#lastSaid)) this.#fault(thrown);
        this.#lastSaid = thrown;
        return;
      }
      case "failed":
        // What was thrown, or was no JSON, has just been shown.
        if (this.#lastSaid?.includes(event.message) !== true) this.#fault(event.message, `${event.by} failed: `);
        this.#lastSaid = undefined;
        return;
      case "refused":
        return this.#refusal(event.header, event.hostname);
      case "no-memory":
        return this.#once(noMemory);
      case "binding-missing":
        return this.#once(event.error);
      // Each call has its line, that which opens a session as well.
      case "session-opened":
      case "session-resumed":
      case "session-ended":
      case "started":
      case "ended":
        return;
      default:
        return this.#error(event);
    }
  }

  #error(event: ErrorEvent): void {
    switch (event.event) {
      case "incident":
        return this.#fault(event.error);
      case "unawaited":
        return this.#fault(event.error, "Nobody awaited or caught this: ");
      case "tool-not-listed":
        return this.#fault(event.error, `${event.tool} cannot be listed: `);
      case "prompt-not-listed":
        return this.#fault(event.error, `${event.prompt} cannot be listed: `);
      case "result-not-sent":
        this.#lastSaid = event.error;
        return this.#fault(event.error, `${event.name ?? event.method} failed: `);
      case "interrupted":
        return this.#fault(event.error, "A session was interrupted: ");
      case "issuer-unreachable":
        return this.#fault(event.error, `${event.issuer} does not answer, so nobody who logs in there is let in: `);
      case "usage-not-written":
        return this.#fault(event.error, "A call was not counted by usage(): ");
      case "too-many-tasks":
        return this.#fault(event.error, "A call did not become a task: ");
      // What has no words of its own for the terminal is shown as the log has it.
      default:
        return this.#show(styleText("dim", JSON.stringify(event)));
    }
  }

  #fault(error: string, by = ""): void {
    this.#uncaught.note(error);
    const advice = adviceOn(error);
    const fault = `${styleText("red", "✘")} ${by}${this.#options.frames.shorten(error)}`;
    this.#show(advice === "" ? fault : `${fault}\n  ${advice}`);
  }

  #refusal(kind: "host" | "origin", hostname: string): void {
    if (hostname === "") {
      this.#once(
        "Refused a request of a web page that has no host: a file, or a frame without an origin. Serve it by HTTP, or let all\n" +
          `  pages in: ${typed("dev", '--allowed-origin "*"')}, or allowedOrigins: "*" in src/worker.ts`,
      );
      return;
    }
    const option = kind === "host" ? "allowedHosts" : "allowedOrigins";
    const who = kind === "host" ? `to the host name ${hostname}` : `of a web page of ${hostname}`;
    this.#once(
      `Refused a request ${who}. If that is yours, let it in:\n` +
        `  ${typed("dev", `--allowed-${kind} ${hostname}`)}, or ${option}: ["${hostname}"] in src/worker.ts`,
    );
  }

  #once(advice: string): void {
    if (this.#advised.has(advice)) return;
    this.#advised.add(advice);
    this.#show(`${styleText("yellow", "▲")} ${advice}`);
  }

  #show(text: string): void {
    this.#options.show(text);
  }
}

function firstLine(text = ""): string | undefined {
  return text.split("\n", 1)[0];
}

function callLine({ method, name, outcome, ms, client }: Extract<WorkerEvent, { event: "call" }>): string {
  return styleText("dim", ["·", method, name, outcome, `${ms} ms`, client].filter(Boolean).join("  "));
}

/** One sentence in place of wrangler's paragraphs, for the mistake that everybody makes. */
function unusablePort(text: string): string | undefined {
  if (/bind\(\): Permission denied/.test(text)) {
    return `This port is for administrators only. Choose another, above 1023: ${typed("dev", "--port 8000")}`;
  }
  const port = /Address already in use \(.*:(?<port>\d+)\)/.exec(text)?.groups?.["port"];
  if (port === undefined) return undefined;
  const another = typed("dev", `--port ${Number(port) + 1}`);
  return `Port ${port} is taken by another process. End that one, or choose a port: ${another}`;
}
