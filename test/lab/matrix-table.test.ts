import { expect, test } from "vitest";
import {
  judge,
  judgeElicitation,
  judgeLog,
  judgeMemory,
  judgeOpenings,
  judgeSampling,
  type Sighting,
} from "../../lab/matrix/sighting.ts";
import { formatTable, perLane, type TableRow } from "../../lab/matrix/table.ts";

const can = { progress: true, elicitation: true, sampling: true, log: true };
const tools = ["add", "countdown", "remember", "recall", "ask", "sample"];
const right: Sighting = {
  version: "1.0.0",
  tools,
  sum: "50",
  countdown: "Counted down from 3.",
  progress: [1, 2, 3],
  later: "It is later.",
  heard: ["3…", "one more thing"],
  revision: "2025-11-25",
  recalled: "green",
  answer: "blue",
  sampled: "tides",
};

const faultsOf = (sighting: Sighting) => [
  ...judge(sighting, can),
  ...judgeElicitation(sighting),
  ...judgeSampling(sighting),
  ...judgeLog(sighting),
  ...judgeMemory(sighting, {}).faults,
];

test("a client that saw everything has no faults", () => {
  expect(faultsOf(right)).toEqual([]);
});

test.for<[string, Partial<Sighting>, RegExp]>([
  ["a tool is missing", { tools: tools.slice(1) }, /does not list add/],
  ["a sum is wrong", { sum: "51" }, /25 and 25 are 51/],
  ["a result is wrong", { countdown: "" }, /countdown gives/],
  ["progress is missing", { progress: [] }, /progress is \[\]/],
  ["progress comes in another order", { progress: [2, 1, 3] }, /progress is \[2,1,3\]/],
  ["a call that takes its time fails", { later: "Error" }, /later gives Error/],
  ["what is said after a call is lost", { heard: ["3…"] }, /after later it heard \["3…"\]/],
  ["its session forgets", { recalled: "Nothing is remembered as colour." }, /memory is one call, not kept/],
  ["a value comes back changed", { recalled: "blue" }, /memory is lost, not kept: recall gives blue/],
  ["a stateless request remembers", { revision: "2026-07-28" }, /memory is kept, not none/],
  ["an answer is lost", { answer: "The user did not answer." }, /ask gives The user did not answer/],
  ["a model's words are lost", { sampled: "" }, /sample gives/],
])("a client fails when %s", ([, wrong, fault]) => {
  expect(faultsOf({ ...right, ...wrong })).toEqual([expect.stringMatching(fault)]);
});

test("of a client with several threads the order of progress is not judged, but whether it saw it", () => {
  const unordered = { ...can, progress: "unordered" } as const;
  expect(judge({ ...right, progress: [2, 1, 3] }, unordered)).toEqual([]);
  expect(judge({ ...right, progress: [3, 2] }, unordered)).toEqual([expect.stringMatching(/progress is \[3,2\]/)]);
});

test("a client without a session hears nothing after a call, and is not remembered", () => {
  const noSession = { revision: "2026-07-28", heard: [], recalled: "There is no session to remember anything in." };
  expect(faultsOf({ ...right, ...noSession })).toEqual([]);
  expect(judgeMemory({ ...right, ...noSession }, {}).memory).toBe("none");
});

test("a client with a session for each call is remembered for one", () => {
  const sighting = { ...right, recalled: "Nothing is remembered as colour." };
  expect(judgeMemory(sighting, { sessionPerCall: true })).toEqual({ memory: "one call", faults: [] });
});

test("a stream that begins with a question, or that nobody asked for, is a fault", () => {
  const accept = "text/event-stream";
  const openings = [
    { event: "endpoint", accept },
    { event: "endpoint", accept: "*/*" },
    { event: "endpoint", accept: "" },
  ];
  expect(judgeOpenings(openings)).toEqual([]);
  expect(judgeOpenings([{ event: "message", accept }])).toEqual(["a stream began with message, not endpoint"]);
  expect(judgeOpenings([{ event: "endpoint", accept: "application/json" }])).toEqual([
    "it asked for application/json and was given a stream",
  ]);
});

test("what is the same in both lanes is said once", () => {
  expect(perLane({ sse: "kept", mcp: "kept" })).toBe("kept");
  expect(perLane({ sse: "kept", mcp: "none" })).toBe("kept; /mcp: none");
  expect(perLane({ mcp: "none" })).toBe("none");
  expect(perLane({})).toBe("–");
});

test("a client that cannot be run counts apart from those that passed and failed", () => {
  const asked = { elicitation: "–", sampling: "–", log: "–" } as const;
  const cells = { version: "1", sse: "passed", mcp: "–", ...asked, revision: "2025-11-25", memory: "kept" } as const;
  const rows: TableRow[] = [
    { client: "one", ...cells, faults: [] },
    { client: "two", ...cells, sse: "failed", faults: ["/sse: 25 and 25 are 51"] },
    { client: "three", ...cells, sse: "not run", why: "needs go", faults: [] },
  ];
  expect(formatTable(rows).split("\n")).toEqual([
    "| client | version | /sse    | /mcp | elicitation | sampling | log | revision   | memory |",
    "| ------ | ------- | ------- | ---- | ----------- | -------- | --- | ---------- | ------ |",
    "| one    | 1       | passed  | –    | –           | –        | –   | 2025-11-25 | kept   |",
    "| two    | 1       | failed  | –    | –           | –        | –   | 2025-11-25 | kept   |",
    "| three  | 1       | not run | –    | –           | –        | –   | 2025-11-25 | kept   |",
    "",
    "1 passed, 1 failed, 1 not run.",
    "two /sse: 25 and 25 are 51",
    "three was not run: it needs go.",
  ]);
});
