import { env } from "cloudflare:workers";
import { jwt } from "../../../src/auth/jwt.ts";
import { edge } from "../../../src/index.ts";
import { createEchoServer } from "./echo-server.ts";

/** `ours`, for whoever has a token. The keys of its issuer are bound: no network is measured. */
globalThis.fetch = () => Promise.resolve(new Response(String(Reflect.get(env, "JWKS"))));

const issuer = "https://idp.example.com/";
const auth = jwt({ issuer, audience: "https://mcp.example.com/sse", jwksUri: `${issuer}jwks` });
const app = edge(createEchoServer, { auth });

export class Session extends app.Session {}

export default { fetch: app.fetch };
