import { statelessRequest } from "./stateless-request.ts";

const pollMs = 50;

const capabilitiesKey = "io.modelcontextprotocol/clientCapabilities";

/** What a client says of itself in `_meta`. */
export function capabilitiesOf({ reads, elicits = true }: { reads: boolean; elicits?: boolean }): object {
  const extensions = reads ? { extensions: { "io.modelcontextprotocol/tasks": {} } } : {};
  return { [capabilitiesKey]: { ...(elicits ? { elicitation: {} } : {}), ...extensions } };
}

export interface Answered {
  status: number;
  result?: Record<string, unknown>;
  error?: { code: number; message: string; data?: unknown };
}

/** A client of the stateless revision that reads tasks, over plain HTTP. */
export class TaskClient {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #capabilities: object;

  constructor(url: string, { headers = {}, reads = true }: { headers?: Record<string, string>; reads?: boolean } = {}) {
    this.#url = url;
    this.#headers = headers;
    this.#capabilities = capabilitiesOf({ reads });
  }

  async post(
    method: string,
    params: Record<string, unknown>,
    { meta = {} }: { meta?: object } = {},
  ): Promise<Response> {
    const { headers, message } = statelessRequest(method, params);
    const _meta = { ...message.params._meta, ...this.#capabilities, ...meta };
    return await fetch(`${this.#url}/mcp`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
        ...this.#headers,
        ...(typeof params["taskId"] === "string" ? { "mcp-name": params["taskId"] } : {}),
      },
      body: JSON.stringify({ ...message, params: { ...message.params, _meta } }),
    });
  }

  async ask(method: string, params: Record<string, unknown>): Promise<Answered> {
    const response = await this.post(method, params);
    const said: Omit<Answered, "status"> = await response.json();
    return { ...said, status: response.status };
  }

  async call(name: string, args: Record<string, unknown> = {}): Promise<Answered> {
    return await this.ask("tools/call", { name, arguments: args });
  }

  /** Calls what becomes a task. Its id. */
  async begin(name: string, args: Record<string, unknown> = {}): Promise<string> {
    const answer = await this.call(name, args);
    if (answer.result?.["resultType"] !== "task") throw new Error(`no task: ${JSON.stringify(answer)}`);
    return String(answer.result?.["taskId"]);
  }

  /** Begins what becomes a task, however slow the machine is: no tool of `task-server.ts` ends meanwhile. */
  async whileHeld<Begun>(begin: () => Promise<Begun>): Promise<Begun> {
    await fetch(`${this.#url}/test/hold`);
    const begun = await begin();
    await fetch(`${this.#url}/test/go`);
    return begun;
  }

  async get(taskId: string): Promise<Answered> {
    return await this.ask("tasks/get", { taskId });
  }

  /** What `tasks/get` says once the task has that status. */
  async until(taskId: string, status: string, timeout = 90_000): Promise<Record<string, unknown>> {
    for (const endsAtMs = Date.now() + timeout; ;) {
      const said = await this.get(taskId);
      if (said.result?.["status"] === status) return said.result;
      if (Date.now() > endsAtMs) throw new Error(`not ${status}: ${JSON.stringify(said)}`);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }
}
