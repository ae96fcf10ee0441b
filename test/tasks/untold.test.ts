import { afterAll, beforeAll, expect, test } from "vitest";
import { hangUpIn } from "../support/hang-up.ts";
import { capabilitiesOf } from "../support/task-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let server: WorkerdProcess;
beforeAll(async () => {
  server = await startWorkerd({ main: "test/fixtures/tasks-patient.ts" });
});
afterAll(() => server.close());

test.each([
  ["silent", "until-aborted", {}],
  ["told how far it is", "tell-until-aborted", { progressToken: 1 }],
])("a client whose connection breaks in a call that is no task yet, %s, has cancelled it", async (_, name, meta) => {
  const n = name.length;
  const { headers, message } = statelessRequest("tools/call", { name, arguments: { n } });
  Object.assign(message.params._meta, capabilitiesOf({ reads: true }), meta);
  await hangUpIn(server, { headers, message, began: `${n} began\n` });
  // Before the keep-alive of its stream, by which it would be noticed at the latest.
  await expect.poll(() => server.output(), { timeout: 18_000 }).toContain(`${n} was aborted\n`);
});
