import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import {
  createTaskSessionFromClient,
  DispatchError,
  type JsonRpcResponse,
  type RawClientDispatch,
  resultFromTaskOutcome,
} from "@modelcontextprotocol/ext-tasks/client";
import { TaskClient } from "../../test/support/task-client.ts";
import { FastMcp } from "./fastmcp-client.ts";

export const taskClientKinds = ["raw", "ext-tasks", "fastmcp"] as const;
export type TaskClientKind = (typeof taskClientKinds)[number];

/** A call that has become a task. */
export interface BegunTask {
  taskId: string;
  /** Text of the tool's result; rejects with what the client's caller would see, or once it has taken `timeoutMs`. */
  settle(timeoutMs: number): Promise<string>;
  cancel(): Promise<void>;
}

/** A client of the stateless revision that reads tasks. Of a task it knows of, it asks until it is told. */
export interface TaskTortureClient {
  kind: TaskClientKind;
  /** What it negotiated, if it says so. Without tasks there is the answer of the call itself. */
  revision?: string | undefined;
  /** What a call answered at once, or the task that it became. Rejects if it was cut: nobody knows of a task then. */
  begin(name: string, args: Record<string, unknown>): Promise<string | BegunTask>;
  close(): Promise<void>;
}

/** `headers`: those of each of its requests. */
export function connectTaskClient(
  kind: TaskClientKind,
  base: string,
  headers: Record<string, string> = {},
): Promise<TaskTortureClient> {
  switch (kind) {
    case "raw":
      return Promise.resolve(rawClient(base));
    case "ext-tasks":
      return connectExtTasks(base, headers);
    case "fastmcp":
      return FastMcp.connect(base);
  }
}

/** How long a client waits after a question that was cut, milliseconds. */
const againMs = 200;
/** How long it insists on a cancellation, milliseconds: far longer than any fault lasts. */
const cancelMs = 40_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks again while `ask` is cut, for so long. */
async function insist<Answer>(
  ask: () => Promise<Answer>,
  { isCut, timeoutMs }: { isCut: (error: unknown) => boolean; timeoutMs: number },
): Promise<Answer> {
  for (const endsAtMs = Date.now() + timeoutMs; ;) {
    try {
      return await ask();
    } catch (error) {
      if (!isCut(error)) throw error;
      if (Date.now() > endsAtMs) throw new Error(`timed out, at last by ${String(error)}`, { cause: error });
      await pause(againMs);
    }
  }
}

/** `fetch` says no more than this of a connection. */
const isFetchCut = (error: unknown): boolean => error instanceof TypeError || error instanceof SyntaxError;
/** What `dispatchTo` says of one. */
const isDispatchCut = (error: unknown): boolean => error instanceof DispatchError && error.retryable;

interface Said {
  status?: string;
  resultType?: string;
  pollIntervalMs?: number;
  inputRequests?: Record<string, { params: { message: string } }>;
  result?: unknown;
  error?: { message: string };
}

/** As the specification has it, and no more (revision 2026-07-28; SEP-2663). */
function rawClient(base: string): TaskTortureClient {
  const client = new TaskClient(base);
  const ask = async (method: string, params: Record<string, unknown>): Promise<Said> => {
    const { result, error } = await client.ask(method, params);
    if (error !== undefined) throw new Error(error.message);
    return result ?? {};
  };
  const answersTo = ({ inputRequests = {} }: Said) =>
    Object.fromEntries(
      Object.entries(inputRequests).map(([key, { params }]) => [
        key,
        { action: "accept", content: { n: params.message } },
      ]),
    );
  const settle = async (taskId: string, timeoutMs: number): Promise<string> => {
    const insisting = { isCut: isFetchCut, timeoutMs };
    for (const endsAtMs = Date.now() + timeoutMs; ;) {
      const said = await insist(() => ask("tasks/get", { taskId }), insisting);
      if (said.status === "completed") return textIn(said.result);
      if (said.status === "failed") throw new Error(said.error?.message);
      if (said.status === "cancelled") return "cancelled";
      if (Date.now() > endsAtMs) throw new Error(`timed out: ${JSON.stringify(said)}`);
      const inputResponses = answersTo(said);
      if (said.status === "input_required") {
        await insist(() => ask("tasks/update", { taskId, inputResponses }), insisting);
      } else await pause(said.pollIntervalMs ?? againMs);
    }
  };
  return {
    kind: "raw",
    async begin(name, args) {
      let { result, error } = await client.call(name, args);
      if (result?.["resultType"] === "input_required") {
        const inputResponses = answersTo(result);
        ({ result, error } = await client.ask("tools/call", { name, arguments: args, inputResponses }));
      }
      if (error !== undefined) throw new Error(error.message);
      if (result?.["resultType"] !== "task") return textIn(result);
      const taskId = String(result["taskId"]);
      return {
        taskId,
        settle: (timeoutMs) => settle(taskId, timeoutMs),
        cancel: async () => {
          await insist(() => ask("tasks/cancel", { taskId }), { isCut: isFetchCut, timeoutMs: cancelMs });
        },
      };
    },
    close: () => Promise.resolve(),
  };
}

