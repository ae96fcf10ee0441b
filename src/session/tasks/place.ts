import { bookOf, enterInBook } from "../../link/task-book.ts";
import type { Settings } from "../../options.ts";
import { logIncident } from "../../protocol/incident.ts";
import { expiresAtMs, type TaskRecord } from "./task-record.ts";

/** Of the object of a task, which takes its place among those of its caller: see `TaskBook`. */
export interface PlaceOptions {
  ctx: DurableObjectState;
  namespace: DurableObjectNamespace;
  settings: Settings;
}

/** Whether there was a place for the task of `record`. If not, the log says so. */
export async function takePlace(record: TaskRecord, options: PlaceOptions): Promise<boolean> {
  const isTaken = await enter(record, options);
  if (!isTaken) {
    const error = `this caller has ${options.settings.maxTasks} tasks: the call is answered when it has ended, as without tasks`;
    console.warn(JSON.stringify({ event: "too-many-tasks", error }));
  }
  return isTaken;
}

/** Tells the book until when the task of `record` is kept now. If that fails, the book forgets it before this object does. */
export function keepPlace(record: TaskRecord, options: PlaceOptions): void {
  options.ctx.waitUntil(enter(record, options).catch((error: unknown) => void logIncident(error)));
}

/** Gives the place back of a call that has become no task after all. */
export async function leavePlace(record: TaskRecord, options: PlaceOptions): Promise<void> {
  await enter(record, options, 0);
}

function enter(
  record: TaskRecord,
  { ctx, namespace, settings }: PlaceOptions,
  untilMs = expiresAtMs(record, settings.taskTtlMs),
): Promise<boolean> {
  const book = bookOf({ owner: record.owner, headers: new Headers(record.headers) });
  return enterInBook(namespace, { book, entry: { task: ctx.id.toString(), untilMs } });
}
