import { type InputRequiredResult, isJSONRPCRequest, type JSONRPCRequest } from "@modelcontextprotocol/server";
import { ownerOf } from "../../link/caller.ts";
import { isObject } from "../../protocol/json-rpc.ts";
import { hashOf } from "../../protocol/hash.ts";
import { utf8Bytes } from "../../protocol/utf8.ts";
import { pollIntervalMs, type Task } from "../../tasks/extension.ts";
import { isStoredRequest, type StoredRequest, storedRequest } from "../calls/stored-request.ts";
import { isTime, readFormatted, type Steps, writeFormatted } from "../stored/stored-format.ts";

/** What a task asks its client, and what that has answered of it so far. */
export interface TaskInput {
  requests: Record<string, unknown>;
  responses: Record<string, unknown>;
  requestState?: unknown;
}

type TaskState =
  | { status: "working" }
  | { status: "input_required"; input: TaskInput }
  | { status: "completed" | "failed" | "cancelled" };

/** A task as it is stored, with all that is needed to run its call again. */
export interface TaskRecord extends StoredRequest {
  request: JSONRPCRequest;
  /** SHA-256 of the secret half of the task's id. */
  secretHash: string;
  /** The hash of the principal whose task this is; empty without a login. */
  owner: string;
  createdAtMs: number;
  updatedAtMs: number;
  state: TaskState;
  /** How often its call was interrupted and run again. */
  reruns: number;
  /** How often its client has answered what it asked: no key of a question comes twice. */
  rounds: number;
}

/** Of the row `task`; that of the outcome is what the protocol calls a result or an error. */
const steps: Steps = [(record) => record];

const statuses = new Set(["working", "completed", "failed", "cancelled"]);

export function writeRecord(record: TaskRecord): string {
  return writeFormatted(record, steps);
}

/** How a task has ended: a `result`, or an `error`. @throws {TypeError} for what is neither. */
export function readOutcome(json: string): object {
  const outcome: unknown = JSON.parse(json);
  if (isObject(outcome) && (isObject(outcome["result"]) || isObject(outcome["error"]))) return outcome;
  throw new TypeError("it is no result and no error");
}

/** @throws {TypeError} for what is no record, {RangeError} for one of a newer format. */
export function readRecord(json: string): TaskRecord {
  const record = readFormatted(json, steps);
  const { createdAtMs, updatedAtMs, reruns, rounds, secretHash, owner, state } = record;
  if (!isJSONRPCRequest(record["request"]) || !isStoredRequest(record)) throw new TypeError("it lacks its call");
  if (![createdAtMs, updatedAtMs].every((ms) => isTime(ms))) throw new TypeError("it lacks a time");
  if (![reruns, rounds].every((number) => Number.isFinite(number))) throw new TypeError("it lacks a number");
  if (typeof secretHash !== "string" || typeof owner !== "string") throw new TypeError("it lacks who may ask");
  if (!isState(state)) throw new TypeError("it lacks its status");
  // Checked, member by member.
  return record as unknown as TaskRecord;
}

function isState(state: unknown): boolean {
  if (!isObject(state)) return false;
  const { status, input } = state;
  if (status !== "input_required") return statuses.has(String(status));
  return isObject(input) && isObject(input["requests"]) && isObject(input["responses"]);
}

export async function newRecord(
  http: Request,
  { request, secret, nowMs }: { request: JSONRPCRequest; secret: string; nowMs: number },
): Promise<TaskRecord> {
  return {
    ...storedRequest(http),
    request,
    secretHash: await hashOf(secret),
    owner: ownerOf(http),
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    state: { status: "working" },
    reruns: 0,
    rounds: 0,
  };
}

/** What is told of it. */
export function taskOf(record: TaskRecord, taskTtlMs: number): Omit<Task, "taskId"> {
  return {
    status: record.state.status,
    createdAt: new Date(record.createdAtMs).toISOString(),
    lastUpdatedAt: new Date(record.updatedAtMs).toISOString(),
    ttlMs: expiresAtMs(record, taskTtlMs) - record.createdAtMs,
    pollIntervalMs,
  };
}

export function expiresAtMs({ updatedAtMs }: TaskRecord, taskTtlMs: number): number {
  return updatedAtMs + Math.ceil(taskTtlMs);
}

/** Whether it has not ended. */
export function isOpen({ state }: TaskRecord): boolean {
  return state.status === "working" || state.status === "input_required";
}

/** Its call again, with what its client has answered (revision 2026-07-28, Multi Round-Trip Requests). */
export function nextRound(record: TaskRecord, { responses, requestState }: TaskInput): Partial<TaskRecord> {
  const { requestState: _before, inputResponses: _answered, ...params } = record.request.params ?? {};
  const inputResponses = Object.fromEntries(
    Object.entries(responses).map(([key, response]) => [key.slice(key.indexOf(".") + 1), response]),
  );
  const request = {
    ...record.request,
    params: { ...params, inputResponses, ...(requestState === undefined ? {} : { requestState }) },
  };
  return { request, rounds: record.rounds + 1, state: { status: "working" } };
}

/** What `result` asks the client of the task `record`: each question by a key that comes once. */
export function inputOf({ rounds }: TaskRecord, { inputRequests = {}, requestState }: InputRequiredResult): TaskInput {
  const requests = Object.fromEntries(
    Object.entries(inputRequests).map(([key, request]) => [`${rounds}.${key}`, request]),
  );
  return { requests, responses: {}, ...(requestState === undefined ? {} : { requestState }) };
}

/** `input`, and those of `responses` that answer something of it which was not answered before. */
export function withResponses(input: TaskInput, responses: Record<string, unknown>): TaskInput {
  const asked = Object.entries(responses).filter(([key]) => Object.hasOwn(input.requests, key));
  return { ...input, responses: { ...Object.fromEntries(asked), ...input.responses } };
}

/** What is wrong with the answers in `input`: they take no more than in one body, in which a call that is no task has them. */
export function faultIn({ responses }: TaskInput, maxBodyBytes: number): string | undefined {
  const isTooMuch = utf8Bytes(JSON.stringify(responses)) > maxBodyBytes;
  return isTooMuch ? `The answers take at most ${maxBodyBytes} bytes together.` : undefined;
}

/** What of `input` is not answered yet. */
export function openRequests({ requests, responses }: TaskInput): Record<string, unknown> {
  return Object.fromEntries(Object.entries(requests).filter(([key]) => !Object.hasOwn(responses, key)));
}
