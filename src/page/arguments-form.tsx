import { useState } from "preact/hooks";
import { initialValue, resolve, type Schema, shapeOf } from "./json-schema.ts";
import { SchemaForm } from "./schema-form.tsx";
import { parsedJson } from "./schema-inputs.tsx";

/** What was typed, by what it is for, and into which fields: whoever looks at another tool meanwhile finds it again. */
const typed = new Map<string, { schema: Schema; value: unknown }>();

/**
 * Fields for what a schema asks for, and the same as JSON beside them: what is typed into one is in the other.
 * `children`: its buttons, of which one submits. `of`: what it is for, if what is typed is to be kept. Give it a key that
 * changes with `schema`.
 */
export function ArgumentsForm({
  of,
  schema,
  label,
  children,
  onSubmit,
}: {
  of?: string;
  schema: Schema;
  label: string;
  children: preact.ComponentChildren;
  onSubmit: (value: Record<string, unknown>) => void;
}) {
  const [value, set] = useState<unknown>(() => firstValue(schema, typed.get(of ?? "")));
  const setValue = (changed: unknown): void => {
    set(changed);
    if (of !== undefined) typed.set(of, { schema, value: changed });
  };
  // As it was typed, until a field changes: what is written anew would move the button that is about to be pressed.
  const [written, setWritten] = useState<string>();
  const shown = written ?? JSON.stringify(value, null, 2);
  // Fields begin anew with what was written as JSON.
  const [revision, setRevision] = useState(0);
  const write = (area: HTMLTextAreaElement): void => {
    setWritten(area.value);
    const parsed = parsedJson(area.value);
    area.setCustomValidity(parsed.ok ? "" : parsed.fault);
    if (!parsed.ok) return;
    setValue(parsed.value);
    setRevision(revision + 1);
  };
  const change = (changed: unknown): void => {
    setWritten(undefined);
    setValue(changed ?? {});
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    onSubmit(value as Record<string, unknown>);
  };
  return (
    <form aria-label={label} onSubmit={submit} onKeyDown={submitByEnter}>
      <SchemaForm key={revision} schema={schema} value={value} onChange={change} />
      {schema["type"] === "object" && (
        <details class="as-json" open={!hasFields(schema) && wantsSomething(schema)}>
          <summary>As JSON</summary>
          <textarea
            class="code"
            aria-label={`${label}, as JSON`}
            spellcheck={false}
            rows={Math.min(16, shown.split("\n").length + 1)}
            value={shown}
            onInput={({ currentTarget }) => write(currentTarget)}
          />
        </details>
      )}
      <div class="buttons">{children}</div>
    </form>
  );
}

/** What was typed, as far as it was typed into fields that are still as they were. */
function firstValue(schema: Schema, before: { schema: Schema; value: unknown } | undefined): unknown {
  const initial = initialValue(schema, schema, true) ?? {};
  if (before === undefined) return initial;
  if (isSame(before.schema, schema)) return before.value;
  const isKept = ([name]: [string, unknown]): boolean => isSame(fieldOf(before.schema, name), fieldOf(schema, name));
  return { ...initial, ...Object.fromEntries(Object.entries(Object(before.value) as Schema).filter(isKept)) };
}

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
const fieldOf = ({ properties }: Schema, name: string): unknown => (Object(properties) as Schema)[name];

function hasFields(schema: Schema): boolean {
  const shape = shapeOf(resolve(schema, schema), schema);
  return shape.kind === "object" && shape.properties.length > 0;
}

/** Alternatives of arguments, or names that nobody knows before. */
function wantsSomething(schema: Schema): boolean {
  const { anyOf, oneOf, additionalProperties: others } = schema;
  return anyOf !== undefined || oneOf !== undefined || others === true || typeof others === "object";
}

/** As in a field of one line, which a text of several can be typed into: shift and Enter break the line. */
function submitByEnter(event: KeyboardEvent): void {
  const { target, key, shiftKey, isComposing } = event;
  if (!(target instanceof HTMLTextAreaElement) || target.classList.contains("code")) return;
  if (key !== "Enter" || shiftKey || isComposing) return;
  event.preventDefault();
  target.form?.requestSubmit();
}
