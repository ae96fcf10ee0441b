/**
 * Takes the place of what SDK v2 chooses for Workers: wrangler.toml names it. That builds the schemas of all revisions while
 * an isolate starts. Here an isolate needs those of one at most: a Worker that relays streams needs none, an object those
 * of its session. The first message that needs them builds them. And it checks what a user answered with a validator that
 * is three times as large as ours.
 */
export { InterpretingJsonSchemaValidator as DefaultJsonSchemaValidator } from "../json-schema/validator.ts";

/** For the stdio transport, which a Worker may import but cannot use. */
export const process = {};
