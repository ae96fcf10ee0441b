import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
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
  const { host, hostname, port } = new URL(server.url);
  const body = JSON.stringify(message);
  const fields = {
    host,
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    accept: "application/json, text/event-stream",
    ...headers,
  };
  const head = Object.entries(fields).map(([key, value]) => `${key}: ${value}\r\n`);
  const socket = connect(Number(port), hostname);
  socket.write(`POST /mcp HTTP/1.1\r\n${head.join("")}\r\n${body}`);
  await expect.poll(() => server.output()).toContain(`${n} began\n`);
  socket.resetAndDestroy();
  await expect.poll(() => server.output(), { timeout: 8_000 }).toContain(`${n} was aborted\n`);
});
