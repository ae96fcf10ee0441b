import { env } from "cloudflare:workers";
import { fromContext } from "mcp-edge/auth/from-context";
import { edge } from "mcp-edge";
import { login, type LoginEnv } from "./login.ts";
import { github, openid } from "./provider.ts";
import { createServer } from "./server.ts";

/** What wrangler.toml binds. */
interface Bindings extends LoginEnv {
  SESSION: DurableObjectNamespace;
  /** The issuer of the provider that people log in with; GitHub if empty. */
  OPENID_ISSUER: string;
}

const app = edge<Bindings>(createServer, { auth: fromContext });
const { OPENID_ISSUER: issuer } = env as unknown as Bindings;

/** The Durable Object class that wrangler.toml binds: one object for each session. */
export class Session extends app.Session {}

export default login(app, issuer === "" ? github : openid(issuer));
