import { isJSONRPCRequest, type JSONRPCRequest } from "@modelcontextprotocol/server";
import { asItCame, secretHeader } from "../../link/caller.ts";
import { readTaskQuestion, type TaskAnswer, type TaskQuestion } from "../../link/task.ts";
import { toJson } from "../../protocol/message-json.ts";
import { logIncident } from "../../protocol/incident.ts";
import { asRerun } from "../../sdk/reruns.ts";
import { onOwnTasks, pollIntervalMs } from "../../tasks/extension.ts";
import { requestOf } from "../calls/stored-request.ts";
import { holdMessage } from "../../stream/held-messages.ts";
import { tooMuchAtOnce } from "../../protocol/refusals.ts";
import type { Clock } from "../clock.ts";
import { interruptedAnswer, maxReruns, mayRunAgain } from "../server/rerun.ts";
import { keepPlace, leavePlace, type PlaceOptions, takePlace } from "./place.ts";
import { CallReply } from "./reply.ts";
import { type Answer, type AnswerStateless, asAnswer, askerFor, runCall } from "./run.ts";
import { StoredTask } from "./stored-task.ts";
import { endOf } from "./task-end.ts";
import {
  faultIn,
  inputOf,
  isOpen,
  newRecord,
  withResponses,
  nextRound,
  openRequests,
  type TaskInput,
  type TaskRecord,
} from "./task-record.ts";
import { Work } from "./work.ts";

/** How often a timer fires that keeps the object in memory while a task runs, milliseconds. */
const awakeMs = 1_000;

export interface TaskOptions extends PlaceOptions {
  clock: Clock;
  answer: AnswerStateless;
  isNew: boolean;
  /** A run has ended, perhaps long after whatever began it: see `isOver`. */
  onRunEnded: () => void;
}

/**
 * A call of the stateless revision that may become a task (SEP-2663), in an object of its own.
 *
 * Storage: see `StoredTask`; nothing for a call that is answered within `taskAfterMs`. Cost: as a session's
 * journaled call, and as much in its caller's `TaskBook`. Lifetime: `taskTtlMs` from the last change of its status. Loses: the
 * call, if the object goes away before it is a task; how far it is.
 */
export class TaskObject {
  readonly #options: TaskOptions;
  readonly #task: StoredTask;
  readonly #work = new Work();
  /** How far the call is, as it was last told; `undefined` if it was not since the last change of its status. */
  #progress: string | undefined;

  constructor(options: TaskOptions) {
    this.#options = options;
    this.#task = new StoredTask(options);
  }

  /** Whether there is a task, also one that has ended. */
  get isStored(): boolean {
    return this.#task.record !== undefined;
  }

  /** Nothing is stored, and nothing runs: what a tool left behind may go. */
  get isOver(): boolean {
    return this.#work.isIdle && !this.isStored;
  }

  /** Nothing runs nor is to run before somebody asks: all of it is on disk. */
  get isResting(): boolean {
    return this.#work.isIdle && this.isStored && this.#task.record?.state.status !== "working";
  }

