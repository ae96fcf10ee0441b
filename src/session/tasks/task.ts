import { isInputRequiredResult, isJSONRPCRequest, type JSONRPCRequest } from "@modelcontextprotocol/server";
import type { Settings } from "../../options.ts";
import { asItCame, callerOf, holderIn, secretHeader } from "../../link/caller.ts";
import { readTaskQuestion, type TaskAnswer, type TaskQuestion } from "../../link/task.ts";
import { isObject } from "../../protocol/json-rpc.ts";
import { toJson, writeResponse } from "../../protocol/message-json.ts";
import { logIncident } from "../../protocol/refusals.ts";
import { incidentMessage } from "../../development.ts";
import { pollIntervalMs, type Task } from "../../tasks/extension.ts";
import { requestOf, storedRequest } from "../calls/stored-request.ts";
import { interruptedAnswer, maxReruns, mayRunAgain } from "../server/rerun.ts";
import { CallReply } from "./reply.ts";
import { type Answer, type AnswerStateless, run } from "./run.ts";
import { type TaskInput, type TaskRecord, TaskRows } from "./task-record.ts";

/** How often the alarm looks whether a running task lost its object, milliseconds: nothing else might wake it. */
const watchMs = 10_000;

/** How often a timer fires that keeps the object in memory while a task runs, milliseconds. */
const awakeMs = 1_000;

/** By which a server tells how far a call is that its client asked nothing of. */
const ownToken = "mcp-edge-task";

/** Headers that say what the body is about (revision 2026-07-28, Standard Headers). */
const standardHeaders = /^mcp-(method|name|param-.*)$/;

export interface TaskOptions {
  ctx: DurableObjectState;
  settings: Settings;
  answer: AnswerStateless;
  isNew: boolean;
}

/**
 * A call of the stateless revision that may become a task (SEP-2663), in an object of its own.
 *
 * Storage: see `TaskRows`, and one alarm; nothing for a call that is answered within `taskAfterMs`. Cost: as a session's
 * journaled call. Lifetime: `taskTtlMs` from the last change of its status. Loses: the call, if the object goes away before
 * it is a task; how far it is.
 */
export class TaskObject {
  readonly #options: TaskOptions;
  readonly #rows: TaskRows;
  /** `undefined`: no task, or not yet. */
  #record: TaskRecord | undefined;
  #running: AbortController | undefined;
  #recovering: Promise<void> | undefined;
  #progress: string | undefined;

  constructor(options: TaskOptions) {
    this.#options = options;
    this.#rows = new TaskRows(options.ctx.storage, options);
    this.#record = this.#rows.record;
  }

  /** Nothing is stored, and nothing runs: what a tool left behind may go. */
  get isOver(): boolean {
    return this.#record === undefined && this.#running === undefined;
  }

