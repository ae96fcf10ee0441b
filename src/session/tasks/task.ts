import { isInputRequiredResult, isJSONRPCRequest, type JSONRPCRequest } from "@modelcontextprotocol/server";
import type { Settings } from "../../options.ts";
import { asItCame, holderIn, secretHeader } from "../../link/caller.ts";
import { readTaskQuestion, type TaskAnswer, type TaskQuestion } from "../../link/task.ts";
import { isObject } from "../../protocol/json-rpc.ts";
import { toJson, writeResponse } from "../../protocol/message-json.ts";
import { logIncident } from "../../protocol/incident.ts";
import { pollIntervalMs } from "../../tasks/extension.ts";
import { requestOf } from "../calls/stored-request.ts";
import { interruptedAnswer, maxReruns, mayRunAgain } from "../server/rerun.ts";
import { keepPlace, leavePlace, type PlaceOptions, takePlace } from "./place.ts";
import { CallReply } from "./reply.ts";
import {
  type Answer,
  type AnswerStateless,
  asAnswer,
  askerFor,
  failedAnswer,
  ownToken,
  progressOf,
  run,
  withToken,
} from "./run.ts";
import {
  type AskingResult,
  expiresAtMs,
  hashOf,
  inputOf,
  isOpen,
  newRecord,
  nextRound,
  openRequests,
  taskOf,
  type TaskInput,
  type TaskRecord,
  TaskRows,
  withResponses,
} from "./task-record.ts";

/** How often the alarm looks whether a running task lost its object, milliseconds: nothing else might wake it. */
const watchMs = 10_000;

/** How often a timer fires that keeps the object in memory while a task runs, milliseconds. */
const awakeMs = 1_000;

export interface TaskOptions extends PlaceOptions {
  answer: AnswerStateless;
  isNew: boolean;
}

