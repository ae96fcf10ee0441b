import { AjvJsonSchemaValidator } from "@modelcontextprotocol/server/validators/ajv";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InterpretingJsonSchemaValidator } from "../../src/json-schema/validator.ts";

interface Validator {
  getValidator(schema: Schema): (value: unknown) => { valid: boolean; errorMessage: string | undefined };
}

/** Those of all dialects. */
type Schema = Record<string, unknown>;

const validator: Validator = new InterpretingJsonSchemaValidator();
const ajv: Validator = new AjvJsonSchemaValidator();
const complaint = (schema: Schema, value: unknown): string | undefined =>
  validator.getValidator(schema)(value).errorMessage;

const draft07 = "http://json-schema.org/draft-07/schema#";
const draft2019 = "https://json-schema.org/draft/2019-09/schema";
const tree = {
  type: "object",
  properties: { leaves: { type: "array", items: { $ref: "#" } } },
  additionalProperties: false,
};

/** A schema, values that are as it says, and values that are not. */
const cases: [Schema, unknown[], unknown[]][] = [
  [{ type: ["integer", "null"] }, [1, 1.0, null], [1.5, "1", [], {}]],
  [{ type: "object" }, [{}], [[], null]],
  [{ enum: [{ a: 1, b: [0] }, "x"] }, [{ b: [0], a: 1 }, "x"], [{ a: 1 }, "y"]],
  [{ multipleOf: 0.0001 }, [0.0075, "no number"], [0.00751]],
  [{ minimum: 1, exclusiveMaximum: 3 }, [1, 2.9], [0, 3]],
  [{ minLength: 2, maxLength: 2 }, ["ab", "💩💩"], ["a", "💩", "abc"]],
  [{ pattern: "^\\p{Letter}+$" }, ["é"], ["1"]],
  [
    { uniqueItems: true },
    [[1, "1", [1], { a: 1 }]],
    [
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
    ],
  ],
  [{ prefixItems: [{ const: 1 }], items: { const: 2 } }, [[], [1], [1, 2, 2]], [[2], [1, 1]]],
  [{ $schema: draft07, items: [{ const: 1 }], additionalItems: false }, [[1]], [[2], [1, 1]]],
  [{ contains: { const: 1 }, maxContains: 1 }, [[1, 2]], [[], [1, 1]]],
  [{ prefixItems: [true], contains: { const: 1 }, unevaluatedItems: false }, [[0, 1]], [[0, 1, 2]]],
  [{ required: ["toString"] }, [{ toString: 1 }], [{}]],
  [
    { properties: { a: { type: "number" } }, patternProperties: { "^x": false } },
    [{ a: 1, b: 1 }],
    [{ a: "" }, { xy: 1 }],
  ],
  [{ properties: { a: true }, additionalProperties: { const: 1 } }, [{ a: 0, b: 1 }], [{ b: 0 }]],
  [{ propertyNames: { maxLength: 1 } }, [{ a: 1 }], [{ ab: 1 }]],
  [{ dependentRequired: { a: ["b"] } }, [{ b: 1 }, { a: 1, b: 1 }], [{ a: 1 }]],
  [{ $schema: draft07, dependencies: { a: ["b"], c: { required: ["d"] } } }, [{ c: 1, d: 1 }], [{ a: 1 }, { c: 1 }]],
  [{ anyOf: [{ type: "string" }, { minimum: 2 }] }, ["", 2], [1]],
  [{ oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] }, [2, 3], [1, 6]],
  [{ not: { type: "string" } }, [1], [""]],
  [{ if: { minimum: 9 }, then: { multipleOf: 9 }, else: { const: 0 } }, [0, 18], [1, 10]],
  [{ allOf: [{ properties: { a: true } }], unevaluatedProperties: false }, [{ a: 1 }], [{ b: 1 }]],
  [{ if: { required: ["a"], properties: { a: true } }, unevaluatedProperties: false }, [{ a: 1 }], [{ b: 1 }]],
  [{ anyOf: [{ properties: { a: { type: "string" } } }, true], unevaluatedProperties: false }, [{ a: "" }], [{ a: 1 }]],
  [tree, [{ leaves: [{ leaves: [] }] }], [{ leaves: [{ leafs: [] }] }]],
  [{ $ref: "#/$defs/a~1b%25", $defs: { "a/b%": { type: "null" } } }, [null], [1]],
  [{ $ref: "#word", $defs: { word: { $anchor: "word", type: "string" } } }, ["a"], [1]],
  [
    {
      $id: "https://a.example/",
      $ref: "item",
      $defs: { item: { $id: "item", $ref: "#/$defs/n", $defs: { n: { const: 1 } } } },
    },
    [1],
    [2],
  ],
  [{ $schema: draft07, $ref: "#/definitions/n", maximum: 1, definitions: { n: { type: "number" } } }, [2], ["2"]],
  [
    {
      $schema: draft2019,
      $recursiveAnchor: true,
      anyOf: [{ type: "number" }, { items: { $recursiveRef: "#" }, type: "array" }],
    },
    [[1, [2]]],
    [["a"]],
  ],
  [
    {
      $id: "https://a.example/strings",
      $ref: "list",
      $defs: {
        strings: { $dynamicAnchor: "item", type: "string" },
        list: { $id: "list", items: { $dynamicRef: "#item" }, $defs: { any: { $dynamicAnchor: "item" } } },
      },
    },
    [["a"]],
    [[1]],
  ],
  [{ $ref: "#word", $defs: { word: { $anchor: "word", const: 1 } }, default: { $anchor: "word", const: 2 } }, [1], [2]],
];

