import { readBookEntry } from "../../link/task-book.ts";
import type { Clock } from "../clock.ts";
import { Rows } from "../stored/rows.ts";
import { isTime } from "../stored/stored-format.ts";

const prefix = "kept/";

export interface TaskBookOptions {
  clock: Clock;
  storage: DurableObjectStorage;
  maxTasks: number;
}

/**
 * The tasks of one caller that are kept, in an object that is nothing else: each asks here for room before it begins.
 *
 * Storage: a row `kept/<id of the task's object>` with the time until which it is kept, and one alarm. Cost: a row for each
 * change of a task's status. Lifetime: until the last of them is over.
 */
export class TaskBook {
  readonly #clock: Clock;
  readonly #storage: DurableObjectStorage;
  readonly #rows: Rows;
  readonly #maxTasks: number;
  readonly #untilMs: Map<string, number>;

  constructor({ clock, storage, maxTasks }: TaskBookOptions) {
    this.#clock = clock;
    this.#storage = storage;
    this.#rows = new Rows(storage);
    this.#maxTasks = maxTasks;
    const rows = Array.from(this.#rows.list<string>({ prefix }), ([key, text]) => [key, Number(text)] as const);
    // What is no time is over.
    this.#untilMs = new Map(rows.map(([key, ms]) => [key.slice(prefix.length), isTime(ms) ? ms : 0]));
  }

  /** Whether it counts nothing: this object may be another. */
  get isEmpty(): boolean {
    return this.#untilMs.size === 0;
  }

  async answer(request: Request): Promise<Response> {
    const { task, untilMs } = readBookEntry(await request.text());
    this.#forgetPast();
    const hasRoom = this.#untilMs.has(task) || this.#untilMs.size < this.#maxTasks;
    if (hasRoom && untilMs > this.#clock()) {
      this.#rows.put(prefix + task, String(untilMs));
      this.#untilMs.set(task, untilMs);
      if ((await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(untilMs);
    } else if (hasRoom) {
      this.#forget(task);
    }
    return Response.json(hasRoom);
  }

  async alarm(): Promise<void> {
    this.#forgetPast();
    if (this.isEmpty) await this.#rows.deleteAll();
    else await this.#storage.setAlarm(Math.max(...this.#untilMs.values()));
  }

  #forgetPast(): void {
    const nowMs = this.#clock();
    for (const [task, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#forget(task);
  }

  #forget(task: string): void {
    this.#rows.delete(prefix + task);
    this.#untilMs.delete(task);
  }
}
