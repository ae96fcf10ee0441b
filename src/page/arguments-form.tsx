import { useState } from "preact/hooks";
import { initialValue, type Schema } from "./json-schema.ts";
import { SchemaForm } from "./schema-form.tsx";
import { parsedJson } from "./schema-inputs.tsx";

/**
 * Fields for what a schema asks for, and the same as JSON beside them: what is typed into one is in the other.
 * `children`: its buttons, of which one submits.
 */
export function ArgumentsForm({
  schema,
  label,
  children,
  onSubmit,
}: {
  schema: Schema;
  label: string;
  children: preact.ComponentChildren;
  onSubmit: (value: Record<string, unknown>) => void;
}) {
  const [value, setValue] = useState<unknown>(() => initialValue(schema, schema, true) ?? {});
  // Fields begin anew with what was written as JSON.
  const [revision, setRevision] = useState(0);
  const write = (area: HTMLTextAreaElement): void => {
    const parsed = parsedJson(area.value);
    area.setCustomValidity(parsed.ok ? "" : "This is no JSON.");
    if (!parsed.ok) return;
    setValue(parsed.value);
    setRevision(revision + 1);
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    onSubmit(value as Record<string, unknown>);
  };
  return (
    <form aria-label={label} onSubmit={submit} onKeyDown={submitByEnter}>
      <SchemaForm key={revision} schema={schema} value={value} onChange={(changed) => setValue(changed ?? {})} />
      {schema["type"] === "object" && (
        <details class="as-json">
          <summary>As JSON</summary>
          <textarea
            class="code"
            aria-label={`${label}, as JSON`}
            spellcheck={false}
            rows={Math.min(16, JSON.stringify(value, null, 2).split("\n").length + 1)}
            value={JSON.stringify(value, null, 2)}
            onChange={({ currentTarget }) => write(currentTarget)}
          />
        </details>
      )}
      <div class="buttons">{children}</div>
    </form>
  );
}

/** As in a field of one line, which a text of several can be typed into: shift and Enter break the line. */
function submitByEnter(event: KeyboardEvent): void {
  const { target, key, shiftKey, isComposing } = event;
  if (!(target instanceof HTMLTextAreaElement) || target.classList.contains("code")) return;
  if (key !== "Enter" || shiftKey || isComposing) return;
  event.preventDefault();
  target.form?.requestSubmit();
}
