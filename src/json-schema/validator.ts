import type { JsonSchemaType, jsonSchemaValidator, JsonSchemaValidator } from "@modelcontextprotocol/server";
import { type Dialect, type Schema, SchemaDocument } from "./document.ts";
import { evaluate } from "./evaluate.ts";

const dialects: [RegExp, Dialect][] = [
  [/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, "2020-12"],
  [/^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, "2019-09"],
  [/^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/, "draft-07"],
];

/**
 * Checks values against JSON Schema: 2020-12, or what `$schema` says of 2019-09, draft-07 and draft-06. It compiles no code,
 * which Workers forbid, and is a third of what the SDK has for Workers: so it takes the place of that in every upload. Formats
 * are asserted, unknown ones are not. Nothing is fetched.
 */
export class InterpretingJsonSchemaValidator implements jsonSchemaValidator {
  /** @throws {Error} for another dialect. What it returns throws for a `$ref` that leads nowhere. */
  getValidator<T>(schema: JsonSchemaType): JsonSchemaValidator<T> {
    const document = new SchemaDocument(schema as Schema, dialectOf(schema));
    return (input) => {
      const complaint = evaluate(document.root, input, { document, scope: undefined, at: "#" });
      return complaint === undefined
        ? { valid: true, data: input as T, errorMessage: undefined }
        : { valid: false, data: undefined, errorMessage: complaint };
    };
  }
}

function dialectOf({ $schema }: JsonSchemaType): Dialect {
  if (typeof $schema !== "string") return "2020-12";
  const [, dialect] = dialects.find(([uri]) => uri.test($schema)) ?? [];
  if (dialect !== undefined) return dialect;
  throw new Error(`"$schema" is "${$schema.slice(0, 200)}": only 2020-12, 2019-09, draft-07 and draft-06 are known.`);
}
