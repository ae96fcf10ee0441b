import { connectV2 } from "../../../test/support/official-clients.ts";
import { makeCalls } from "./calls.ts";
import { programArguments, projectFile, report, textOf, versionIn } from "./kit.ts";

const { url, lane, rest } = programArguments();
const client = await connectV2(url, lane === "sse" ? "sse" : "http", {
  user: { elicit: () => ({ action: "accept", content: { answer: "blue" } }), sample: () => "tides" },
  mode: rest.includes("auto") ? "auto" : "legacy",
});

const progress: number[] = [];
const call = async (name: string, args: Record<string, unknown>) => {
  const onprogress = (part: { progress: number }) => void progress.push(part.progress);
  return textOf(await client.send({ method: "tools/call", params: { name, arguments: args } }, { onprogress }));
};
const heard = () =>
  client.notifications
    .filter(({ method }) => method === "notifications/message")
    .map(({ params }) => String(params?.["data"]));

const { tools } = (await client.send({ method: "tools/list" })) as { tools: { name: string }[] };
report({
  version: versionIn(projectFile("@modelcontextprotocol/client")),
  tools: tools.map(({ name }) => name),
  ...(await makeCalls({ call, asks: true, samples: true, heard })),
  progress,
});
await client.close();
