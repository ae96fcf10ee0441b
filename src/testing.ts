import { Client, type ClientOptions, InMemoryTransport } from "@modelcontextprotocol/client";
import type { ServerFactory } from "./server-context.ts";
import { messageExtra } from "./session/calls/http-source.ts";
import { processMemory } from "./session/stored/memory.ts";

/** Options of {@linkcode connectTestClient}, beside those of the SDK's `Client`. All may be left out. */
export interface TestClientOptions<Env> extends ClientOptions {
  /** The bindings that the server gets. None if not given. */
  env?: Env;
  /** The HTTP request that `createServer` and the tools are told of, as in a deployed server. None if not given, as over stdio. */
  request?: Request;
  /** Called with the client before it connects: the place for its request handlers, such as `elicitation/create`. */
  prepare?: (client: Client) => void;
}

/**
 * Connects a client to a server of its own, in memory: no port, no process, no Worker. For tests of `createServer`.
 *
 * The session has a `memory`, and is of revision 2025-11-25 or older, as on `/sse`. Close the client when done.
 * @throws what `createServer` threw.
 */
export async function connectTestClient<Env = Cloudflare.Env>(
  createServer: ServerFactory<Env>,
  { env, request, prepare, ...clientOptions }: TestClientOptions<Env> = {},
): Promise<Client> {
  const [clientEnd, serverEnd] = InMemoryTransport.createLinkedPair();
  const told = request === undefined ? {} : { requestInfo: request };
  const server = await createServer({ era: "legacy", env: env ?? ({} as Env), memory: processMemory(), ...told });
  await server.connect(serverEnd as never);
  const { onmessage } = serverEnd;
  if (request !== undefined) serverEnd.onmessage = (message) => onmessage?.(message, messageExtra(request));
  const client = new Client({ name: "test", version: "1.0.0" }, clientOptions);
  prepare?.(client);
  await client.connect(clientEnd);
  return client;
}
