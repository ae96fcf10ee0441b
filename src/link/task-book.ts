import { isObject } from "../protocol/json-rpc.ts";
import { networkOf } from "../protocol/network.ts";
import { askAgain } from "./ask-again.ts";
import { askHeaders } from "./ask.ts";

/**
 * What a task's object tells the object that counts its caller's tasks, as JSON: `task`, which is the first object's id, is
 * kept until `untilMs`; a time that is over takes it out. The answer is whether there is room for it.
 */
export interface BookEntry {
  task: string;
  untilMs: number;
}

/**
 * The name of the object that counts tasks of one user, `owner` being the hash of the principal; without a login, of one
 * network, as far as the edge tells them apart.
 */
export function bookOf({ owner, headers }: { owner: string; headers: Headers }): string {
  return owner === "" ? `tasks/network/${networkOf({ headers })}` : `tasks/user/${owner}`;
}

/** Whether there is room for `entry` in the book of that name. */
export async function enterInBook(
  namespace: DurableObjectNamespace,
  { book, entry }: { book: string; entry: BookEntry },
): Promise<boolean> {
  const init = { headers: askHeaders({ verb: "task-book" }), body: JSON.stringify(entry) };
  return (await askAgain("What counts tasks", () => namespace.get(namespace.idFromName(book)), init)) === true;
}

/** @throws {TypeError} for what no release of ours tells. */
export function readBookEntry(json: string): BookEntry {
  const told: unknown = JSON.parse(json);
  const { task, untilMs } = isObject(told) ? told : {};
  if (typeof task === "string" && typeof untilMs === "number") return { task, untilMs };
  throw new TypeError("that is nothing to tell of a task");
}
