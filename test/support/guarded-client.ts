import { RawMcpClient } from "./raw-mcp-client.ts";
import { initialize, postJson, RawSseClient, RawStream } from "./raw-client.ts";

/** The header of a key. */
export const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

/** A session over HTTP+SSE each of whose requests has these headers. */
export class GuardedSseClient extends RawSseClient {
  readonly headers: Record<string, string>;

  constructor(
    base: string,
    stream: RawStream,
    { endpoint, headers }: { endpoint: string; headers: Record<string, string> },
  ) {
    super(base, stream, endpoint);
    this.headers = headers;
  }

  /** Connects, and has said nothing yet. */
  static async connectAs(base: string, headers: Record<string, string>, path = "/sse"): Promise<GuardedSseClient> {
    const stream = await RawStream.open(base + path, { headers });
    if (!stream.response.ok) throw new Error(`the stream was answered ${stream.response.status}`);
    const { data } = await stream.next((event) => event.event === "endpoint");
    return new GuardedSseClient(base, stream, { endpoint: new URL(data, base).href, headers });
  }

  static async openAs(base: string, headers: Record<string, string>): Promise<GuardedSseClient> {
    const client = await GuardedSseClient.connectAs(base, headers);
    await client.initialize({ elicitation: {} });
    return client;
  }

  /** The stream of `client`, whose connection is cut, opened again as an `EventSource` does, by a new key. */
  static async connectAsResumed(
    base: string,
    { stream }: RawSseClient,
    headers: Record<string, string>,
  ): Promise<RawStream> {
    const resume = { ...headers, "last-event-id": stream.lastEventId };
    return await RawStream.open(`${base}/sse?keys=rotated`, { headers: resume });
  }

  override post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return super.post(body, { ...this.headers, ...headers });
  }
}

/** A session over Streamable HTTP, likewise. */
export async function openMcpAs(base: string, headers: Record<string, string>): Promise<RawMcpClient> {
  const opened = await postJson(`${base}/mcp`, initialize(), headers);
  const client = new RawMcpClient(`${base}/mcp`, opened, "2025-11-25");
  Object.assign(client.headers, headers);
  await client.post({ jsonrpc: "2.0", method: "notifications/initialized" });
  return client;
}

/** All that a client sees of an answer. The date is that of the moment. */
export async function seen(response: Response): Promise<{ status: number; headers: [string, string][]; body: string }> {
  const headers = [...response.headers].filter(([name]) => name !== "date");
  return { status: response.status, headers, body: await response.text() };
}
