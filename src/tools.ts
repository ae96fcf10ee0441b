import type {
  CallToolResult,
  ContentBlock,
  Icon,
  InputRequiredResult,
  McpServer,
  RegisteredTool,
  ScopeChallengeHandler,
  ServerContext,
  StandardSchemaWithJSON,
  ToolAnnotations,
} from "@modelcontextprotocol/server";

/** What a tool is, as clients list it (MCP, server features: tools). */
export interface ToolConfig<Input extends StandardSchemaWithJSON, Output extends StandardSchemaWithJSON> {
  /** Its name for people. */
  title?: string;
  /** When and how to call it: models read this. */
  description?: string;
  /** What it takes: of zod, `z.object({ … })`. Nothing if not given. */
  inputSchema?: Input;
  /** What its `structuredContent` is. Without it there is none. */
  outputSchema?: Output;
  /** After a crash, a call is run again only if `readOnlyHint` or `idempotentHint` is true. */
  annotations?: ToolAnnotations;
  /** Pictures for its clients' lists. */
  icons?: Icon[];
  /** Asks for more scopes than a call came with, see the SDK (MCP, authorization: step-up). */
  scopeChallenge?: ScopeChallengeHandler;
  /** For clients that know what it means. */
  _meta?: Record<string, unknown>;
}

/** An answer whose content the model reads. */
export interface TextResult {
  /** What the model reads: texts, images, audio, resources (MCP, server features: tools). */
  content: ContentBlock[];
  /** Whether the call failed. Not, if not given. */
  isError?: boolean | undefined;
  /** For clients that know what it means. */
  _meta?: Record<string, unknown> | undefined;
}

/** An error that the model can read and act on, unlike a JSON-RPC error. */
export interface FailureResult extends TextResult {
  /** It failed. */
  isError: true;
}

/** An answer with a value for programs; its content says the same to clients that know of no such values. */
export interface StructuredResult<Value> extends TextResult {
  /** What `outputSchema` describes. */
  structuredContent: Value;
}

/**
 * What a handler returns: an answer, a failure, or `inputRequired(…)` to ask the user or the model first. The answer of a
 * tool with an `outputSchema` has a `Value` that fits it; a failure need not have one.
 */
export type ToolResult<Value = unknown> =
  | InputRequiredResult
  | FailureResult
  | StructuredResult<Value>
  | (unknown extends Value ? TextResult : never);

/** An answer of one text. */
export function text(value: string): TextResult {
  return { content: [{ type: "text", text: value }] };
}

/** An error that the model can read and act on: what is wrong, and what to do. */
export function failure(message: string): FailureResult {
  return { ...text(message), isError: true };
}

/** The answer of a tool with an `outputSchema`: `value`, which is JSON, and the same as text. */
export function structured<Value>(value: Value): StructuredResult<Value> {
  return { ...text(JSON.stringify(value)), structuredContent: value };
}

/** What a tool without `inputSchema` is called with. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- any other type would have properties
type NoArguments = StandardSchemaWithJSON<unknown, Record<never, never>>;

type Handler<Input extends StandardSchemaWithJSON, Output extends StandardSchemaWithJSON> = (
  args: StandardSchemaWithJSON.InferOutput<Input>,
  ctx: ServerContext,
) =>
  | ToolResult<StandardSchemaWithJSON.InferInput<Output>>
  | Promise<ToolResult<StandardSchemaWithJSON.InferInput<Output>>>;

/**
 * Registers a tool with a server of SDK v2, as `server.registerTool` does. The handler is called with the arguments, which
 * `inputSchema` has checked, and with the SDK's context of the call.
 *
 * `registerTool` can be called in two ways, and of a mistake the compiler says that the schema does not fit the second. This
 * can be called in one: a mistake is reported where it is, in what the handler takes or returns.
 * @throws {Error} if the server has a tool of that name.
 */
export function tool<
  Input extends StandardSchemaWithJSON = NoArguments,
  Output extends StandardSchemaWithJSON = StandardSchemaWithJSON,
>(
  server: McpServer,
  name: string,
  { inputSchema, ...config }: ToolConfig<Input, Output>,
  handler: Handler<Input, Output>,
): RegisteredTool {
  // The SDK's own type for what a handler returns knows nothing of `Output`, and is met by all that is of ours.
  const call = handler as (args: unknown, ctx: ServerContext) => CallToolResult | Promise<CallToolResult>;
  if (inputSchema === undefined) return server.registerTool(name, config, (ctx) => call({}, ctx));
  return server.registerTool<Output, StandardSchemaWithJSON>(name, { ...config, inputSchema }, call);
}
