import { expect } from "vitest";
import type { ClientRequest, User } from "../support/official-clients.ts";
import type { Lane } from "./lanes.ts";

/** What one request must give: its normalised outcome, its progress, and the log messages it caused, in order. */
interface Expected {
  result?: unknown;
  error?: unknown;
  progress?: unknown[];
  logs?: unknown[];
}

export interface Call {
  title: string;
  user: keyof typeof users;
  request: ClientRequest;
  expected: Expected;
  /** Where the protocol itself makes the answer another one, and why. */
  differs?: { where: (lane: Lane) => boolean; why: string; expected: Expected };
}

export const users = {
  accepting: { elicit: (message) => ({ action: "accept", content: { answer: `Blue, to "${message}"` } }) },
  declining: { elicit: () => ({ action: "decline" }) },
  /** Declares no capability at all. */
  mute: {},
} satisfies Record<string, User>;

const call = (name: string, args: Record<string, unknown> = {}): ClientRequest => ({
  method: "tools/call",
  params: { name, arguments: args },
});

const text = (value: string): Expected => ({ result: { content: [{ type: "text", text: value }] } });
const failure = (value: unknown): Expected => ({ result: { content: [{ type: "text", text: value }], isError: true } });

const isStateless = (lane: Lane): boolean => lane.name === "/mcp, stateless";
const noMemory = failure(expect.stringContaining("no session to remember anything in"));
const why2026 = "2026-07-28 has an error code of its own for a capability that the client lacks";

/** Run in this order by one client for each user, in every lane. */
export const calls: Call[] = [
  { title: "add 25 and 25", user: "mute", request: call("add", { a: 25, b: 25 }), expected: text("50") },
  {
    title: "add a number that is no integer",
    user: "mute",
    request: call("add", { a: 1, b: 0.5 }),
    expected: failure(expect.stringMatching(/\bb: .*expected int/)),
  },
  {
    title: "add without an argument",
    user: "mute",
    request: call("add", { a: 1 }),
    expected: failure(expect.stringMatching(/\bb: /)),
  },
  {
    title: "call a tool that does not exist",
    user: "mute",
    request: call("subtract", { a: 1, b: 1 }),
    expected: { error: { code: -32_602, message: "Tool subtract not found" } },
  },
  {
    title: "count down with progress and log messages",
    user: "mute",
    request: call("countdown", { from: 3, stepMs: 1 }),
    expected: {
      ...text("Counted down from 3."),
      progress: [3, 2, 1].map((left, step) => ({ progress: step + 1, total: 3, message: String(left) })),
      logs: [3, 2, 1].map((left) => ({ level: "info", logger: "countdown", data: `${left}…` })),
    },
  },
  {
    title: "remember a value",
    user: "mute",
    request: call("remember", { key: "colour", value: "blue" }),
    expected: text("Remembered colour."),
    differs: { where: isStateless, why: "it has no session", expected: noMemory },
  },
  {
    title: "recall the value",
    user: "mute",
    request: call("recall", { key: "colour" }),
    expected: text("blue"),
    differs: { where: isStateless, why: "it has no session", expected: noMemory },
  },
  {
    title: "recall what was never remembered",
    user: "mute",
    request: call("recall", { key: "taste" }),
    expected: failure("Nothing is remembered as taste."),
    differs: { where: isStateless, why: "it has no session", expected: noMemory },
  },
  {
    title: "be asked, and answer",
    user: "accepting",
    request: call("ask", { question: "Which colour?" }),
    expected: text('Blue, to "Which colour?"'),
  },
  {
    title: "be asked, and decline",
    user: "declining",
    request: call("ask", { question: "Which colour?" }),
    expected: text("The user did not answer."),
  },
  {
    title: "be asked without the capability to answer",
    user: "mute",
    request: call("ask", { question: "Which colour?" }),
    expected: failure(expect.stringMatching(/elicitation.*did not declare the required capability/)),
    differs: {
      where: ({ revision }) => revision === "2026-07-28",
      why: why2026,
      expected: {
        error: { code: -32_021, message: expect.stringMatching(/elicitation.*do not declare the required capability/) },
      },
    },
  },
  {
    title: "list the tools",
    user: "mute",
    request: { method: "tools/list" },
    expected: {
      result: {
        tools: ["add", "countdown", "remember", "recall", "ask", "sample"].map((name) =>
          expect.objectContaining({ name, inputSchema: expect.objectContaining({ type: "object" }) }),
        ),
      },
    },
  },
  {
    title: "list the resources",
    user: "mute",
    request: { method: "resources/list" },
    expected: {
      result: {
        resources: [{ uri: "about://server", name: "about", title: "About this server", mimeType: "text/plain" }],
      },
    },
  },
  {
    title: "list the resource templates",
    user: "mute",
    request: { method: "resources/templates/list" },
    expected: {
      result: {
        resourceTemplates: [
          {
            uriTemplate: "greeting://{name}",
            name: "greeting",
            title: "A greeting for somebody",
            mimeType: "text/plain",
          },
        ],
      },
    },
  },
  {
    title: "read a resource",
    user: "mute",
    request: { method: "resources/read", params: { uri: "about://server" } },
    expected: { result: { contents: [{ uri: "about://server", mimeType: "text/plain", text: "mcp-edge 1.0.0" }] } },
  },
  {
    title: "read a resource of a template",
    user: "mute",
    request: { method: "resources/read", params: { uri: "greeting://Ada" } },
    expected: { result: { contents: [{ uri: "greeting://Ada", mimeType: "text/plain", text: "Hello, Ada!" }] } },
  },
  {
    title: "read a resource that does not exist",
    user: "mute",
    request: { method: "resources/read", params: { uri: "nowhere://at-all" } },
    expected: { error: { code: -32_602, message: "Resource not found: nowhere://at-all" } },
  },
  {
    title: "list the prompts",
    user: "mute",
    request: { method: "prompts/list" },
    expected: { result: { prompts: [expect.objectContaining({ name: "explain" })] } },
  },
  {
    title: "get a prompt",
    user: "mute",
    request: { method: "prompts/get", params: { name: "explain", arguments: { topic: "tides", audience: "a child" } } },
    expected: {
      result: { messages: [{ role: "user", content: { type: "text", text: "Explain tides to a child." } }] },
    },
  },
  {
    title: "complete an argument of a prompt",
    user: "mute",
    request: {
      method: "completion/complete",
      params: { ref: { type: "ref/prompt", name: "explain" }, argument: { name: "audience", value: "an" } },
    },
    expected: { result: { completion: { values: ["an engineer", "an expert"], total: 2, hasMore: false } } },
  },
];
