import { McpServer } from "@modelcontextprotocol/server";
import { expect, test } from "vitest";
import * as z from "zod";
import { convertSchemasOnce } from "../../src/sdk/convert-once.ts";
import { connectTestClient } from "../../src/testing.ts";

convertSchemasOnce();

/** A schema that counts how often it was converted, for input and output. */
function counting() {
  const zod = z.object({ path: z.string() });
  const counts = { input: 0, output: 0 };
  const { jsonSchema, ...standard } = zod["~standard"];
  const counted = (direction: "input" | "output") => (options: Parameters<typeof jsonSchema.input>[0]) => {
    counts[direction] += 1;
    return jsonSchema[direction](options);
  };
  const schema = {
    "~standard": { ...standard, jsonSchema: { input: counted("input"), output: counted("output") } },
  };
  return { schema, counts };
}

test("a schema is converted once, for all lists of all sessions, and listed as before", async () => {
  const { schema, counts } = counting();
  const config = { inputSchema: schema, outputSchema: schema };
  const createServer = (): McpServer => {
    const server = new McpServer({ name: "counted", version: "1.0.0" });
    server.registerTool("look", config, ({ path }) => ({ content: [], structuredContent: { path } }));
    return server;
  };
  const object = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
  for (let session = 0; session < 3; session++) {
    const client = await connectTestClient(createServer);
    for (let list = 0; list < 2; list++) {
      const { tools } = await client.listTools();
      expect(tools).toMatchObject([{ name: "look", inputSchema: object, outputSchema: object }]);
    }
    expect(await client.callTool({ name: "look", arguments: { path: "/" } })).toMatchObject({
      structuredContent: { path: "/" },
    });
    await client.close();
  }
  expect(counts).toEqual({ input: 1, output: 1 });
});

test("a schema that cannot be changed is listed as well", async () => {
  const { "~standard": standard } = z.object({ path: z.string() });
  const schema = { "~standard": { ...standard, jsonSchema: Object.freeze({ ...standard.jsonSchema }) } };
  const client = await connectTestClient(() => {
    const server = new McpServer({ name: "frozen", version: "1.0.0" });
    server.registerTool("look", { inputSchema: schema }, () => ({ content: [] }));
    return server;
  });
  expect((await client.listTools()).tools).toMatchObject([{ name: "look", inputSchema: { type: "object" } }]);
  await client.close();
});
