import { DurableObject } from "cloudflare:workers";
import { edge } from "mcp-edge";
import { createServer, type Env } from "./server.ts";

/** An object of the Worker's own: one for each counter, whoever counts. */
export class Counter extends DurableObject<Env> {
  async add(by: number): Promise<number> {
    const count = ((await this.ctx.storage.get<number>("count")) ?? 0) + by;
    await this.ctx.storage.put("count", count);
    return count;
  }
}

const app = edge<Env>(createServer);

export class Session extends app.Session {}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname !== "/count") return await app.fetch(request, env);
    return Response.json(await env.COUNTER.getByName("visits").add(0));
  },
};
