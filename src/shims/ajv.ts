import type { JsonSchemaType } from "@modelcontextprotocol/server";
import { InterpretingJsonSchemaValidator } from "../json-schema/validator.ts";

/**
 * Takes the place of `ajv` in the Worker: wrangler.toml names it. A server of SDK v1 checks with Ajv what its user answered
 * to an elicitation, and Ajv compiles code, which Workers forbid. Has what SDK v1 asks of an Ajv.
 */
export default class Ajv {
  readonly #validator = new InterpretingJsonSchemaValidator();

  /** @returns a check of a value, which leaves in `errors` why it failed. */
  compile(schema: JsonSchemaType) {
    const validator = this.#validator.getValidator(schema);
    const validate = (value: unknown): boolean => {
      const result = validator(value);
      validate.errors = result.errorMessage;
      return result.valid;
    };
    validate.errors = undefined as string | undefined;
    return validate;
  }

  /** No schema is kept by its `$id`: {@link compile} costs little here. */
  getSchema(): undefined {}

  /** @returns `errors`, what {@link compile} left. */
  errorsText(errors = "No errors"): string {
    return errors;
  }
}
