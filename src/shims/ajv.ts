import { CfWorkerJsonSchemaValidator } from "@modelcontextprotocol/server/validators/cf-worker";

type JsonSchema = Parameters<CfWorkerJsonSchemaValidator["getValidator"]>[0];

/**
 * Takes the place of `ajv` in the Worker: wrangler.toml names it. A server of SDK v1 checks with Ajv what its user answered
 * to an elicitation, and Ajv compiles code, which Workers forbid. Has what SDK v1 asks of an Ajv, over the SDK's validator
 * for Workers.
 */
export default class Ajv {
  readonly #validator = new CfWorkerJsonSchemaValidator();

  /** @returns a check of a value, which leaves in `errors` why it failed. */
  compile(schema: JsonSchema) {
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
