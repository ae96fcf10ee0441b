import { logIncident } from "../../protocol/incident.ts";
import type { Settings } from "../../options.ts";
import type { Clock } from "../clock.ts";
import { attempt } from "./attempt.ts";
import type { Rows } from "./rows.ts";

/**
 * With a stream open, how far off the alarm is that deletes an abandoned session, milliseconds. The close of the stream
 * brings it nearer; this one only catches the session of a machine that died without closing anything.
 */
const guardMs = 24 * 60 * 60_000;

/** Present while the alarm watches over running calls. */
const watchKey = "watch";

/**
 * How often the alarm looks whether a running call lost its object, milliseconds. Nothing else might wake it: a stream
 * that hibernates stays open, and its client waits.
 */
const watchMs = 10_000;

export interface ExpiryOptions {
  clock: Clock;
  ctx: DurableObjectState;
  rows: Rows;
  settings: Settings;
  /** `hasSocket`: whether a client listens. */
  streams: { readonly hasSocket: boolean };
  conversation: {
    readonly calls: { readonly size: number };
    /** Answers what an earlier run of the object left unanswered. Rejects if its server cannot be built. */
    recover(): Promise<void> | undefined;
  };
  /** Deletes the session. */
  end: () => Promise<void>;
}

/** The alarm of the object, as far as this knows it. */
type Alarm = { is: "unasked" } | { is: "none" } | { is: "set"; atMs: number };

/**
 * The session's one alarm. It ends a session that was abandoned, and while calls run it sees to it that they are
 * answered even if their object goes away and nobody else wakes it.
 *
 * Storage: the alarm, and a row `watch` while calls run. Cost: two rows for a burst of long calls; else one in an eighth
 * of `sessionIdleMs` of traffic. Lifetime: the session's.
 */
export class Expiry {
  readonly #options: ExpiryOptions;
  readonly #storage: DurableObjectStorage;
  #alarm: Alarm = { is: "unasked" };
  #isWatching: boolean;

  constructor(options: ExpiryOptions) {
    this.#options = options;
    this.#storage = options.ctx.storage;
    if (options.rows.isEmpty) this.#alarm = { is: "none" };
    this.#isWatching = options.rows.get(watchKey) !== undefined;
  }

  /**
   * A running call may have lost its object, or the session may be abandoned. The platform retries an alarm that fails, a few
   * times; then it forgets it, and the session would stay for ever. So a failure is only logged, and what killed the object
   * (`isRetry`) is not tried at the same alarm again: each sets the next one.
   */
  async alarm({ isRetry } = { isRetry: false }): Promise<void> {
    this.#alarm = { is: "none" };
    const { streams, conversation, end } = this.#options;
    const hasCalls = (): boolean => conversation.calls.size > 0;
    if (!this.#isWatching && !streams.hasSocket && !hasCalls()) return await end();
    if (this.#isWatching) {
      const isRecovered = !isRetry && (await this.#recover());
      // Without a client nobody waits for what failed: if one comes back it is tried again, if not the session ends.
      if (!hasCalls() && (isRecovered || !streams.hasSocket)) {
        this.#isWatching = false;
        attempt(() => this.#options.rows.delete(watchKey));
      }
    }
    await this.#schedule();
  }

  async #recover(): Promise<boolean> {
    try {
      await this.#options.conversation.recover();
      return true;
    } catch (error) {
      logIncident(error);
      return false;
    }
  }

  /** Moves the alarm, if it must move: rarely, so that calls pay nothing for it. */
  noteTraffic(): void {
    if (!this.#isAlarmWellSet()) this.#options.ctx.waitUntil(this.#schedule());
  }

  /**
   * While calls run, the alarm is for them; the one that ends the session is set again afterwards.
   * @throws if the platform refuses the row: nothing has changed then.
   */
  watchCalls(): void {
    if (!this.#isWatching) {
      this.#options.rows.add(watchKey, "");
      this.#isWatching = true;
      // The alarm that is set is too late for the calls. So the next is set in this turn, together with the row.
      this.#alarm = { is: "none" };
    }
    this.noteTraffic();
  }

  async #schedule(): Promise<void> {
    if (this.#alarm.is === "unasked") {
      const atMs = await this.#storage.getAlarm();
      this.#alarm = atMs === null ? { is: "none" } : { is: "set", atMs };
    }
    if (this.#isAlarmWellSet()) return;
    const { settings, streams } = this.#options;
    const idleMs = streams.hasSocket ? guardMs : settings.sessionIdleMs * 1.125;
    await this.#setAlarm(this.#isWatching ? watchMs : idleMs);
  }

  #isAlarmWellSet(): boolean {
    const { clock, rows, streams, settings } = this.#options;
    // Without a row there is nothing that must end one day.
    if (rows.isEmpty) return true;
    if (this.#alarm.is !== "set") return false;
    const inMs = this.#alarm.atMs - clock();
    if (this.#isWatching) return inMs <= watchMs;
    const { sessionIdleMs } = settings;
    return streams.hasSocket ? inMs >= guardMs / 2 : inMs >= sessionIdleMs && inMs <= 2 * sessionIdleMs;
  }

  async #setAlarm(inMs: number): Promise<void> {
    const atMs = this.#options.clock() + inMs;
    this.#alarm = { is: "set", atMs };
    try {
      await this.#storage.setAlarm(atMs);
    } catch (error) {
      // The next traffic tries again.
      this.#alarm = { is: "none" };
      throw error;
    }
  }
}
