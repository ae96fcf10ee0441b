/**
 * Takes the place of what the SDK's client chooses for browsers: {@link ../dev/build-page.ts} names it. That brings a validator
 * three times as large as the one the Worker has.
 */
export { InterpretingJsonSchemaValidator as DefaultJsonSchemaValidator } from "../json-schema/validator.ts";

/** A `fetch` that fails may have failed because a server lets no page of another origin read it. */
export const CORS_IS_POSSIBLE = true;
