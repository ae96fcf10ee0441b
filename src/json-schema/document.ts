/** What the keywords of a schema hold, as far as something here reads them. */
export interface Keywords {
  $id?: string;
  $ref?: string;
  $anchor?: string;
  $dynamicRef?: string;
  $dynamicAnchor?: string;
  $recursiveRef?: string;
  $recursiveAnchor?: boolean;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  multipleOf?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  required?: string[];
  dependentRequired?: Record<string, string[]>;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  not?: Schema;
  if?: Schema;
  then?: Schema;
  else?: Schema;
  prefixItems?: Schema[];
  items?: Schema | Schema[];
  additionalItems?: Schema;
  contains?: Schema;
  minContains?: number;
  maxContains?: number;
  unevaluatedItems?: Schema;
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: Schema;
  propertyNames?: Schema;
  dependentSchemas?: Record<string, Schema>;
  /** Until draft-07: `dependentRequired` and `dependentSchemas` in one. */
  dependencies?: Record<string, Schema | string[]>;
  unevaluatedProperties?: Schema;
}

export type Schema = boolean | Keywords;

export type Dialect = "2020-12" | "2019-09" | "draft-07";

/** Base of a schema that has no `$id`. */
const home = "schema:/";

/** Keywords whose value is no schema, whatever it looks like; and those that hold schemas by names of the author's. */
const data = new Set(["const", "default", "enum", "examples"]);
const named = new Set(["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"]);

/** A schema and what is named in it. */
export class SchemaDocument {
  readonly root: Schema;
  readonly dialect: Dialect;
  /** By absolute URI: whatever has an `$id`, and with a fragment whatever has an anchor. */
  readonly #named = new Map<string, Schema>();
  /** URI of the resource that a schema is a part of: what a `$ref` in it is relative to. */
  readonly #bases = new WeakMap<object, string>();

  constructor(root: Schema, dialect: Dialect) {
    this.root = root;
    this.dialect = dialect;
    this.#named.set(home, root);
    this.#collect(root, home);
  }

  baseOf(schema: Keywords): string {
    return this.#bases.get(schema) ?? home;
  }

  /** What is called so in the whole document: the root of a resource, or an anchor in one. */
  named(uri: string): Schema | undefined {
    return this.#named.get(uri);
  }

  /** @throws {Error} if `ref`, in a schema whose resource is `base`, leads nowhere: nothing is fetched. */
  resolve(ref: string, base: string): Schema {
    const [resource = "", fragment = ""] = absolute(ref, base).split("#");
    const name = decodeURIComponent(fragment);
    const found = name.startsWith("/")
      ? this.#follow(name, resource)
      : this.#named.get(name === "" ? resource : `${resource}#${name}`);
    if (found === undefined) throw new Error(`Unresolved $ref "${ref}"`);
    return found;
  }

  #follow(pointer: string, resource: string): Schema | undefined {
    let base = resource;
    let found: unknown = this.#named.get(resource);
    for (const token of pointer.slice(1).split("/")) {
      const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
      if (!isRecord(found) || !Object.hasOwn(found, key)) return undefined;
      found = found[key];
      base = (isRecord(found) && this.#bases.get(found)) || base;
    }
    if (isRecord(found)) this.#bases.set(found, base);
    return found as Schema;
  }

  #collect(schema: unknown, outer: string): void {
    if (!isRecord(schema)) return;
    const base = Array.isArray(schema) ? outer : this.#name(schema, outer);
    for (const [keyword, inner] of Object.entries(schema)) {
      if (data.has(keyword)) continue;
      const schemas = named.has(keyword) && isRecord(inner) ? Object.values(inner) : [inner];
      for (const one of schemas) this.#collect(one, base);
    }
  }

  /** Notes what a schema is called; its base, which is `outer` unless it has an `$id`. */
  #name(schema: Keywords, outer: string): string {
    const { $id, $anchor, $dynamicAnchor } = schema;
    const anchors = [$anchor, $dynamicAnchor];
    let base = outer;
    if (typeof $id === "string" && !this.isOnlyReference(schema)) {
      const [resource = "", anchor = ""] = absolute($id, outer).split("#");
      base = resource;
      // Until draft-07, an `$id` that is a fragment is an anchor.
      if (anchor === "") this.#named.set(base, schema);
      else anchors.push(anchor);
    }
    this.#bases.set(schema, base);
    for (const anchor of anchors) if (typeof anchor === "string") this.#named.set(`${base}#${anchor}`, schema);
    return base;
  }

  /** Until draft-07, nothing counts beside a `$ref`. */
  isOnlyReference({ $ref }: Keywords): boolean {
    return this.dialect === "draft-07" && $ref !== undefined;
  }
}

function absolute(uri: string, base: string): string {
  return URL.parse(uri, base)?.href ?? uri;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