  /** Runs the call that `received` brings. Answers when it has ended, or has become a task. */
  async call(received: Request): Promise<Response> {
    const secret = received.headers.get(secretHeader) ?? "";
    const http = asItCame(received);
    const body: unknown = JSON.parse(await received.text());
    if (!isJSONRPCRequest(body)) return await this.#options.answer(http, body);
    const controller = new AbortController();
    const reply = new CallReply(() => this.#cut(controller));
    received.signal.addEventListener("abort", () => this.#cut(controller));
    const becomeTask = async (): Promise<void> => {
      const record = await newRecord(http, { request: body, secret });
      if (reply.isOver || this.#running !== controller) return;
      this.#record = record;
      this.#rows.put(record);
      await this.#schedule();
      await this.#rows.sync();
      const taskId = this.#options.ctx.id.toString() + secret;
      reply.say({ jsonrpc: "2.0", id: body.id, result: { resultType: "task", ...this.#describe(record, taskId) } });
    };
    const due = setTimeout(() => {
      becomeTask().catch((error: unknown) => {
        // It runs on, as it would for a client that reads no tasks.
        this.#record = undefined;
        console.error(JSON.stringify({ event: "not-stored", error: String(error) }));
      });
    }, this.#options.settings.taskAfterMs);
    const ended = this.#run(body, { http, controller, reply });
    this.#options.ctx.waitUntil(ended.finally(() => clearTimeout(due)));
    return await reply.response;
  }

  /** What a Worker asks about the task. */
  async answer(request: Request): Promise<Response> {
    const record = await this.#recordFor(request);
    const answer = record === undefined ? null : await this.#do(readTaskQuestion(await request.text()), record);
    return new Response(toJson(answer));
  }

  /** A running task may have lost its object, or its time is over. */
  async alarm(): Promise<void> {
    const record = this.#record;
    if (record === undefined) return;
    if (Date.now() >= this.#expiresAtMs(record)) return await this.#end();
    this.#recover();
    await this.#recovering;
    await this.#schedule();
  }

  /** The one place where it is compared who asks, and whose task this is. */
  async #recordFor(request: Request): Promise<TaskRecord | undefined> {
    const { secret, owner } = holderIn(request.headers);
    const record = this.#record;
    const secretHash = await hashOf(secret);
    if (record === undefined || record.secretHash !== secretHash || record.owner !== owner) return undefined;
    return Date.now() < this.#expiresAtMs(record) ? record : undefined;
  }

  async #do(question: TaskQuestion, record: TaskRecord): Promise<TaskAnswer> {
    this.#recover();
    switch (question.do) {
      case "get":
        await this.#recovering;
        return this.#detail(this.#record ?? record);
      case "update":
        await this.#update(question.inputResponses, record);
        return {};
      case "cancel":
        if (!isOpen(record)) return {};
        await this.#change(record, { state: { status: "cancelled" } });
        this.#running?.abort();
        return {};
    }
  }

  #detail(record: TaskRecord): Record<string, unknown> {
    const task = this.#describe(record);
    const { state } = record;
    switch (state.status) {
      case "working":
      case "cancelled":
        return task;
      case "input_required": {
        const open = Object.entries(state.input.requests).filter(([key]) => !(key in state.input.responses));
        return { ...task, inputRequests: Object.fromEntries(open) };
      }
      case "completed":
      case "failed":
        return { ...task, ...Object(this.#rows.outcome) };
    }
  }

  async #update(responses: Record<string, unknown>, record: TaskRecord): Promise<void> {
    const { state } = record;
    if (state.status !== "input_required") return;
    const asked = Object.entries(responses).filter(([key]) => Object.hasOwn(state.input.requests, key));
    const input = { ...state.input, responses: { ...Object.fromEntries(asked), ...state.input.responses } };
    const isAnswered = Object.keys(input.requests).every((key) => key in input.responses);
    if (isAnswered) await this.#nextRound(record, input);
    else await this.#change(record, { state: { status: "input_required", input } });
  }

  async #nextRound(record: TaskRecord, { responses, requestState }: TaskInput): Promise<void> {
    const { requestState: _before, inputResponses: _answered, ...params } = record.request.params ?? {};
    const inputResponses = Object.fromEntries(
      Object.entries(responses).map(([key, response]) => [key.slice(key.indexOf(".") + 1), response]),
    );
    const request = {
      ...record.request,
      params: { ...params, inputResponses, ...(requestState === undefined ? {} : { requestState }) },
    };
    const next = await this.#change(record, { request, rounds: record.rounds + 1, state: { status: "working" } });
    this.#runAgain(next);
  }

  /** Of a task that works, and whose object went away meanwhile. */
  #recover(): void {
    if (this.#record?.state.status !== "working" || this.#running !== undefined) return;
    this.#recovering ??= this.#rerun(this.#record)
      .catch((error: unknown) => void logIncident(error))
      .finally(() => (this.#recovering = undefined));
  }

  /** Counted on disk before it begins: it may kill this object at once. */
  async #rerun(record: TaskRecord): Promise<void> {
    const { answer } = this.#options;
    const ask = async (asked: { method: string; params: Record<string, unknown> }) => {
      const { _meta } = record.request.params ?? {};
      const request: JSONRPCRequest = {
        jsonrpc: "2.0",
        id: 0,
        ...asked,
        params: { ...asked.params, ...(_meta === undefined ? {} : { _meta }) },
      };
      const headers = record.headers.filter(([name]) => !standardHeaders.test(name));
      const from = requestOf({ ...record, headers: [...headers, ["mcp-method", asked.method]] });
      const said = await run(request, { answer, from, signal: new AbortController().signal });
      if (said instanceof Response) throw new Error(`${asked.method} was answered ${said.status}`);
      return said;
    };
    const mayRun = record.reruns < maxReruns && (await mayRunAgain(record.request, { ask }));
    if (this.#record !== record) return;
    if (!mayRun) return await this.#finish(record, interruptedAnswer(record.request.id));
    this.#runAgain(await this.#change(record, { reruns: record.reruns + 1 }));
  }

  #runAgain(record: TaskRecord): void {
    const http = requestOf(record);
    this.#options.ctx.waitUntil(this.#run(record.request, { http, controller: new AbortController() }));
  }

  async #run(
    request: JSONRPCRequest,
    { http, controller, reply }: { http: Request; controller: AbortController; reply?: CallReply },
  ): Promise<void> {
    this.#running = controller;
    const awake = setInterval(() => undefined, awakeMs);
    try {
      const said = await run(withToken(request), {
        answer: this.#options.answer,
        from: http,
        signal: controller.signal,
        onMessage: (message) => {
          const params = "method" in message ? message.params : undefined;
          if (isObject(params) && "progress" in params) this.#progress = progressOf(params);
          if (params?.["progressToken"] !== ownToken) reply?.say(message);
        },
        onComment: (frame) => reply?.comment(frame),
      });
      this.#running = undefined;
      const record = this.#record;
      if (record !== undefined && isOpen(record)) await this.#finish(record, await asAnswer(said, request));
      else if (said instanceof Response) reply?.refuse(said);
      else reply?.say(said);
    } catch (error) {
      const message = incidentMessage(logIncident(error), error);
      const failed = { jsonrpc: "2.0" as const, id: request.id, error: { code: -32_603, message } };
      if (this.#record !== undefined && isOpen(this.#record)) await this.#finish(this.#record, failed);
      else reply?.say(failed);
    } finally {
      clearInterval(awake);
      if (this.#running === controller) this.#running = undefined;
    }
  }

  async #finish(record: TaskRecord, answer: Answer): Promise<void> {
    const { maxMessageBytes } = this.#options.settings;
    const bounds = { maxMessageBytes, hasRoomFor: () => true };
    const json = writeResponse(answer, record.request, bounds);
    const said: unknown = JSON.parse(json);
    const { result, error } = isObject(said) ? said : {};
    if (isInputRequiredResult(result)) return await this.#askClient(record, result);
    const outcome = error === undefined ? { result } : { error };
    const state = { status: error === undefined ? ("completed" as const) : ("failed" as const) };
    // Nobody needs it again.
    const request = { ...record.request, params: {} };
    await this.#change(record, { state, request }, JSON.stringify(outcome));
  }

  async #askClient(record: TaskRecord, result: { inputRequests?: object; requestState?: string }): Promise<void> {
    const { inputRequests = {}, requestState } = result;
    const requests = Object.fromEntries(
      Object.entries(inputRequests).map(([key, request]) => [`${record.rounds}.${key}`, request]),
    );
    const input: TaskInput = { requests, responses: {}, ...(requestState === undefined ? {} : { requestState }) };
    if (Object.keys(requests).length > 0) {
      await this.#change(record, { state: { status: "input_required", input } });
      return;
    }
    // It only wants to be called again with its state.
    await scheduler.wait(pollIntervalMs);
    if (this.#record === record) await this.#nextRound(record, input);
  }

  async #change(record: TaskRecord, change: Partial<TaskRecord>, outcome?: string): Promise<TaskRecord> {
    const changed = { ...record, ...change, updatedAtMs: Date.now() };
    if (changed.state.status !== "working") this.#progress = undefined;
    this.#record = changed;
    this.#rows.put(changed, outcome);
    await this.#schedule();
    await this.#rows.sync();
    return changed;
  }

  /** A client that is cut before it knows of a task has cancelled its call (revision 2026-07-28, Cancellation). */
  #cut(controller: AbortController): void {
    if (this.#record === undefined) controller.abort();
  }

  #describe(record: TaskRecord, taskId?: string): Omit<Task, "taskId"> & { taskId?: string } {
    const { status } = record.state;
    const message = status === "working" ? this.#progress : undefined;
    return {
      ...(taskId === undefined ? {} : { taskId }),
      status,
      ...(message === undefined ? {} : { statusMessage: message }),
      createdAt: new Date(record.createdAtMs).toISOString(),
      lastUpdatedAt: new Date(record.updatedAtMs).toISOString(),
      ttlMs: this.#expiresAtMs(record) - record.createdAtMs,
      pollIntervalMs,
    };
  }

  #expiresAtMs({ updatedAtMs }: TaskRecord): number {
    return updatedAtMs + this.#options.settings.taskTtlMs;
  }

  async #schedule(): Promise<void> {
    if (this.#record === undefined) return;
    const expiresAtMs = this.#expiresAtMs(this.#record);
    const watchAtMs = Date.now() + watchMs;
    const isWatched = this.#record.state.status === "working" && watchAtMs < expiresAtMs;
    await this.#options.ctx.storage.setAlarm(isWatched ? watchAtMs : expiresAtMs);
  }

  /** Leaves no row behind. */
  async #end(): Promise<void> {
    this.#record = undefined;
    this.#running?.abort();
    await this.#rows.deleteAll();
  }
}

function isOpen({ state }: TaskRecord): boolean {
  return state.status === "working" || state.status === "input_required";
}

async function newRecord(
  http: Request,
  { request, secret }: { request: JSONRPCRequest; secret: string },
): Promise<TaskRecord> {
  const nowMs = Date.now();
  return {
    ...storedRequest(http),
    request,
    secretHash: await hashOf(secret),
    owner: callerOf(http)?.owner ?? "",
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    state: { status: "working" },
    reruns: 0,
    rounds: 0,
  };
}

/** What the SDK refuses before there is a server is an error as well. */
async function asAnswer(said: Answer | Response, { id }: JSONRPCRequest): Promise<Answer> {
  if (!(said instanceof Response)) return said;
  const body: unknown = await said.json().catch(() => undefined);
  const { error } = isObject(body) ? body : {};
  const { code = -32_603, message = `the call was answered ${said.status}` } = isObject(error) ? error : {};
  return { jsonrpc: "2.0", id, error: { code: Number(code), message: String(message) } };
}

/** `request`, whose tool can tell how far it is. */
function withToken(request: JSONRPCRequest): JSONRPCRequest {
  const { _meta } = request.params ?? {};
  if (_meta?.progressToken !== undefined) return request;
  return { ...request, params: { ...request.params, _meta: { ..._meta, progressToken: ownToken } } };
}

function progressOf({ progress, total, message }: Record<string, unknown>): string {
  const far = total === undefined ? String(progress) : `${String(progress)}/${String(total)}`;
  return typeof message === "string" ? `${far}: ${message}` : far;
}

async function hashOf(secret: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