test.for(cases)("%j", ([schema, good, bad]) => {
  expect(good.filter((value) => complaint(schema, value) !== undefined)).toEqual([]);
  expect(bad.filter((value) => complaint(schema, value) === undefined)).toEqual([]);
});

const formats: Record<string, [good: string[], bad: string[]]> = {
  date: [["2024-02-29"], ["2023-02-29", "2023-2-9", "2023-02-01Z"]],
  time: [
    ["23:59:60Z", "08:30:06.5+01:30", "01:29:60+01:30"],
    ["24:00:00Z", "12:00:00", "12:59:60Z"],
  ],
  "date-time": [["2024-02-29T08:30:06z"], ["2024-02-30T08:30:06Z", "2024-02-29"]],
  duration: [
    ["P1Y2M3DT4H5M6S", "P2W"],
    ["P", "PT", "P1D2H"],
  ],
  email: [["te.s~t@example.com"], ["te..st@example.com", "a@b@example.com", "a@-example.com"]],
  hostname: [["xn--nw2a.example"], ["-a.example", "a_b", `${"a".repeat(64)}.example`]],
  ipv4: [["127.0.0.1"], ["127.0.0.01", "256.0.0.1", "1.1.1", "1.1.1.1."]],
  ipv6: [
    ["::1", "::ffff:192.168.0.1"],
    ["::1%eth0", "1::2::3", "[::1]", "12345::"],
  ],
  uri: [
    ["urn:isbn:1", "http://[::1]:80/a?b#c", "mailto:a@example.com"],
    ["/a", "http://a b", "http://[:::]", "http:/[::1]"],
  ],
  "uri-reference": [
    ["", "/a", "//a.example/b", "./a:b"],
    ["\\a", "//a:b/c", "1:a"],
  ],
  "uri-template": [["/{a,b*}{?c:3}"], ["/{a", "/{a b}"]],
  uuid: [["2EB8AA08-AA98-11EA-B4AA-73B441D16380"], ["2EB8AA08AA9811EAB4AA73B441D16380"]],
  "json-pointer": [
    ["", "/a~1b"],
    ["a", "/a~2"],
  ],
  "relative-json-pointer": [
    ["0#", "1/a"],
    ["01", "/a"],
  ],
  regex: [["^\\p{Letter}$"], ["("]],
  "a format of one's own": [["anything"], []],
};

