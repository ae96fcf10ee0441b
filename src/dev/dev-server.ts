import type { ChildProcess } from "node:child_process";
import type { DevArguments } from "./arguments.ts";
import { announcement, servingAgain, whenServing } from "./announcement.ts";
import { Blockage } from "./blockage.ts";
import { StackFrames } from "./stack-frames.ts";
import { Terminal } from "./terminal.ts";
import { endGroup, forkWrangler, root } from "./wrangler-process.ts";

/** What wrangler reads when it starts, and never again. */
const readOnce = /^\.(dev\.vars|env)/;

/** Of a file that an editor writes in several steps, only the last counts, milliseconds. */
const restartAfterMs = 100;

/** By when a bundle is served, on a machine with much else to do, milliseconds. */
const lateAfterMs = 20_000;

/**
 * `npm start`: serves `src/worker.ts` by `wrangler dev`, which bundles again whenever a source is saved, and says where.
 *
 * wrangler ends when what was saved throws while it loads. Once it has served, it is then started again at the next save.
 */
export class DevServer {
  readonly #args: DevArguments;
  readonly #terminal: Terminal;
  readonly #blockage = new Blockage((sentence) => this.#show(`\n${sentence}\n`));
  #wrangler: ChildProcess | undefined;
  #hasServed = false;
  /** Whether this wrangler has served, written something, and may have missed what was saved afterwards. */
  #isServing = false;
  #hasSpoken = false;
  #hasMissed = false;
  #url: string | undefined;
  #savedPath: string | undefined;
  #restart: NodeJS.Timeout | undefined;
  #late: NodeJS.Timeout | undefined;
  #isLate = false;
  #exitCode: number | undefined;

  constructor(args: DevArguments) {
    this.#args = args;
    this.#terminal = new Terminal({
      frames: new StackFrames(root),
      isVerbose: args.isVerbose,
      show: (line) => this.#show(line),
      onEvent: (event) => this.#blockage.note(event),
      onReloading: () => this.#expectServing(),
      onReloaded: () => this.#reloaded(),
    });
  }

  start(): void {
    this.#isServing = this.#hasSpoken = this.#hasMissed = false;
    this.#expectServing();
    const child = forkWrangler(this.#args.wrangler);
    this.#wrangler = child;
    child.stdout?.on("data", (chunk: Buffer) => this.#read(chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => {
      if (this.#exitCode === undefined) this.#terminal.writeError(chunk.toString());
    });
    child.on("message", (message) => void whenServing(message, this.#args, (url) => this.#serves(url)));
    child.on("exit", () => endGroup(child.pid));
    child.on("close", (code) => this.#ended(code));
  }

  /** Ends this process with `code`, after wrangler, of which nothing more is shown. */
  stop(code: number): void {
    this.#exitCode ??= code;
    if (this.#wrangler === undefined) process.exit(this.#exitCode);
    this.#wrangler.kill("SIGTERM");
  }

  /** A file was saved, whose path is from the root. */
  saved(path: string): void {
    this.#savedPath = path;
    this.#hasMissed = this.#hasSpoken;
    // One that waits for a module which never ends to load hears of nothing else.
    const isDeaf = this.#isLate || (readOnce.test(path) && this.#hasServed);
    if (this.#wrangler !== undefined && !isDeaf) return;
    clearTimeout(this.#restart);
    this.#restart = setTimeout(() => this.#startAgain(), restartAfterMs);
  }

  #startAgain(): void {
    if (this.#wrangler === undefined) return this.start();
    this.#hasMissed = true;
    this.#wrangler.kill("SIGTERM");
  }

  #read(text: string): void {
    if (this.#exitCode !== undefined) return;
    this.#hasSpoken = true;
    this.#terminal.write(text);
    if (this.#isServing || !text.includes("Build failed")) return;
    // wrangler watches only what it could bundle once: after a first bundle that fails it would wait for ever.
    if (this.#hasServed) this.#wrangler?.kill("SIGTERM");
    else this.stop(1);
  }

  #expectServing(): void {
    this.#settle();
    this.#late = setTimeout(() => {
      this.#isLate = true;
      this.#show(
        `\nNot serving after ${lateAfterMs / 1_000} s. Does a module loop while it loads? Save a source, and it starts again.\n`,
      );
    }, lateAfterMs).unref();
  }

  /** It serves, or has ended. */
  #settle(): void {
    clearTimeout(this.#late);
    this.#isLate = false;
  }

  #serves(url: string): void {
    this.#settle();
    this.#isServing = true;
    this.#url = url;
    this.#blockage.reset(url);
    this.#show(this.#hasServed ? servingAgain(url) : announcement(url));
    this.#hasServed = true;
  }

  #reloaded(): void {
    this.#settle();
    this.#blockage.reset(this.#url);
    this.#show(`↻ Serving what was saved${this.#savedPath === undefined ? "" : ` (${this.#savedPath})`}.`);
  }

  #ended(code: number | null): void {
    this.#settle();
    this.#terminal.end();
    this.#blockage.reset(undefined);
    this.#wrangler = undefined;
    const goesOn = this.#hasServed || this.#hasMissed;
    if (this.#exitCode !== undefined || !goesOn) process.exit(this.#exitCode ?? code ?? 1);
    if (this.#hasMissed) this.start();
    else this.#show("\nThe server ended: the error is above. Save a source, and it starts again. Ctrl-C ends it.\n");
  }

  #show(text: string): void {
    console.error(text);
  }
}
