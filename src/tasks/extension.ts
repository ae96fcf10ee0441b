import { CLIENT_CAPABILITIES_META_KEY } from "@modelcontextprotocol/server";
import { isObject } from "../protocol/json-rpc.ts";

/** The extension by which a call may go on without its connection (SEP-2663, Tasks; revision 2026-07-28). */
export const tasksExtension = "io.modelcontextprotocol/tasks";

/** How often a client may ask for a task's state, as it is told, milliseconds. */
export const pollIntervalMs = 1_000;

/** What is to be done if the server of a request turns out to have the extension itself: it is built after its call has begun. */
export const onOwnTasks = new WeakMap<Request, () => void>();

/** What is told of a task in every answer about it (section Tasks). */
export interface Task {
  taskId: string;
  status: "working" | "input_required" | "completed" | "failed" | "cancelled";
  statusMessage?: string;
  createdAt: string;
  lastUpdatedAt: string;
  ttlMs: number;
  pollIntervalMs: number;
}

/** Whether `meta` is that of a client that reads tasks: it says so in each request (section Capability Negotiation). */
export function declaresTasks(meta: unknown): boolean {
  const capabilities = isObject(meta) ? meta[CLIENT_CAPABILITIES_META_KEY] : undefined;
  const extensions = isObject(capabilities) ? capabilities["extensions"] : undefined;
  return isObject(extensions) && isObject(extensions[tasksExtension]);
}

/** Whether `body` wants to hear of tasks that its client could not read (section Task Status Notifications). */
export function listensUndeclared(body: unknown): boolean {
  const params = isObject(body) && body["method"] === "subscriptions/listen" ? body["params"] : undefined;
  if (!isObject(params) || !isObject(params["notifications"])) return false;
  return params["notifications"]["taskIds"] !== undefined && !declaresTasks(params["_meta"]);
}

/** Whether `body` is a call that may become a task. */
export function mayBecomeTask(body: unknown): boolean {
  if (!isObject(body) || body["method"] !== "tools/call") return false;
  return isObject(body["params"]) && declaresTasks(body["params"]["_meta"]);
}
