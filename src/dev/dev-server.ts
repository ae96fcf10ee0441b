import type { ChildProcess } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DevArguments } from "./arguments.ts";
import { announcement, servingAgain, whenServing } from "./announcement.ts";
import { Blockage } from "./blockage.ts";
import { StackFrames } from "./stack-frames.ts";
import { Terminal } from "./terminal.ts";
import { endGroup, forkWrangler, hasColours, root, settleMs } from "./wrangler-process.ts";

/** What wrangler reads when it starts, and never again. */
const readOnce = /^\.(dev\.vars|env)/;

/** Of a file that an editor writes in several steps, only the last counts, milliseconds. */
const restartAfterMs = 100;

/** By when a bundle is served, on a machine with much else to do, milliseconds. */
const lateAfterMs = 20_000;

/** What wrangler says of a bundle that it cannot make, or whose exports are not what its configuration names, and goes on. */
const neverServes = /Build failed|not exported in your entrypoint file/;

/** What was saved so long ago is bundled, or is no source, milliseconds: wrangler looks at each one every 2 s. */
const noticedWithinMs = 3_000;

/** How long wrangler may take to end when it is told to, milliseconds: one that hangs is not waited for. */
const endWithinMs = 5_000;

/** The wrangler that runs. */
interface Wrangler {
  is: "running";
  child: ChildProcess;
  /** How far it is: before it says anything it has read no source. */
  phase: "silent" | "speaking" | "serving";
  /** When was saved what it may not have bundled yet. */
  unread: { firstMs: number; lastMs: number } | undefined;
}

/** Whether a bundle is to be served soon. */
type Expectation = { is: "none" } | { is: "waiting"; timer: NodeJS.Timeout } | { is: "late" };

/**
 * `npm start`: serves `src/worker.ts` by `wrangler dev`, which bundles again whenever a source is saved, and says where.
 *
 * wrangler ends when what was saved throws while it loads. Once it has served, it is then started again at the next save.
 */
export class DevServer {
  readonly #args: DevArguments;
  readonly #terminal: Terminal;
  readonly #blockage = new Blockage((sentence) => this.#show(`\n${sentence}\n`));
  #wrangler: Wrangler | { is: "ended" } = { is: "ended" };
  #expected: Expectation = { is: "none" };
  /** Where this or an earlier wrangler has served. */
  #url: string | undefined;
  #savedPath: string | undefined;
  #restart: NodeJS.Timeout | undefined;
  /** Of this process, once it is to end. */
  #exitCode: number | undefined;

