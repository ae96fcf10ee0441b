import { delimiter, join } from "node:path";
import { type KitName, kitDirectory, pythonOf, sources } from "./kits.ts";
import type { Abilities, LaneName } from "./sighting.ts";

/** What may be different about a client although it does the same: its program is told by this word. */
export type Variant = "another-user-agent" | "version-header";

/** One client of the matrix. */
export interface Row {
  client: string;
  kit: KitName;
  /** The lanes it speaks. */
  lanes: LaneName[];
  can: Abilities;
  /** It opens a session for each call, so nothing is remembered between two. */
  sessionPerCall?: boolean;
  /** It is run once as it comes, and once more for each of these. */
  variants?: Variant[];
  /**
   * The program that shows the client the server; it is given the variant, if there is one, the URL and the lane, and
   * prints a `Sighting`.
   */
  program: string[];
  /** Programs on the machine that it needs besides the kit's. */
  needs?: string[];
}

const node = (program: string, ...args: string[]) => [process.execPath, join(sources, "typescript", program), ...args];
const python = (kit: KitName, program: string) => [pythonOf(kitDirectory(kit)), join(sources, "python", program)];

/** A main class of a module of the Java kit. */
function java(module: string, main: string): string[] {
  const classPath = ["target/classes", "target/dependency/*"].map((path) => join(module, path));
  return ["java", "-cp", classPath.join(delimiter), main];
}

const all: Abilities = { progress: true, elicitation: true, sampling: true, log: true };
const none: Abilities = { progress: false, elicitation: false, sampling: false, log: false };
const both: LaneName[] = ["sse", "mcp"];

/** SDK v1 of some age: elicitation came with 1.13, Streamable HTTP with 1.10. */
const sdkV1 = (release: "1.7" | "1.12" | "1.17" | "1.25" | "1.32", more: Partial<Row> = {}): Row => ({
  client: `TypeScript SDK ${release}`,
  kit: "typescript",
  lanes: both,
  can: all,
  program: node("sdk-v1.ts", `sdk-${release}`),
  ...more,
});

const pythonRow = (client: string, kit: KitName, program: string, more: Partial<Row> = {}): Row => ({
  client,
  kit,
  lanes: both,
  can: all,
  program: python(kit, program),
  ...more,
});

/** Versions before 2 end a stream at a `retry:` line, whatever their user agent, which a program can change. */
const javaSdk = (release: "0.17" | "1.1" | "2"): Row => ({
  client: `Java SDK ${release}`,
  kit: "java",
  lanes: both,
  can: { ...all, progress: "unordered" },
  variants: ["another-user-agent"],
  program: java(`sdk-${release}`, "Client"),
});

export const rows: Row[] = [
  sdkV1("1.7", { lanes: ["sse"], can: { ...all, elicitation: false } }),
  sdkV1("1.12", { can: { ...all, elicitation: false } }),
  sdkV1("1.17"),
  sdkV1("1.25"),
  sdkV1("1.32"),
  { client: "TypeScript SDK 2", kit: "typescript", lanes: both, can: all, program: node("sdk-v2.ts") },
  { client: "TypeScript SDK 2, auto", kit: "typescript", lanes: both, can: all, program: node("sdk-v2.ts", "auto") },
  {
    client: "MCP Inspector --cli",
    kit: "typescript",
    lanes: both,
    // It makes one request and prints its result.
    can: none,
    sessionPerCall: true,
    program: node("inspector-cli.ts"),
  },
  {
    client: "MCP Inspector UI",
    kit: "typescript",
    lanes: both,
    // Log messages are on another of its screens.
    can: { ...all, log: false },
    program: node("inspector-ui.ts"),
    needs: ["chromium"],
  },
  { client: "mcp-remote", kit: "typescript", lanes: both, can: all, program: node("mcp-remote.ts") },
  {
    client: "mcp-remote, without options",
    kit: "typescript",
    lanes: ["sse"],
    can: all,
    program: node("mcp-remote.ts", "as-it-comes"),
  },
  { client: "AI SDK", kit: "typescript", lanes: both, can: { ...none, elicitation: true }, program: node("ai-sdk.ts") },
  {
    client: "LangChain JS",
    kit: "typescript",
    lanes: both,
    can: { ...none, progress: true, log: true },
    program: node("langchain.ts"),
  },
  pythonRow("LangChain Python", "python-langchain", "langchain_client.py", {
    can: { ...none, progress: true, elicitation: true },
    sessionPerCall: true,
  }),
  pythonRow("mcp-use", "python-langchain", "mcp_use_client.py", { can: { ...all, progress: false } }),
  pythonRow("OpenAI Agents SDK", "python-agents", "openai_agents_client.py", { can: none }),
  pythonRow("Pydantic AI", "python-agents", "pydantic_ai_client.py"),
  pythonRow("LlamaIndex", "python-agents", "llama_index_client.py", {
    can: { ...none, sampling: true },
    sessionPerCall: true,
  }),
  pythonRow("Agno", "python-agents", "agno_client.py", { can: none }),
  pythonRow("Python SDK 1", "python-langchain", "sdk_client.py", { variants: ["version-header"] }),
  pythonRow("Python SDK 2", "python", "sdk_client.py", { variants: ["version-header"] }),
  pythonRow("Python SDK 2, Client", "python", "sdk2_client.py"),
  pythonRow("FastMCP", "python", "fastmcp_client.py"),
  { client: "Go SDK", kit: "go", lanes: both, can: all, program: [join(kitDirectory("go"), "client")] },
  javaSdk("0.17"),
  javaSdk("1.1"),
  javaSdk("2"),
  {
    client: "Spring WebFlux",
    kit: "java",
    lanes: both,
    can: { ...all, progress: "unordered" },
    program: java("spring-webflux", "SpringClient"),
  },
];
