/** A JSON schema, or what a server gives as one. */
export type Schema = Readonly<Record<string, unknown>>;

export interface Choice {
  value: unknown;
  label: string;
}

/** The field that a value of a schema is typed into. `json`: what no field can be made for. */
export type Shape =
  | { kind: "text"; format: string }
  | { kind: "number"; isWhole: boolean }
  | { kind: "boolean" }
  | { kind: "choice"; choices: Choice[] }
  | { kind: "choices"; choices: Choice[] }
  | { kind: "list"; items: Schema }
  | { kind: "object"; properties: [string, Schema][]; required: readonly string[] }
  | { kind: "json" };

/** A schema may hold itself: what lies deeper than this has no fields of its own, and is written as JSON. */
export const deepest = 5;

/** A form begins with no more fields of a list, however many it wants. */
const mostItems = 20;

/** No schema has that as a keyword of its own. */
export const mayBeNull = "may be null";

/** A schema without `$ref` at its top, nor the alternative `null`, in whose place {@linkcode mayBeNull} is. */
export function resolve(schema: unknown, root: Schema, depth = 0): Schema {
  if (!isSchema(schema) || depth > 8) return {};
  const { $ref: reference, anyOf, oneOf, allOf, ...rest } = schema;
  if (typeof reference === "string") {
    return { ...resolve(pointed(reference, root), root, depth + 1), ...rest };
  }
  if (Array.isArray(allOf)) {
    const { allOf: _, ...others } = schema;
    return resolve(allOf.map((one) => resolve(one, root, depth + 1)).reduce(both, others), root, depth + 1);
  }
  const union: unknown[] = [anyOf, oneOf].find(Array.isArray) ?? [];
  const [only, ...others] = union.filter((one) => !isNull(one));
  if (only !== undefined && others.length === 0) {
    return { ...resolve(only, root, depth + 1), ...rest, ...(union.some(isNull) && { [mayBeNull]: true }) };
  }
  const { type } = schema;
  if (!Array.isArray(type)) return schema;
  const [first, ...more] = type.filter((one) => one !== "null");
  return { ...schema, ...(more.length === 0 && { type: first }), ...(type.includes("null") && { [mayBeNull]: true }) };
}

export function shapeOf(schema: Schema, root: Schema): Shape {
  const choices = choicesOf(schema);
  if (choices !== undefined) return { kind: "choice", choices };
  switch (schema["type"]) {
    case "string":
      return { kind: "text", format: typeof schema["format"] === "string" ? schema["format"] : "" };
    case "integer":
    case "number":
      return { kind: "number", isWhole: schema["type"] === "integer" };
    case "boolean":
      return { kind: "boolean" };
    case "array": {
      const items = resolve(schema["items"], root);
      const listed = choicesOf(items);
      if (listed !== undefined) return { kind: "choices", choices: listed };
      return isSchema(schema["items"]) ? { kind: "list", items } : { kind: "json" };
    }
    case "object": {
      const properties = Object.entries(isSchema(schema["properties"]) ? schema["properties"] : {});
      // Names that nobody knows before: a record.
      if (properties.length === 0 && schema["additionalProperties"] !== false) return { kind: "json" };
      const required = Array.isArray(schema["required"]) ? schema["required"].filter(isString) : [];
      return { kind: "object", properties: properties.map(([name, one]) => [name, resolve(one, root)]), required };
    }
    default:
      return { kind: "json" };
  }
}

/** What a field holds before anybody has typed: the default, or what its type begins with if it must be there. */
export function initialValue(schema: Schema, root: Schema, isRequired: boolean, depth = 0): unknown {
  if (depth > deepest) return undefined;
  if (schema["default"] !== undefined) return schema["default"];
  if (schema[mayBeNull] === true && isRequired) return null;
  const shape = shapeOf(schema, root);
  if (shape.kind === "object") return initialObject(shape, root, isRequired, depth);
  if (!isRequired) return undefined;
  switch (shape.kind) {
    case "text":
      return "";
    case "boolean":
      return false;
    case "choices":
      return [];
    case "list":
      return Array.from(
        { length: Math.min(Number(schema["minItems"] ?? 0), mostItems) },
        () => initialValue(shape.items, root, true, depth + 1) ?? null,
      );
    case "json":
      return schema["type"] === "object" ? {} : undefined;
    case "choice":
      return schema["const"];
    case "number":
      return undefined;
  }
}

function initialObject(
  { properties, required }: Extract<Shape, { kind: "object" }>,
  root: Schema,
  isRequired: boolean,
  depth: number,
): Schema | undefined {
  const entries = properties.flatMap(([name, schema]) => {
    const value = initialValue(schema, root, isRequired && required.includes(name), depth + 1);
    return value === undefined ? [] : [[name, value] as const];
  });
  return isRequired || entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

/** Values to choose from: `enum`, with names if it has them, `const`, or alternatives that are one value each. */
function choicesOf(schema: Schema): Choice[] | undefined {
  const { enum: values, enumNames: names } = schema;
  if (Array.isArray(values)) {
    const label = (index: number): unknown => (Array.isArray(names) ? names[index] : undefined) ?? values[index];
    return values.map((value, index) => ({ value, label: shown(label(index)) }));
  }
  if ("const" in schema) return [{ value: schema["const"], label: shown(schema["const"]) }];
  const alternatives = [schema["oneOf"], schema["anyOf"]].find(Array.isArray);
  if (alternatives === undefined || alternatives.length === 0) return undefined;
  const choices = alternatives.flatMap((one: unknown) =>
    isSchema(one) && "const" in one ? [{ value: one["const"], label: shown(one["title"] ?? one["const"]) }] : [],
  );
  return choices.length === alternatives.length ? choices : undefined;
}

/** What is a `one` and an `other`: the words of `one` about it all, and the properties of both. */
function both(one: Schema, other: Schema): Schema {
  const properties = { ...Object(other["properties"]), ...Object(one["properties"]) };
  const required = [other["required"], one["required"]].flatMap((names) => (Array.isArray(names) ? names : []));
  return {
    ...other,
    ...one,
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
  };
}

/** Whether any text is a value of it, among others. */
export function takesText(schema: Schema): boolean {
  const kinds = [schema["anyOf"], schema["oneOf"]].find(Array.isArray) ?? [schema];
  return kinds.some((kind: unknown) => isSchema(kind) && [kind["type"]].flat().includes("string") && !("enum" in kind));
}

/** Whether `text` is as its `pattern` says; a pattern that JavaScript cannot read is the server's own matter. */
export function fitsPattern(text: string, { pattern }: Schema): boolean {
  if (typeof pattern !== "string") return true;
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true;
  }
}

function pointed(reference: string, root: Schema): unknown {
  if (!reference.startsWith("#")) return {};
  let place: unknown = root;
  for (const step of reference.slice(1).split("/").slice(1)) {
    const key = decoded(step).replaceAll("~1", "/").replaceAll("~0", "~");
    place = isSchema(place) ? place[key] : undefined;
  }
  return place;
}

/** Libraries write names into a URI as they are: `100%` encodes nothing. */
function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isNull = (value: unknown): boolean => isSchema(value) && (value["type"] === "null" || value["const"] === null);
const isString = (value: unknown): value is string => typeof value === "string";
const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
