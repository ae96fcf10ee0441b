import { McpServer } from "@modelcontextprotocol/server";
import { failure, type ServerContext, structured, text, tool } from "mcp-edge";
import * as z from "zod";

export interface Env {
  DB: D1Database;
  FILES: R2Bucket;
}

const inputs = {
  addNote: z.object({ title: z.string().min(1), body: z.string() }),
  findNotes: z.object({ word: z.string().min(1) }),
  file: z.object({ key: z.string().min(1) }),
  saveFile: z.object({ key: z.string().min(1), content: z.string() }),
};
const found = z.object({ notes: z.array(z.object({ title: z.string(), body: z.string() })) });

const schema = "CREATE TABLE IF NOT EXISTS notes (title TEXT PRIMARY KEY, body TEXT NOT NULL)";

/** Notes in a D1 database, files in an R2 bucket. */
export function createServer({ env: { DB, FILES } }: ServerContext<Env>): McpServer {
  const server = new McpServer({ name: "d1-r2", version: "1.0.0" });

  // To write the same note again changes nothing: after a crash the call may run again.
  tool(
    server,
    "add_note",
    { inputSchema: inputs.addNote, annotations: { idempotentHint: true } },
    async ({ title, body }) => {
      const insert =
        "INSERT INTO notes (title, body) VALUES (?, ?) ON CONFLICT (title) DO UPDATE SET body = excluded.body";
      await DB.batch([DB.prepare(schema), DB.prepare(insert).bind(title, body)]);
      return text(`Noted ${title}.`);
    },
  );

  tool(
    server,
    "find_notes",
    { inputSchema: inputs.findNotes, outputSchema: found, annotations: { readOnlyHint: true } },
    async ({ word }) => {
      const query = DB.prepare("SELECT title, body FROM notes WHERE instr(body, ?) > 0 ORDER BY title").bind(word);
      const [, { results } = { results: [] }] = await DB.batch<{ title: string; body: string }>([
        DB.prepare(schema),
        query,
      ]);
      return structured({ notes: results });
    },
  );

  tool(
    server,
    "save_file",
    { inputSchema: inputs.saveFile, annotations: { idempotentHint: true } },
    async ({ key, content }) => {
      await FILES.put(key, content);
      return text(`Saved ${key}.`);
    },
  );

  tool(server, "read_file", { inputSchema: inputs.file, annotations: { readOnlyHint: true } }, async ({ key }) => {
    const file = await FILES.get(key);
    return file === null ? failure(`There is no file ${key}.`) : text(await file.text());
  });

  return server;
}