test.for(Object.entries(formats))("format %s", ([format, [good, bad]]) => {
  expect(good.filter((value) => complaint({ format }, value) !== undefined)).toEqual([]);
  expect(bad.filter((value) => complaint({ format }, value) === undefined)).toEqual([]);
});

test("a complaint says where in the value, and which keyword", () => {
  const schema = { properties: { list: { items: { type: "string" } } } };
  expect(complaint(schema, { list: ["a", 1] })).toBe('#/list/1: not as "type" says, "string"');
});

test("a dialect that is not known is refused at once, a reference that leads nowhere when it is followed", () => {
  expect(() => validator.getValidator({ $schema: "http://json-schema.org/draft-04/schema#" })).toThrow("draft-04");
  const follow = validator.getValidator({ properties: { a: { $ref: "https://a.example/elsewhere" } } });
  expect(follow({})).toMatchObject({ valid: true });
  expect(() => follow({ a: 1 })).toThrow('Unresolved $ref "https://a.example/elsewhere"');
});

test("what 10,000 different items are compared with is not each other", () => {
  const many = Array.from({ length: 10_000 }, (_, index) => ({ index }));
  let reads = 0;
  const counted = many.map((item) => ({ ...item, toJSON: () => (reads++, item) }));
  expect(complaint({ uniqueItems: true }, counted)).toBeUndefined();
  expect(reads).toBe(many.length);
});

/** Schemas of a few keywords each. Small ranges, so that values often are as they say. */
function schemas(depth: number): fc.Arbitrary<Schema> {
  const names = fc.constantFrom("a", "b", "c");
  const small = fc.nat({ max: 3 });
  const flat = {
    type: fc.constantFrom("string", "integer", "object", "array", "boolean"),
    enum: fc.uniqueArray(fc.constantFrom<unknown>(0, 1, "a", null, true), { minLength: 1 }),
    minimum: small,
    multipleOf: fc.constantFrom(1, 2, 0.5),
    maxLength: small,
    minItems: small,
    uniqueItems: fc.boolean(),
    required: fc.uniqueArray(names, { maxLength: 2 }),
    dependentRequired: fc.dictionary(names, fc.uniqueArray(names)),
    propertyNames: fc.constant({ enum: ["a", "b"] }),
  };
  if (depth === 0) return someOf(flat, 2);
  const inner = fc.oneof(schemas(depth - 1), schemas(0));
  const list = fc.array(inner, { minLength: 1, maxLength: 2 });
  return someOf(
    {
      ...flat,
      prefixItems: list,
      items: inner,
      contains: inner,
      unevaluatedItems: inner,
      properties: fc.dictionary(names, inner),
      patternProperties: fc.dictionary(fc.constantFrom("^a", "b|c"), inner),
      additionalProperties: inner,
      unevaluatedProperties: inner,
      dependentSchemas: fc.dictionary(names, inner),
      allOf: list,
      anyOf: list,
      oneOf: list,
      not: inner,
      if: inner,
      then: inner,
      else: inner,
    },
    4,
  );
}

function someOf(keywords: Record<string, fc.Arbitrary<unknown>>, most: number): fc.Arbitrary<Schema> {
  return fc
    .uniqueArray(fc.constantFrom(...Object.keys(keywords)), { maxLength: most })
    .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, keywords[name] ?? fc.constant(true)]))));
}

const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<unknown>(0, 1, 2, 1.5, "", "a", "abcd", null, true),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value")),
  ),
})).value;

test("of any schema and value it says what Ajv says, which stdio checks with", () => {
  fc.assert(
    fc.property(schemas(2), fc.array(values, { minLength: 1, maxLength: 10 }), (schema, several) => {
      const others = ajv.getValidator(schema);
      for (const value of several) {
        expect({ value, isValid: complaint(schema, value) === undefined }).toEqual({
          value,
          isValid: others(value).valid,
        });
      }
    }),
    { seed: 20, numRuns: 300 },
  );
});