const version = "2026-07-28";
const clientInfo = { name: "torture", version: "1" };

/** The TypeScript SDK with the client of the extension, which asks its host for the requests. */
async function connectExtTasks(base: string, headers: Record<string, string>): Promise<TaskTortureClient> {
  const capabilities = { elicitation: {} };
  const client = new Client(clientInfo, { capabilities, versionNegotiation: { mode: "auto" } });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${base}/mcp`), { requestInit: { headers } }));
  const session = createTaskSessionFromClient(client, {
    endpointId: base,
    rawDispatch: dispatchTo(base, headers),
    v2RequestFraming: { protocolVersion: version, clientInfo, clientCapabilities: capabilities },
    onInputRequest: (request) =>
      // The type of the answer follows the request's, which nothing here can say.
      Promise.resolve({ action: "accept", content: { n: request.params?.["message"] } } as never),
  });
  return {
    kind: "ext-tasks",
    revision: client.getNegotiatedProtocolVersion(),
    async begin(name, args) {
      const execution = await session.callTool(name, { ...args } as Record<string, never>);
      if (execution.kind === "immediate") return textIn(resultFromTaskOutcome((await execution.settle()).outcome));
      const { taskId } = execution.handle;
      const reference = execution.serializeReference();
      let current: typeof execution = execution;
      return {
        taskId,
        async settle(timeoutMs) {
          const insisting = { isCut: isDispatchCut, timeoutMs };
          const ask = async () => {
            const { outcome } = await current.settle();
            const reason = outcome.status === "failed" ? outcome.error.cause : undefined;
            if (!isDispatchCut(reason)) return outcome;
            // To it, a task has failed that it could not ask for. Then it is for its user to come back for the task.
            await current.close();
            const resumed = await insist(() => session.resumeTask(reference), insisting);
            if (resumed.kind === "task") current = resumed;
            throw reason;
          };
          const outcome = await insist(ask, insisting);
          return outcome.status === "cancelled" ? "cancelled" : textIn(resultFromTaskOutcome(outcome));
        },
        cancel: () => insist(() => session.cancelTask(taskId), { isCut: isDispatchCut, timeoutMs: cancelMs }),
      };
    },
    async close() {
      await session.close();
      await client.close();
    },
  };
}

/** How a host sends what the SDK's codec does not know. What was cut may be asked again, but not be called again. */
function dispatchTo(base: string, more: Record<string, string>): RawClientDispatch {
  let id = 0;
  return async (request): Promise<JsonRpcResponse> => {
    const { method, params } = request as { method: string; params?: { name?: string; taskId?: string } };
    const name = params?.taskId ?? params?.name;
    try {
      const response = await fetch(`${base}/mcp`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          "mcp-protocol-version": version,
          "mcp-method": method,
          ...more,
          ...(name === undefined ? {} : { "mcp-name": name }),
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params: params ?? {} }),
      });
      const { result, error } = (await response.json()) as { result?: never; error?: never };
      return error === undefined ? { kind: "result", result: result ?? null } : { kind: "error", error };
    } catch (error) {
      throw new DispatchError(`fetch failed: ${String(error)}`, method !== "tools/call", { cause: error });
    }
  };
}

function textIn(result: unknown): string {
  const [first] = (result as { content?: { text?: string }[] } | undefined)?.content ?? [];
  return first?.text ?? JSON.stringify(result);
}
