import { assert } from "./assertions.ts";
import { isRecord, type Keywords, type Schema, type SchemaDocument } from "./document.ts";

/** What is wrong with a value, and where in it; `undefined` if nothing is. */
type Complaint = string | undefined;

/** The resources that were entered on the way to a schema, the innermost first: what a dynamic reference looks through. */
interface Scope {
  base: string;
  outer: Scope | undefined;
}

/** Keys and indexes of one value that some keyword has looked at. The others are unevaluated. */
type Seen = Set<string | number>;

interface Place {
  document: SchemaDocument;
  scope: Scope | undefined;
  /** Where the value is in what is checked: a JSON Pointer. */
  at: string;
}

/** One schema that is applied to one value. */
interface Frame extends Place {
  schema: Keywords;
  scope: Scope;
  seen: Seen;
}

/** Applies a schema to a value. What it has looked at is added to `seen`, if nothing is wrong. */
export function evaluate(schema: Schema, value: unknown, place: Place, seen?: Seen): Complaint {
  const { document, at } = place;
  if (typeof schema === "boolean") return schema ? undefined : `${at}: nothing may be here`;
  const base = document.baseOf(schema);
  const scope = place.scope?.base === base ? place.scope : { base, outer: place.scope };
  const frame: Frame = { document, at, scope, schema, seen: new Set() };
  const complaint = document.isOnlyReference(schema)
    ? refer(value, frame)
    : (assert(schema, value, at) ??
      refer(value, frame) ??
      combine(value, frame) ??
      (Array.isArray(value) ? items(value, frame) : isRecord(value) ? properties(value, frame) : undefined));
  if (complaint === undefined) for (const one of frame.seen) seen?.add(one);
  return complaint;
}

function refer(value: unknown, frame: Frame): Complaint {
  const { document, scope, schema } = frame;
  const { $ref, $dynamicRef, $recursiveRef } = schema;
  const targets: Schema[] = [];
  if ($ref !== undefined) targets.push(document.resolve($ref, scope.base));
  if ($dynamicRef !== undefined) {
    const anchor = $dynamicRef.split("#")[1];
    const isDynamic = (target: Schema | undefined): boolean => isRecord(target) && target.$dynamicAnchor === anchor;
    targets.push(outermost($dynamicRef, `#${anchor}`, isDynamic, frame));
  }
  if ($recursiveRef !== undefined) {
    const isDynamic = (target: Schema | undefined): boolean => isRecord(target) && target.$recursiveAnchor === true;
    targets.push(outermost($recursiveRef, "", isDynamic, frame));
  }
  return first(targets, (target) => evaluate(target, value, frame, frame.seen));
}

/** Where a dynamic reference leads: if its target is dynamic, to the one of that name in the outermost resource. */
function outermost(
  ref: string,
  fragment: string,
  isDynamic: (target: Schema | undefined) => boolean,
  { document, scope }: Frame,
): Schema {
  let target = document.resolve(ref, scope.base);
  if (!isDynamic(target)) return target;
  for (let entered: Scope | undefined = scope; entered !== undefined; entered = entered.outer) {
    const namesake = document.named(entered.base + fragment);
    if (namesake !== undefined && isDynamic(namesake)) target = namesake;
  }
  return target;
}

/** Keywords that apply schemas to the value itself (2020-12, Core, section 10.2). */
function combine(value: unknown, frame: Frame): Complaint {
  const { allOf = [], not, if: condition, then = true, else: otherwise = true } = frame.schema;
  const attempt = (schema: Schema): Complaint => evaluate(schema, value, frame, frame.seen);
  const complaint = first(allOf, attempt) ?? choose(frame, attempt);
  if (complaint !== undefined) return complaint;
  if (not !== undefined && evaluate(not, value, frame) === undefined) return `${frame.at}: as "not" says`;
  if (condition === undefined) return undefined;
  return attempt(attempt(condition) === undefined ? then : otherwise);
}

function choose({ schema, at }: Frame, attempt: (schema: Schema) => Complaint): Complaint {
  const { anyOf, oneOf } = schema;
  // All are tried: each that applies may have looked at other properties.
  const complaints = anyOf?.map(attempt) ?? [undefined];
  if (!complaints.includes(undefined)) return `${at}: as none of "anyOf" says (${complaints.join("; ")})`;
  const matches = oneOf?.map(attempt).filter((one) => one === undefined).length ?? 1;
  return matches === 1 ? undefined : `${at}: as ${matches} of "oneOf" say, not one`;
}

/** Keywords that apply schemas to the items of an array (section 10.3.1). */
function items(value: unknown[], frame: Frame): Complaint {
  const { schema, seen, document, at } = frame;
  const { prefixItems, items: rule, additionalItems, contains, unevaluatedItems } = schema;
  // A list is what `prefixItems` was called until 2019-09, `additionalItems` then what `items` is now.
  const [heads = [], tail] = Array.isArray(rule) ? [rule, additionalItems] : [prefixItems, rule];
  const complaint = first(value, (item, index) =>
    child(heads[index] ?? (index < heads.length ? true : tail), item, index, frame),
  );
  if (complaint !== undefined) return complaint;
  if (contains !== undefined) {
    const found = value.flatMap((item, index) => (evaluate(contains, item, frame) === undefined ? [index] : []));
    const { minContains = 1, maxContains = Infinity } = schema;
    if (found.length < minContains || found.length > maxContains)
      return `${at}: ${found.length} items as "contains" says`;
    if (document.dialect === "2020-12") for (const index of found) seen.add(index);
  }
  return first(value, (item, index) => (seen.has(index) ? undefined : child(unevaluatedItems, item, index, frame)));
}

/** Keywords that apply schemas to the properties of an object (section 10.3.2). */
function properties(value: Record<string, unknown>, frame: Frame): Complaint {
  const { properties: known = {}, patternProperties = {}, additionalProperties, propertyNames } = frame.schema;
  const { dependentSchemas = {}, dependencies = {}, unevaluatedProperties } = frame.schema;
  const patterns = Object.entries(patternProperties).map(([source, rule]) => [new RegExp(source, "u"), rule] as const);
  const complaint = first(Object.entries(value), ([name, inner]) => {
    const rules = patterns.filter(([pattern]) => pattern.test(name)).map(([, rule]) => rule);
    if (Object.hasOwn(known, name)) rules.push(known[name] ?? true);
    if (rules.length === 0 && additionalProperties !== undefined) rules.push(additionalProperties);
    const named = propertyNames === undefined ? undefined : evaluate(propertyNames, name, frame);
    return named ?? first(rules, (rule) => child(rule, inner, name, frame));
  });
  if (complaint !== undefined) return complaint;
  const dependent = Object.entries({ ...dependencies, ...dependentSchemas });
  const unmet = first(dependent, ([name, rule]) =>
    Array.isArray(rule) || !Object.hasOwn(value, name) ? undefined : evaluate(rule, value, frame, frame.seen),
  );
  return (
    unmet ??
    first(Object.entries(value), ([name, inner]) =>
      frame.seen.has(name) ? undefined : child(unevaluatedProperties, inner, name, frame),
    )
  );
}

/** Applies the schema of a part, if there is one, and notes that the part was looked at. */
function child(schema: Schema | undefined, value: unknown, key: string | number, frame: Frame): Complaint {
  if (schema === undefined) return undefined;
  frame.seen.add(key);
  return evaluate(schema, value, { ...frame, at: `${frame.at}/${key}` });
}

/** The first complaint there is. */
function first<T>(all: T[], complain: (one: T, index: number) => Complaint): Complaint {
  for (const [index, one] of all.entries()) {
    const complaint = complain(one, index);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}
