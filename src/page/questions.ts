import type {
  CreateMessageRequestParams,
  CreateMessageResult,
  ElicitRequestParams,
  ElicitResult,
} from "@modelcontextprotocol/client";
import { ProtocolError } from "@modelcontextprotocol/client";
import { signal } from "@preact/signals";

/** What the server asks the person at the page while a call runs. */
type Asked =
  | { kind: "elicitation"; params: ElicitRequestParams; answer: (result: ElicitResult) => void }
  | { kind: "sampling"; params: CreateMessageRequestParams; answer: (result: CreateMessageResult) => void };

export type Question = Asked & { key: number; refuse: () => void };

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
  return new Promise((resolve, reject) => {
    const key = (asked += 1);
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
    questions.value = [...questions.value, { ...question, key, answer, refuse } as Question];
  });
}

function forget(key: number): void {
  questions.value = questions.value.filter((other) => other.key !== key);
}

/** Those of a session that is over. */
export function forgetQuestions(): void {
  answers.clear();
  questions.value = [];
}
