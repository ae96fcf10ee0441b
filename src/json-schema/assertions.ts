import { isRecord, type Keywords } from "./document.ts";
import { formats } from "./formats.ts";

/** Whether a value does as a keyword says, for those keywords that look at nothing else. */
type Assertions<T> = { [K in keyof Keywords]?: (rule: NonNullable<Keywords[K]>, value: T) => boolean };

const ofAny: Assertions<unknown> = {
  type: (types, value) => [types].flat().some((type) => isOfType(type, value)),
  enum: (values, value) => values.some((one) => spelled(one) === spelled(value)),
  const: (one, value) => spelled(one) === spelled(value),
};

const ofNumbers: Assertions<number> = {
  multipleOf: isMultiple,
  minimum: (least, value) => value >= least,
  maximum: (most, value) => value <= most,
  exclusiveMinimum: (less, value) => value > less,
  exclusiveMaximum: (more, value) => value < more,
};

const ofStrings: Assertions<string> = {
  minLength: (least, value) => characters(value) >= least,
  maxLength: (most, value) => characters(value) <= most,
  pattern: (pattern, value) => new RegExp(pattern, "u").test(value),
  format: (name, value) => formats.get(name)?.(value) ?? true,
};

const ofArrays: Assertions<unknown[]> = {
  minItems: (least, value) => value.length >= least,
  maxItems: (most, value) => value.length <= most,
  // By their spelling: to compare each with each is slow on purpose of whoever sends many.
  uniqueItems: (isSo, value) => !isSo || new Set(value.map(spelled)).size === value.length,
};

const ofObjects: Assertions<Record<string, unknown>> = {
  minProperties: (least, value) => Object.keys(value).length >= least,
  maxProperties: (most, value) => Object.keys(value).length <= most,
  required: has,
  dependentRequired: hasWhatItNeeds,
  dependencies: hasWhatItNeeds,
};

/** Why `value` is not as `schema` says, as far as one sees without a look at other schemas. */
export function assert(schema: Keywords, value: unknown, at: string): string | undefined {
  for (const [keyword, holds] of Object.entries({ ...ofAny, ...assertionsFor(value) })) {
    const rule: unknown = schema[keyword as keyof Keywords];
    if (rule !== undefined && !(holds as (rule: unknown, value: unknown) => boolean)(rule, value)) {
      return `${at}: not as "${keyword}" says, ${JSON.stringify(rule)}`;
    }
  }
  return undefined;
}

function assertionsFor(value: unknown): object {
  if (typeof value === "number") return ofNumbers;
  if (typeof value === "string") return ofStrings;
  if (Array.isArray(value)) return ofArrays;
  return isRecord(value) ? ofObjects : {};
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isRecord(value) && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

/** The same for equal values only: keys in one order. */
function spelled(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isRecord(inner) && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Code points, as the specification counts them. */
function characters(value: string): number {
  return value.length - (value.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0);
}

/** 0.0075 is a multiple of 0.0001, though not in binary. */
function isMultiple(of: number, value: number): boolean {
  const rest = Math.abs(value % of);
  return Math.min(rest, of - rest) < of * 1e-8 || Number.isInteger(value / of);
}

function has(names: string[], value: object): boolean {
  return names.every((name) => Object.hasOwn(value, name));
}

function hasWhatItNeeds(needs: NonNullable<Keywords["dependencies"]>, value: object): boolean {
  return Object.entries(needs).every(
    ([name, needed]) => !Array.isArray(needed) || !Object.hasOwn(value, name) || has(needed, value),
  );
}
