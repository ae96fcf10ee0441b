import { waitUntil } from "cloudflare:workers";
import {
  type McpServer,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type StandardSchemaV1,
} from "@modelcontextprotocol/server";
import { callerOf, holderHeaders, noteCaller } from "../link/caller.ts";
import { askHeaders, url } from "../link/link.ts";
import { askAgain } from "../link/ask-again.ts";
import type { TaskAnswer, TaskQuestion } from "../link/task.ts";
import { mayForgetTaskName } from "../protocol/clients.ts";
import { echoableId, isObject } from "../protocol/json-rpc.ts";
import * as refusals from "../protocol/refusals.ts";
import { newSessionId, secretIn } from "../protocol/session-id.ts";
import { handedOver } from "../stream/held-messages.ts";
import { aroundCalls } from "../sdk/call-hooks.ts";
import { declaresTasks, onOwnTasks, tasksExtension } from "../tasks/extension.ts";
import { findSession, toObject } from "./objects.ts";

/**
 * The extension Tasks on the Worker's side: a call that may become a task runs in an object of its own from its beginning, as
 * none can be moved; what is asked about a task goes to its object. A server that has the extension itself is left alone.
 */

const methods = ["get", "update", "cancel"] as const;

/** Runs a call of a client that reads tasks: the answer is that of the call, or the task that it has become. */
export async function callInObject(
  request: Request,
  { text, body }: { text: string; body: unknown },
  namespace: DurableObjectNamespace,
): Promise<Response> {
  const objectId = namespace.newUniqueId();
  const secret = secretIn(newSessionId(objectId.toString()));
  const object = namespace.get(objectId);
  // The platform does not tell the object. Unless it is a task by then, the call is cancelled.
  const tellCut = (): void => waitUntil(object.fetch(url, questionInit({ do: "cut" })).catch(() => undefined));
  request.signal.addEventListener("abort", tellCut);
  handedOver.add(secret);
  try {
    return await object.fetch(toObject(request, { verb: "task-call", secret }, text));
  } catch (error) {
    console.warn(JSON.stringify({ event: "interrupted", error: String(error) }));
    return refusals.interrupted(echoableId(body));
  } finally {
    handedOver.delete(secret);
  }
}

/** `request` with the header that a client forgot, which its `body` says as well. Of any other client: as it is. */
export function withTaskName(request: Request, body: unknown): Request {
  const { method, params } = isObject(body) ? body : {};
  const taskId = isObject(params) ? params["taskId"] : undefined;
  const isForgotten = !request.headers.has("mcp-name") && mayForgetTaskName(request.headers);
  // What cannot stand in a header is no id of ours.
  if (!isForgotten || !String(method).startsWith("tasks/") || !/^\w+$/.test(String(taskId))) return request;
  const headers = new Headers(request.headers);
  headers.set("mcp-name", String(taskId));
  const named = new Request(request.url, { method: "POST", headers, signal: request.signal });
  noteCaller(named, callerOf(request));
  return named;
}

/** Has `server` answer what is asked about tasks. `request`: which it was built for. */
export function offerTasks(
  product: McpServer | Server,
  { request, namespace }: { request: Request | undefined; namespace: DurableObjectNamespace },
): void {
  const server = "server" in product ? product.server : product;
  if (server.getCapabilities().extensions?.[tasksExtension] !== undefined) {
    if (request !== undefined) onOwnTasks.get(request)?.();
    return;
  }
  server.registerCapabilities({ extensions: { [tasksExtension]: {} } });
  refuseUndeclared(product);
  const owner = (request && callerOf(request)?.owner) ?? "";
  for (const method of methods) {
    server.setRequestHandler(`tasks/${method}`, { params: anyParams }, async ({ taskId }, { mcpReq }) => {
      const { envelope, inputResponses } = mcpReq;
      if (!declaresTasks(envelope)) throw missingTasks();
      const question = questionOf(method, inputResponses);
      const answer = typeof taskId === "string" ? await ask(namespace, { taskId, owner, question }) : null;
      if (answer === null) throw unknownTask();
      const { fault } = answer;
      if (typeof fault === "string") throw new ProtocolError(ProtocolErrorCode.InvalidParams, fault);
      return method === "get" ? { taskId, ...answer } : answer;
    });
  }
}

/** A tool that says it runs only as a task is refused to who cannot read one. */
function refuseUndeclared(product: McpServer | Server): void {
  const tools: unknown = Reflect.get(product, "_registeredTools");
  const required = (name: unknown): boolean => {
    const tool: unknown = Object.hasOwn(Object(tools), String(name)) ? Reflect.get(Object(tools), String(name)) : {};
    return Object(Object(tool).execution).taskSupport === "required";
  };
  if (!Object.keys(Object(tools)).some(required)) return;
  aroundCalls(product, ({ method, params }, context, run) => {
    const isDeclared = declaresTasks(Object(Object(context).mcpReq).envelope);
    if (method === "tools/call" && required(params?.["name"]) && !isDeclared) throw missingTasks();
    return run();
  });
}

function questionOf(method: (typeof methods)[number], inputResponses: unknown): TaskQuestion {
  if (method !== "update") return { do: method };
  if (isObject(inputResponses)) return { do: method, inputResponses };
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, "tasks/update needs inputResponses, an object.");
}

async function ask(
  namespace: DurableObjectNamespace,
  { taskId, owner, question }: { taskId: string; owner: string; question: TaskQuestion },
): Promise<TaskAnswer> {
  // What was never an id of ours is asked of nobody.
  if (findSession(namespace, taskId) === undefined) return null;
  const object = () => findSession(namespace, taskId) as DurableObjectStub;
  const answer = await askAgain(
    "The task",
    object,
    questionInit(question, holderHeaders({ secret: secretIn(taskId), owner })),
  );
  return isObject(answer) ? answer : null;
}

function questionInit(question: TaskQuestion, holder: Record<string, string> = {}) {
  const headers = { ...askHeaders({ verb: "task-question" }), ...holder };
  return { method: "POST", headers, body: JSON.stringify(question) };
}

/** Section Error Handling: one answer for an id that never was, one whose time is over, and one that is another's. */
function unknownTask(): ProtocolError {
  const message = "Task not found: it never existed, or its time to live is over. Call the tool again.";
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}

function missingTasks(): MissingRequiredClientCapabilityError {
  return new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [tasksExtension]: {} } } });
}

type Params = Record<string, unknown>;

/** What each handler checks itself. */
const anyParams: StandardSchemaV1<Params, Params> = {
  "~standard": {
    version: 1,
    vendor: "mcp-edge",
    validate: (value) => ({ value: isObject(value) ? value : {} }),
  },
};