  constructor(args: DevArguments) {
    this.#args = args;
    this.#terminal = new Terminal({
      frames: new StackFrames(root),
      isVerbose: args.isVerbose,
      hasColours: hasColours(),
      show: (line) => this.#show(line),
      onEvent: (event) => this.#blockage.note(event),
      onReloading: () => this.#reloads(),
      onReloaded: () => this.#reloaded(),
    });
  }

  start(): void {
    this.#expectServing();
    const child = forkWrangler(this.#args.wrangler);
    const wrangler: Wrangler = { is: "running", child, phase: "silent", unread: undefined };
    this.#wrangler = wrangler;
    // A character may come in two pieces.
    child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#read(wrangler, text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      if (this.#exitCode === undefined) this.#terminal.writeError(text);
    });
    child.on("message", (message) => void whenServing(message, this.#args, (url) => this.#serves(wrangler, url)));
    child.on("exit", () => endGroup(child.pid));
    child.on("close", (code) => this.#ended(wrangler, code));
  }

  /** Ends this process with `code`, after wrangler, of which nothing more is shown. */
  stop(code: number): void {
    if (this.#wrangler.is === "ended") process.exit(this.#exitCode ?? code);
    const { child } = this.#wrangler;
    child.kill("SIGTERM");
    if (this.#exitCode === undefined) setTimeout(() => endGroup(child.pid), endWithinMs);
    this.#exitCode ??= code;
  }

  /** A file was saved, or deleted, whose path is from the root. */
  saved(path: string): void {
    const place = join(root, path);
    // Some editors delete what they have put aside last.
    if (existsSync(place)) this.#savedPath = path;
    if (this.#wrangler.is === "running") this.#noteSaved(this.#wrangler, changedAtMs(place));
    // One that waits for a module which never ends to load hears of nothing else.
    const isDeaf = this.#expected.is === "late" || (readOnce.test(path) && this.#url !== undefined);
    if (this.#wrangler.is === "running" && !isDeaf) return;
    clearTimeout(this.#restart);
    this.#restart = setTimeout(() => this.#startAgain(), restartAfterMs);
  }

  #noteSaved(wrangler: Wrangler, atMs: number): void {
    if (wrangler.phase === "silent") return;
    const { firstMs = atMs, lastMs = atMs } = wrangler.unread ?? {};
    const isNew = atMs - firstMs > noticedWithinMs;
    wrangler.unread = isNew ? { firstMs: atMs, lastMs: atMs } : { firstMs, lastMs: Math.max(lastMs, atMs) };
  }

  /** It has bundled what was saved at first; what came later perhaps not. If it ends of an earlier bundle, none is served. */
  #reloads(): void {
    const isEarlierServed = this.#expected.is === "none";
    this.#expectServing();
    if (this.#wrangler.is === "ended" || this.#wrangler.unread === undefined || !isEarlierServed) return;
    const { firstMs, lastMs } = this.#wrangler.unread;
    this.#wrangler.unread = lastMs - firstMs > settleMs ? { firstMs: lastMs, lastMs } : undefined;
  }

  #startAgain(): void {
    if (this.#wrangler.is === "ended") return this.start();
    this.#noteSaved(this.#wrangler, Date.now());
    this.#wrangler.child.kill("SIGTERM");
  }

  #read(wrangler: Wrangler, text: string): void {
    if (this.#exitCode !== undefined) return;
    if (wrangler.phase === "silent") wrangler.phase = "speaking";
    this.#terminal.write(text);
    if (wrangler.phase === "serving" || !neverServes.test(text)) return;
    // wrangler watches only what it could bundle once: after a first bundle that fails it would wait for ever.
    if (this.#url === undefined) this.stop(1);
    else wrangler.child.kill("SIGTERM");
  }

  #expectServing(): void {
    this.#settle();
    const timer = setTimeout(() => {
      this.#expected = { is: "late" };
      this.#show(
        `\nNot serving after ${lateAfterMs / 1_000} s. Does a module loop while it loads? Save a source, and it starts again.\n`,
      );
    }, lateAfterMs).unref();
    this.#expected = { is: "waiting", timer };
  }

  /** It serves, or has ended. */
  #settle(): void {
    if (this.#expected.is === "waiting") clearTimeout(this.#expected.timer);
    this.#expected = { is: "none" };
  }

  #serves(wrangler: Wrangler, url: string): void {
    this.#settle();
    wrangler.phase = "serving";
    this.#blockage.reset(url);
    this.#show(this.#url === undefined ? announcement(url, this.#args.config) : servingAgain(url));
    this.#url = url;
  }

  #reloaded(): void {
    this.#settle();
    this.#blockage.reset(this.#url);
    this.#show(`↻ Serving what was saved${this.#savedPath === undefined ? "" : ` (${this.#savedPath})`}.`);
  }

  #ended({ unread }: Wrangler, code: number | null): void {
    this.#settle();
    this.#terminal.end();
    this.#blockage.reset(undefined);
    this.#wrangler = { is: "ended" };
    const goesOn = this.#url !== undefined || unread !== undefined;
    if (this.#exitCode !== undefined || !goesOn) process.exit(this.#exitCode ?? code ?? 1);
    if (unread !== undefined) this.start();
    else this.#show("\nThe server ended: the error is above. Save a source, and it starts again. Ctrl-C ends it.\n");
  }

  #show(text: string): void {
    console.error(text);
  }
}

/** When what lies at `path` was changed or deleted. On a busy machine one hears of it later. */
function changedAtMs(path: string): number {
  try {
    return (statSync(path, { throwIfNoEntry: false }) ?? statSync(dirname(path))).ctimeMs;
  } catch {
    // Its folder is gone as well.
    return Date.now();
  }
}
