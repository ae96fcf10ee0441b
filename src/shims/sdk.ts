/**
 * Takes the place of what SDK v2 chooses for Workers: wrangler.toml names it. That builds the schemas of all revisions while
 * an isolate starts. Here an isolate needs those of one at most: a Worker that relays streams needs none, an object those
 * of its session. The first message that needs them builds them.
 */
export { CfWorkerJsonSchemaValidator as DefaultJsonSchemaValidator } from "@modelcontextprotocol/server/validators/cf-worker";

/** For the stdio transport, which a Worker may import but cannot use. */
export const process = {};
