import { holderIn } from "../../link/caller.ts";
import type { Settings } from "../../options.ts";
import { Rows } from "../stored/rows.ts";
import { readRow } from "../stored/stored-format.ts";
import type { Clock } from "../clock.ts";
import { hashOf } from "../../protocol/hash.ts";
import {
  expiresAtMs,
  openRequests,
  readOutcome,
  readRecord,
  taskOf,
  type TaskRecord,
  writeRecord,
} from "./task-record.ts";

const recordKey = "task";
const outcomeKey = "task-outcome";

/** How often the alarm looks whether a running task lost its object, milliseconds: nothing else might wake it. */
const watchMs = 10_000;

export interface StoredTaskOptions {
  clock: Clock;
  ctx: DurableObjectState;
  settings: Pick<Settings, "taskTtlMs">;
  /** There is nothing stored, and the database need not be opened. */
  isNew: boolean;
}

/**
 * The record of an object's task, in memory as it is on disk, and the alarm that looks after the task.
 *
 * Storage: `task`, and `task-outcome` once it has ended: a result, or an error, as JSON; and one alarm. Cost: a row for each
 * change of its status. Lifetime: from when the call becomes a task until its time to live is over.
 */
export class StoredTask {
  readonly #options: StoredTaskOptions;
  readonly #rows: Rows;
  #record: TaskRecord | undefined;

  /** @throws {UnreadableRow} for a record that this version cannot read. */
  constructor(options: StoredTaskOptions) {
    this.#options = options;
    this.#rows = new Rows(options.ctx.storage, { isNew: options.isNew });
    const json = this.#rows.get<string>(recordKey);
    this.#record = json === undefined ? undefined : readRow(recordKey, () => readRecord(json));
  }

  /** `undefined`: no task, or not yet, or no more. */
  get record(): TaskRecord | undefined {
    return this.#record;
  }

  /**
   * What is told of `record`, but its id. `progress`: how far it is, as a sentence.
   * @throws {UnreadableRow} for an outcome that is neither a result nor an error.
   */
  told(record: TaskRecord, progress?: string): Record<string, unknown> {
    const { state } = record;
    const task = taskOf(record, this.#options.settings.taskTtlMs);
    if (state.status === "working" && progress !== undefined) return { ...task, statusMessage: progress };
    if (state.status === "input_required") return { ...task, inputRequests: openRequests(state.input) };
    const hasOutcome = state.status === "completed" || state.status === "failed";
    if (!hasOutcome) return task;
    return { ...task, ...readRow(outcomeKey, () => readOutcome(this.#rows.get<string>(outcomeKey) ?? "null")) };
  }

  /**
   * Changes `record`, now if `change` says no time, and resolves once that is on disk. Rejects if the platform refuses the
   * write.
   */
  async change(record: TaskRecord, change: Partial<TaskRecord>, outcome?: string): Promise<TaskRecord> {
    const changed = { ...record, updatedAtMs: this.#options.clock(), ...change };
    await this.store(changed, outcome);
    return changed;
  }

  /** Resolves once `record` is on disk: from now on this is a task. Rejects if the platform refuses the write. */
  async store(record: TaskRecord, outcome?: string): Promise<void> {
    if (outcome !== undefined) this.#rows.put(outcomeKey, outcome);
    this.#rows.put(recordKey, writeRecord(record));
    this.#record = record;
    await this.schedule();
    await this.#rows.sync();
  }

  /** The one place where it is compared who asks, by `headers`, and whose task this is. */
  async recordFor(headers: Headers): Promise<TaskRecord | undefined> {
    const { secret, owner } = holderIn(headers);
    const secretHash = await hashOf(secret);
    // As it is by now: another request may have changed it meanwhile.
    const record = this.#record;
    if (record === undefined || record.secretHash !== secretHash || record.owner !== owner) return undefined;
    return this.isExpired(record) ? undefined : record;
  }

  isExpired(record: TaskRecord): boolean {
    return this.#options.clock() >= expiresAtMs(record, this.#options.settings.taskTtlMs);
  }

  /** Sets the alarm for what comes next: a look at a task that works, or the end. */
  async schedule(): Promise<void> {
    if (this.#record === undefined) return;
    const endsAtMs = expiresAtMs(this.#record, this.#options.settings.taskTtlMs);
    const watchAtMs = this.#options.clock() + watchMs;
    const isWatched = this.#record.state.status === "working" && watchAtMs < endsAtMs;
    await this.#options.ctx.storage.setAlarm(isWatched ? watchAtMs : endsAtMs);
  }

  /** Leaves no row behind. */
  async delete(): Promise<void> {
    this.#record = undefined;
    await this.#rows.deleteAll();
  }
}
