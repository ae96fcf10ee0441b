import { expect, test } from "vitest";
import { judge, judgeElicitation, judgeSampling, type Sighting } from "./sighting.ts";
import { formatTable, type TableRow } from "./table.ts";

const can = { progress: true, elicitation: true, sampling: true };
const tools = ["add", "countdown", "remember", "recall", "ask", "sample"];
const right: Sighting = {
  version: "1.0.0",
  tools,
  sum: "50",
  countdown: "Counted down from 3.",
  progress: [1, 2, 3],
  answer: "blue",
  sampled: "tides",
};

test("a client that saw everything has no faults", () => {
  expect([...judge(right, can), ...judgeElicitation(right), ...judgeSampling(right)]).toEqual([]);
});

test.for<[string, Partial<Sighting>, RegExp]>([
  ["a tool is missing", { tools: tools.slice(1) }, /does not list add/],
  ["a sum is wrong", { sum: "51" }, /25 and 25 are 51/],
  ["a result is wrong", { countdown: "" }, /countdown gives/],
  ["progress is missing", { progress: [] }, /progress is \[\]/],
  ["progress comes in another order", { progress: [2, 1, 3] }, /progress is \[2,1,3\]/],
  ["an answer is lost", { answer: "The user did not answer." }, /ask gives The user did not answer/],
  ["a model's words are lost", { sampled: "" }, /sample gives/],
])("a client fails when %s", ([, wrong, fault]) => {
  const sighting = { ...right, ...wrong };
  const faults = [...judge(sighting, can), ...judgeElicitation(sighting), ...judgeSampling(sighting)];
  expect(faults).toEqual([expect.stringMatching(fault)]);
});

test("a client that cannot be run counts apart from those that passed and failed", () => {
  const cells = { version: "1", sse: "passed", mcp: "–", elicitation: "–", sampling: "–", faults: [] } as const;
  const rows: TableRow[] = [
    { client: "one", ...cells, faults: [] },
    { client: "two", ...cells, sse: "failed", faults: ["/sse: 25 and 25 are 51"] },
    { client: "three", ...cells, sse: "not run", why: "needs go", faults: [] },
  ];
  expect(formatTable(rows).split("\n")).toEqual([
    "| client | version | /sse    | /mcp | elicitation | sampling |",
    "| ------ | ------- | ------- | ---- | ----------- | -------- |",
    "| one    | 1       | passed  | –    | –           | –        |",
    "| two    | 1       | failed  | –    | –           | –        |",
    "| three  | 1       | not run | –    | –           | –        |",
    "",
    "1 passed, 1 failed, 1 not run.",
    "two /sse: 25 and 25 are 51",
    "three was not run: it needs go.",
  ]);
});
