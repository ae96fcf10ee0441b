import { join } from "node:path";
import { type KitName, kitDirectory, pythonOf, sources } from "./kits.ts";
import type { Abilities, LaneName } from "./sighting.ts";

/** One client of the matrix. */
export interface Row {
  client: string;
  kit: KitName;
  /** The lanes it speaks. */
  lanes: LaneName[];
  can: Abilities;
  /** The program that shows the client the server; it is given the URL and the lane, and prints a `Sighting`. */
  program: string[];
  /** Programs on the machine that it needs besides the kit's. */
  needs?: string[];
}

const node = (program: string, ...args: string[]) => [process.execPath, join(sources, "typescript", program), ...args];
const python = (kit: KitName, program: string) => [pythonOf(kitDirectory(kit)), join(sources, "python", program)];

const all: Abilities = { progress: true, elicitation: true, sampling: true };
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

export const rows: Row[] = [
  sdkV1("1.7", { lanes: ["sse"], can: { ...all, elicitation: false } }),
  sdkV1("1.12", { can: { ...all, elicitation: false } }),
  sdkV1("1.17"),
  sdkV1("1.25"),
  sdkV1("1.32"),
  { client: "TypeScript SDK 2", kit: "typescript", lanes: both, can: all, program: node("sdk-v2.ts") },
  {
    client: "MCP Inspector --cli",
    kit: "typescript",
    lanes: both,
    // It makes one request and prints its result.
    can: { progress: false, elicitation: false, sampling: false },
    program: node("inspector-cli.ts"),
  },
  {
    client: "MCP Inspector UI",
    kit: "typescript",
    lanes: both,
    can: all,
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
  {
    client: "AI SDK",
    kit: "typescript",
    lanes: both,
    can: { progress: false, elicitation: true, sampling: false },
    program: node("ai-sdk.ts"),
  },
  {
    client: "LangChain JS",
    kit: "typescript",
    lanes: both,
    can: { progress: true, elicitation: false, sampling: false },
    program: node("langchain.ts"),
  },
  {
    client: "LangChain Python",
    kit: "python-langchain",
    lanes: both,
    can: { progress: true, elicitation: true, sampling: false },
    program: python("python-langchain", "langchain/client.py"),
  },
  {
    client: "Python SDK 1",
    kit: "python-langchain",
    lanes: both,
    can: all,
    program: python("python-langchain", "sdk_client.py"),
  },
  { client: "Python SDK 2", kit: "python", lanes: both, can: all, program: python("python", "sdk_client.py") },
  { client: "FastMCP", kit: "python", lanes: both, can: all, program: python("python", "fastmcp_client.py") },
  { client: "Go SDK", kit: "go", lanes: both, can: all, program: [join(kitDirectory("go"), "client")] },
  {
    client: "Java SDK",
    kit: "java",
    lanes: both,
    can: all,
    program: [
      "java",
      "-cp",
      ["target/classes", "target/dependency/*"].join(process.platform === "win32" ? ";" : ":"),
      "Client",
    ],
  },
];