  /** Runs the call that `received` brings. Answers when it has ended, or has become a task. */
  async call(received: Request): Promise<Response> {
    const secret = received.headers.get(secretHeader) ?? "";
    const http = asItCame(received);
    const text = await http.text();
    const release = holdMessage(text, secret);
    if (release === undefined) return tooMuchAtOnce();
    const body: unknown = JSON.parse(text);
    if (!isJSONRPCRequest(body)) return await this.#options.answer(http, body).finally(release);
    const controller = new AbortController();
    const reply = new CallReply(() => this.#cut());
    const becomeTask = async (): Promise<void> => {
      // As it was sent: its tool may have changed what it was given.
      const request = JSON.parse(text) as JSONRPCRequest;
      const record = await newRecord(http, { request, secret, nowMs: this.#options.clock() });
      // Without a place it goes on as it would for a client that reads no tasks.
      if (!(await takePlace(record, this.#options))) return;
      if (reply.isOver || !this.#work.isOf(controller)) return await leavePlace(record, this.#options);
      await this.#task.store(record);
      const taskId = this.#options.ctx.id.toString() + secret;
      const result = { resultType: "task", taskId, ...this.#task.told(record) };
      reply.say({ jsonrpc: "2.0", id: body.id, result });
    };
    const due = setTimeout(() => {
      becomeTask().catch((error: unknown) => {
        // It runs on, as it would for a client that reads no tasks.
        void this.#task.delete();
        console.error(JSON.stringify({ event: "not-stored", error: String(error) }));
      });
    }, this.#options.settings.taskAfterMs);
    onOwnTasks.set(http, () => clearTimeout(due));
    const ended = this.#run(body, { http, controller, reply }).finally(release);
    this.#options.ctx.waitUntil(ended.finally(() => clearTimeout(due)));
    return await reply.response;
  }

  /** What a Worker asks about the task. */
  async answer(request: Request): Promise<Response> {
    const question = readTaskQuestion(await request.text());
    if (question.do === "cut") {
      this.#cut();
      return Response.json(null);
    }
    const record = await this.#task.recordFor(request.headers);
    const answer = record === undefined ? null : await this.#do(question, record);
    return new Response(toJson(answer));
  }

  /** A running task may have lost its object, or its time is over. */
  async alarm(): Promise<void> {
    const { record } = this.#task;
    if (record === undefined) return;
    if (this.#task.isExpired(record)) {
      this.#work.abort();
      return await this.#task.delete();
    }
    // First: a run that kills this object must not take the next alarm with it.
    await this.#task.schedule();
    await this.#recover();
  }

  async #do(question: Exclude<TaskQuestion, { do: "cut" }>, record: TaskRecord): Promise<TaskAnswer> {
    const recovered = this.#recover();
    switch (question.do) {
      case "get":
        await recovered;
        return this.#task.told(this.#task.record ?? record, this.#progress);
      case "update":
        return await this.#update(question.inputResponses, record);
      case "cancel":
        if (!isOpen(record)) return {};
        await this.#change(record, { state: { status: "cancelled" } });
        this.#work.abort();
        return {};
    }
  }

  async #update(responses: Record<string, unknown>, record: TaskRecord): Promise<TaskAnswer> {
    const { state } = record;
    if (state.status !== "input_required") return {};
    const input = withResponses(state.input, responses);
    const fault = faultIn(input, this.#options.settings.maxBodyBytes);
    if (fault !== undefined) return { fault };
    if (Object.keys(openRequests(input)).length === 0) await this.#work.prepare(this.#nextRound(record, input));
    else await this.#change(record, { state: { status: "input_required", input } });
    return {};
  }

  async #nextRound(record: TaskRecord, input: TaskInput, kept: Partial<TaskRecord> = {}): Promise<void> {
    this.#runAgain(await this.#change(record, { ...nextRound(record, input), ...kept }));
  }

  /** Runs the call again, or says that it may have run, if the task works and its object went away meanwhile. */
  async #recover(): Promise<void> {
    const { record } = this.#task;
    if (record?.state.status === "working" && this.#work.isIdle) {
      await this.#work.prepare(this.#rerun(record).catch((error: unknown) => void logIncident(error)));
    } else await this.#work.prepared();
  }

  /** Counted on disk before it begins: it may kill this object at once. */
  async #rerun(record: TaskRecord): Promise<void> {
    const ask = askerFor(record, this.#options.answer);
    const mayRun = record.reruns < maxReruns && (await mayRunAgain(record.request, { ask }));
    if (this.#task.record !== record) return;
    if (!mayRun) return await this.#finish(record, interruptedAnswer(record.request.id));
    this.#runAgain(await this.#change(record, { reruns: record.reruns + 1 }));
  }

  #runAgain(record: TaskRecord): void {
    // It was cancelled while it was written down.
    if (this.#task.record !== record) return;
    const http = requestOf(record);
    // The record keeps what was sent, whatever a tool does to what it is given.
    const run = () => this.#run(structuredClone(record.request), { http, controller: new AbortController() });
    this.#options.ctx.waitUntil(asRerun(run));
  }

  async #run(
    request: JSONRPCRequest,
    { http, controller, reply }: { http: Request; controller: AbortController; reply?: CallReply },
  ): Promise<void> {
    this.#work.begin(controller);
    const awake = setInterval(() => undefined, awakeMs);
    try {
      const said = await runCall(request, {
        answer: this.#options.answer,
        from: http,
        signal: controller.signal,
        onProgress: (progress) => (this.#progress = progress),
        onMessage: (message) => reply?.say(message),
      });
      const { record } = this.#task;
      if (record !== undefined && isOpen(record)) await this.#finish(record, await asAnswer(said, request));
      else if (said instanceof Response) reply?.respond(said);
      else reply?.say(said);
    } catch (error) {
      // The platform refused to store how it ended: the alarm finds it interrupted.
      logIncident(error);
    } finally {
      clearInterval(awake);
      this.#work.end(controller);
      this.#options.onRunEnded();
    }
  }

  async #finish(record: TaskRecord, answer: Answer): Promise<void> {
    const end = endOf(answer, record.request, this.#options.settings.maxMessageBytes);
    if (end.is === "asking") return await this.#askClient(record, inputOf(record, end.result));
    // Nobody needs the arguments again.
    const request = { ...record.request, params: {} };
    await this.#change(record, { state: { status: end.status }, request }, end.outcome);
  }

  async #askClient(record: TaskRecord, input: TaskInput): Promise<void> {
    const isAsking = Object.keys(input.requests).length > 0;
    if (isAsking) return void (await this.#change(record, { state: { status: "input_required", input } }));
    // The tool only wants to be called again with its state. By that alone it lives no longer.
    await scheduler.wait(pollIntervalMs);
    if (this.#task.record === record) await this.#nextRound(record, input, { updatedAtMs: record.updatedAtMs });
  }

  async #change(record: TaskRecord, change: Partial<TaskRecord>, outcome?: string): Promise<TaskRecord> {
    this.#progress = undefined;
    const changed = await this.#task.change(record, change, outcome);
    keepPlace(changed, this.#options);
    return changed;
  }

  /** A client that is cut before it knows of a task has cancelled its call (revision 2026-07-28, Cancellation). */
  #cut(): void {
    if (this.#task.record === undefined) this.#work.abort();
  }
}
