import { facts, isTokenGiven, urls } from "./connection.ts";
import { CopyButton, Snippet } from "./copy-button.tsx";
import type { ServerUrls } from "./server-url.ts";
import { Tabs } from "./tabs.tsx";

/** What a person needs to write elsewhere: the URL, and what their client makes of it. */
export function HowToConnect() {
  const known = urls.value;
  if (known === undefined) return null;
  const url = known.sse.href;
  const server: Server = { ...known, name: slug(facts.value?.name ?? "server"), needsToken: isTokenGiven.value };
  return (
    <section aria-labelledby="connect">
      <h2 id="connect">Connect</h2>
      <div class="address">
        <code>{url}</code>
        <CopyButton text={url} label="the server's URL" />
      </div>
      <Tabs label="How to connect" tabs={ways.map(({ name, Way }) => ({ name, content: <Way {...server} /> }))} />
    </section>
  );
}

interface Server extends ServerUrls {
  /** As a client's configuration names it. */
  name: string;
  /** Whether it takes one that its clients are given, as it took the page's. */
  needsToken: boolean;
}

/** Written where the person's own belongs: the page shows no token. */
const yourToken = "YOUR_TOKEN";

const ways = [
  { name: "Claude", Way: Claude },
  { name: "Claude Code", Way: ClaudeCode },
  { name: "Cursor", Way: Cursor },
  { name: "VS Code", Way: VsCode },
  { name: "Inspector", Way: Inspector },
  { name: "Python", Way: Python },
  { name: "curl", Way: Curl },
];

function Claude({ sse, needsToken }: Server) {
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(sse.hostname);
  return (
    <>
      <ol>
        <li>Open Settings, then Connectors, and choose “Add custom connector”.</li>
        <li>Paste the URL above, and add it.</li>
      </ol>
      {needsToken && (
        <p class="aside">
          Connectors send no token of yours: they need a server with an OAuth login. The other clients here send it.
        </p>
      )}
      {isLocal && <p class="aside">Claude connects from elsewhere: this works once the server is deployed.</p>}
    </>
  );
}

function ClaudeCode({ name, sse, needsToken }: Server) {
  const header = needsToken ? ` --header "Authorization: Bearer ${yourToken}"` : "";
  const command = `claude mcp add --transport sse ${name} ${quoted(sse.href)}${header}`;
  return <Snippet label="the command for Claude Code" text={command} />;
}

function Cursor({ name, sse, needsToken }: Server) {
  const config = { url: sse.href, ...headersFor(needsToken) };
  const link = `cursor://anysphere.cursor-deeplink/mcp/install?name=${encodeURIComponent(name)}&config=${base64(config)}`;
  return (
    <>
      <p>
        <a class="button" href={link}>
          Add to Cursor
        </a>
      </p>
      <p>
        or write it into <code>.cursor/mcp.json</code>:
      </p>
      <Snippet label="the configuration for Cursor" text={pretty({ mcpServers: { [name]: config } })} />
    </>
  );
}

function VsCode({ name, sse, needsToken }: Server) {
  const config = { type: "sse", url: sse.href, ...headersFor(needsToken) };
  const link = `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name, ...config }))}`;
  return (
    <>
      <p>
        <a class="button" href={link}>
          Install in VS Code
        </a>
      </p>
      <p>
        or write it into <code>.vscode/mcp.json</code>:
      </p>
      <Snippet label="the configuration for VS Code" text={pretty({ servers: { [name]: config } })} />
    </>
  );
}

function Inspector({ sse, needsToken }: Server) {
  const header = needsToken ? ` --header "Authorization: Bearer ${yourToken}"` : "";
  const command = `npx @modelcontextprotocol/inspector --transport sse --server-url ${quoted(sse.href)}${header}`;
  return <Snippet label="the command for the Inspector" text={command} />;
}

function Python({ sse, needsToken }: Server) {
  const headers = needsToken ? `, headers={"Authorization": "Bearer ${yourToken}"}` : "";
  const program = `import asyncio

from mcp import ClientSession
from mcp.client.sse import sse_client


async def main():
    async with sse_client(${JSON.stringify(sse.href)}${headers}) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        print(await session.list_tools())


asyncio.run(main())`;
  return <Snippet label="the program in Python" text={program} />;
}

/** One request of revision 2026-07-28, which needs no session. */
function Curl({ mcp, needsToken }: Server) {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "curl", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const body = { jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta: meta } };
  const headers = [
    "content-type: application/json",
    "accept: application/json, text/event-stream",
    "mcp-protocol-version: 2026-07-28",
    "mcp-method: tools/list",
    ...(needsToken ? [`authorization: Bearer ${yourToken}`] : []),
  ];
  const lines = [
    `curl ${quoted(mcp.href)}`,
    ...headers.map((header) => `  -H ${quoted(header)}`),
    `  -d ${quoted(JSON.stringify(body))}`,
  ];
  return <Snippet label="the command for curl" text={lines.join(" \\\n")} />;
}

function headersFor(needsToken: boolean): { headers?: Record<string, string> } {
  return needsToken ? { headers: { Authorization: `Bearer ${yourToken}` } } : {};
}

/** For a shell, which takes `&` and `?` for its own. */
function quoted(text: string): string {
  return /^[\w:/.@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function slug(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-|-$/g, "") || "server"
  );
}

const pretty = (value: unknown): string => JSON.stringify(value, null, 2);

function base64(value: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return encodeURIComponent(btoa(String.fromCharCode(...bytes)));
}
