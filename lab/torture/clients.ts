import { Client as ClientV2, SSEClientTransport as SseV2 } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport as SseV1 } from "@modelcontextprotocol/sdk/client/sse.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { EventSourceClient } from "./event-source-client.ts";

export const clientKinds = ["sdk-v1", "sdk-v2", "event-source"] as const;
export type ClientKind = (typeof clientKinds)[number];

/** A client that the torture drives: it connects once and is never helped again. */
export interface TortureClient {
  kind: ClientKind;
  /** Text of a tool's result; rejects with what the client's caller would see. */
  call(name: string, args: Record<string, unknown>, timeoutMs: number): Promise<string>;
  /** Answers that came for a call already answered. */
  duplicates(): number;
  close(): Promise<void>;
}

const info = { name: "torture", version: "1" };

/** `headers`: those of each of its requests. */
export async function connectClient(
  kind: ClientKind,
  base: string,
  headers: Record<string, string> = {},
): Promise<TortureClient> {
  switch (kind) {
    case "sdk-v1":
      return await connectV1(base, headers);
    case "sdk-v2":
      return await connectV2(base, headers);
    case "event-source":
      return await connectEventSource(base, headers);
  }
}

async function connectV1(base: string, headers: Record<string, string>): Promise<TortureClient> {
  const client = new ClientV1(info, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({ action: "accept", content: { n: params.message } }));
  let duplicates = 0;
  client.onerror = (error) => void (duplicates += isDuplicate(error) ? 1 : 0);
  await client.connect(new SseV1(new URL(`${base}/sse`), { requestInit: { headers } }));
  return {
    kind: "sdk-v1",
    call: async (name, args, timeout) =>
      resultText(await client.callTool({ name, arguments: args }, undefined, { timeout })),
    duplicates: () => duplicates,
    close: () => client.close(),
  };
}

async function connectV2(base: string, headers: Record<string, string>): Promise<TortureClient> {
  const client = new ClientV2(info, { capabilities: { elicitation: {} } });
  client.setRequestHandler("elicitation/create", ({ params }) => ({
    action: "accept",
    content: { n: params.message },
  }));
  let duplicates = 0;
  client.onerror = (error) => void (duplicates += isDuplicate(error) ? 1 : 0);
  await client.connect(new SseV2(new URL(`${base}/sse`), { requestInit: { headers } }));
  return {
    kind: "sdk-v2",
    call: async (name, args, timeout) => resultText(await client.callTool({ name, arguments: args }, { timeout })),
    duplicates: () => duplicates,
    close: () => client.close(),
  };
}

async function connectEventSource(base: string, headers: Record<string, string>): Promise<TortureClient> {
  const client = await EventSourceClient.connect(base, headers);
  return {
    kind: "event-source",
    call: async (name, args, timeoutMs) =>
      resultText(await client.request("tools/call", { name, arguments: args }, timeoutMs)),
    duplicates: () => client.duplicates,
    close: () => client.close(),
  };
}

/** How both SDKs report a second answer. */
function isDuplicate(error: Error): boolean {
  return error.message.includes("unknown message ID");
}

function resultText(result: unknown): string {
  const [first] = (result as { content?: { text?: string }[] }).content ?? [];
  return first?.text ?? JSON.stringify(result);
}
