import { connectV2 } from "../../../support/official-clients.ts";
import { programArguments, projectFile, report, textOf, versionIn } from "./kit.ts";

const { url, lane } = programArguments();
const client = await connectV2(url, lane === "sse" ? "sse" : "http", {
  user: { elicit: () => ({ action: "accept", content: { answer: "blue" } }), sample: () => "tides" },
});

const call = async (
  name: string,
  args: Record<string, unknown>,
  onprogress = (_part: { progress: number }): void => {},
) => textOf(await client.send({ method: "tools/call", params: { name, arguments: args } }, { onprogress }));

const { tools } = (await client.send({ method: "tools/list" })) as { tools: { name: string }[] };
const progress: number[] = [];
report({
  version: versionIn(projectFile("@modelcontextprotocol/client")),
  tools: tools.map(({ name }) => name),
  sum: await call("add", { a: 25, b: 25 }),
  countdown: await call("countdown", { from: 3, stepMs: 50 }, (part) => progress.push(part.progress)),
  progress,
  answer: await call("ask", { question: "Which colour?" }),
  sampled: await call("sample", { prompt: "What moves the sea?" }),
});
await client.close();