/**
 * A call of the stateless revision that may become a task (SEP-2663), in an object of its own.
 *
 * Storage: see `TaskRows`, and one alarm; nothing for a call that is answered within `taskAfterMs`. Cost: as a session's
 * journaled call, and as much in its caller's `TaskBook`. Lifetime: `taskTtlMs` from the last change of its status. Loses: the call, if the object goes away before
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

  get #settings(): Settings {
    return this.#options.settings;
  }

  /** Nothing is stored, and nothing runs: what a tool left behind may go. */
  get isOver(): boolean {
    return this.#record === undefined && this.#running === undefined;
  }

  /** Runs the call that `received` brings. Answers when it has ended, or has become a task. */
  async call(received: Request): Promise<Response> {
    const secret = received.headers.get(secretHeader) ?? "";
    const http = asItCame(received);
    const body: unknown = JSON.parse(await http.text());
    if (!isJSONRPCRequest(body)) return await this.#options.answer(http, body);
    const controller = new AbortController();
    const reply = new CallReply(() => this.#cut());
    const becomeTask = async (): Promise<void> => {
      const record = await newRecord(http, { request: body, secret });
      // Without a place it goes on as it would for a client that reads no tasks.
      if (!(await takePlace(record, this.#options))) return;
      if (reply.isOver || this.#running !== controller) return await leavePlace(record, this.#options);
      this.#rows.put(record);
      this.#record = record;
      await this.#schedule();
      await this.#rows.sync();
      const taskId = this.#options.ctx.id.toString() + secret;
      reply.say({
        jsonrpc: "2.0",
        id: body.id,
        result: { resultType: "task", taskId, ...taskOf(record, this.#settings.taskTtlMs) },
      });
    };
    const due = setTimeout(() => {
      becomeTask().catch((error: unknown) => {
        // It runs on, as it would for a client that reads no tasks.
        this.#record = undefined;
        void this.#rows.deleteAll();
        console.error(JSON.stringify({ event: "not-stored", error: String(error) }));
      });
    }, this.#settings.taskAfterMs);
    const ended = this.#run(body, { http, controller, reply });
    this.#options.ctx.waitUntil(ended.finally(() => clearTimeout(due)));
    return await reply.response;
  }

  /** What a Worker asks about the task. */
  async answer(request: Request): Promise<Response> {
    const question = readTaskQuestion(await request.text());
    if (question.do === "cut") this.#cut();
    const record = await this.#recordFor(request);
    const answer = record === undefined ? null : await this.#do(question, record);
    return new Response(toJson(answer));
  }

  /** A running task may have lost its object, or its time is over. */
  async alarm(): Promise<void> {
    const record = this.#record;
    if (record === undefined) return;
    if (Date.now() >= expiresAtMs(record, this.#settings.taskTtlMs)) return await this.#end();
    // First: what kills the object now is not to take the next one with it.
    await this.#schedule();
    this.#recover();
    await this.#recovering;
  }

  /** The one place where it is compared who asks, and whose task this is. */
  async #recordFor(request: Request): Promise<TaskRecord | undefined> {
    const { secret, owner } = holderIn(request.headers);
    const record = this.#record;
    const secretHash = await hashOf(secret);
    if (record === undefined || record.secretHash !== secretHash || record.owner !== owner) return undefined;
    return Date.now() < expiresAtMs(record, this.#settings.taskTtlMs) ? record : undefined;
  }

  async #do(question: TaskQuestion, record: TaskRecord): Promise<TaskAnswer> {
    this.#recover();
    switch (question.do) {
      case "cut":
        return {};
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
    const { state } = record;
    const task = taskOf(record, this.#settings.taskTtlMs);
    if (state.status === "working" && this.#progress !== undefined) return { ...task, statusMessage: this.#progress };
    if (state.status === "input_required") return { ...task, inputRequests: openRequests(state.input) };
    const hasOutcome = state.status === "completed" || state.status === "failed";
    return hasOutcome ? { ...task, ...this.#rows.outcome } : task;
  }

  async #update(responses: Record<string, unknown>, record: TaskRecord): Promise<void> {
    const { state } = record;
    if (state.status !== "input_required") return;
    const input = withResponses(state.input, responses);
    if (Object.keys(openRequests(input)).length === 0) await this.#nextRound(record, input);
    else await this.#change(record, { state: { status: "input_required", input } });
  }

  async #nextRound(record: TaskRecord, input: TaskInput): Promise<void> {
    this.#runAgain(await this.#change(record, nextRound(record, input)));
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
    const ask = askerFor(record, this.#options.answer);
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
      }).catch((error: unknown) =>
        controller.signal.aborted ? new Response(null, { status: 499 }) : failedAnswer(request, error),
      );
      const record = this.#record;
      if (record !== undefined && isOpen(record)) await this.#finish(record, await asAnswer(said, request));
      else if (said instanceof Response) reply?.refuse(said);
      else reply?.say(said);
    } catch (error) {
      // The platform refused to store how it ended: the alarm finds it interrupted.
      logIncident(error);
    } finally {
      clearInterval(awake);
      if (this.#running === controller) this.#running = undefined;
    }
  }

  async #finish(record: TaskRecord, answer: Answer): Promise<void> {
    const { maxMessageBytes } = this.#settings;
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

  async #askClient(record: TaskRecord, result: AskingResult): Promise<void> {
    const input = inputOf(record, result);
    if (Object.keys(input.requests).length > 0) {
      await this.#change(record, { state: { status: "input_required", input } });
      return;
    }
    // It only wants to be called again with its state.
    await scheduler.wait(pollIntervalMs);
    if (this.#record === record) await this.#nextRound(record, input);
  }

  async #change(record: TaskRecord, change: Partial<TaskRecord>, outcome?: string): Promise<TaskRecord> {
    const changed = { ...record, ...change, updatedAtMs: Date.now() };
    this.#rows.put(changed, outcome);
    this.#record = changed;
    this.#progress = undefined;
    await this.#schedule();
    await this.#rows.sync();
    keepPlace(changed, this.#options);
    return changed;
  }

  /** A client that is cut before it knows of a task has cancelled its call (revision 2026-07-28, Cancellation). */
  #cut(): void {
    if (this.#record === undefined) this.#running?.abort();
  }

  async #schedule(): Promise<void> {
    if (this.#record === undefined) return;
    const endsAtMs = expiresAtMs(this.#record, this.#settings.taskTtlMs);
    const watchAtMs = Date.now() + watchMs;
    const isWatched = this.#record.state.status === "working" && watchAtMs < endsAtMs;
    await this.#options.ctx.storage.setAlarm(isWatched ? watchAtMs : endsAtMs);
  }

  /** Leaves no row behind. */
  async #end(): Promise<void> {
    this.#record = undefined;
    this.#running?.abort();
    await this.#rows.deleteAll();
  }
}
