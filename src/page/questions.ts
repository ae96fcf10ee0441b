import type {
  CreateMessageRequestParams,
  CreateMessageResult,
  ElicitRequestParams,
  ElicitResult,
} from "@modelcontextprotocol/client";
import { ProtocolError } from "@modelcontextprotocol/client";
import { effect, signal } from "@preact/signals";
import { runningCalls } from "./runs.ts";

/** What the server asks the person at the page while a call runs. */
type Asked =
  | { kind: "elicitation"; params: ElicitRequestParams; answer: (result: ElicitResult) => void }
  | { kind: "sampling"; params: CreateMessageRequestParams; answer: (result: CreateMessageResult) => void };

export type Question = Asked & {
  key: number;
  refuse: () => void;
  /** The calls that ran when it came. */
  during: readonly number[];
  answered: Promise<unknown>;
};

/** Oldest first: they are answered one by one. */
export const questions = signal<readonly Question[]>([]);

let asked = 0;

/** By the id of its request: one that comes again, because the connection was lost, has its answer already. */
const answers = new Map<unknown, Promise<unknown>>();

/** Resolves once the person has answered. */
export function answerQuestion<Kind extends Asked["kind"]>(
  { id, signal: given }: { id: unknown; signal: AbortSignal },
  question: { kind: Kind; params: Extract<Asked, { kind: Kind }>["params"] },
): Promise<Kind extends "sampling" ? CreateMessageResult : ElicitResult> {
  const answer = answers.get(id) ?? ask(question, given);
  answers.set(id, answer);
  return answer as Promise<never>;
}

function ask(question: Pick<Asked, "kind" | "params">, given: AbortSignal): Promise<unknown> {
  const during = runningCalls.value;
  const same = questions.value.find((other) => isSame(other, { ...question, during }));
  // Where it stands, with what was typed: the answer is for both.
  if (same !== undefined) return same.answered;
  const key = (asked += 1);
  const { promise: answered, resolve, reject } = Promise.withResolvers<unknown>();
  const refuse = (): void => {
    forget(key);
    reject(new ProtocolError(-1, "The person at the page refused."));
  };
  const answer = (result: unknown): void => {
    forget(key);
    resolve(result);
  };
  // The server takes it back, for example because the call was cancelled.
  given.addEventListener("abort", refuse);
  const made = { ...question, key, answer, refuse, during, answered };
  questions.value = [...questions.value, made as Question];
  return answered;
}

type Asking = Pick<Question, "kind" | "params" | "during">;

/** Whether the only call that runs asks the same again: its server was lost with the question, and runs it again. */
function isSame(one: Asking, other: Asking): boolean {
  const [earlier, later] = [one, other].map(({ kind, params, during }) => JSON.stringify([kind, params, during]));
  return one.during.length === 1 && earlier === later;
}

// Nobody waits for an answer on account of calls that are over.
effect(() => {
  const running = new Set(runningCalls.value);
  for (const { during, refuse } of questions.peek()) {
    if (during.length > 0 && !during.some((call) => running.has(call))) refuse();
  }
});

function forget(key: number): void {
  questions.value = questions.value.filter((other) => other.key !== key);
}

/** Those of a session that is over. */
export function forgetQuestions(): void {
  answers.clear();
  questions.value = [];
}
