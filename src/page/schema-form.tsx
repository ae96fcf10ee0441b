import { useId, useState } from "preact/hooks";
import {
  type Choice,
  deepest,
  initialValue,
  mayBeNull,
  resolve,
  type Schema,
  type Shape,
  shapeOf,
} from "./json-schema.ts";
import { Input, type InputProps } from "./schema-inputs.tsx";

interface FieldProps extends Omit<InputProps, "id" | "describedBy"> {
  name: string;
  /** In which `$ref` points. */
  root: Schema;
  depth: number;
}

/** The fields of an object's properties. Fields keep what is typed: give the form a key that changes with a value of elsewhere. */
export function SchemaForm({ schema, value, onChange }: Pick<FieldProps, "schema" | "value" | "onChange">) {
  const shape = shapeOf(resolve(schema, schema), schema);
  if (shape.kind !== "object" || shape.properties.length === 0) return null;
  return <Properties {...{ shape, root: schema, value, onChange }} isRequired depth={0} />;
}

type Of<Kind extends Shape["kind"]> = Extract<Shape, { kind: Kind }>;

function Properties({
  shape,
  root,
  value,
  isRequired,
  depth,
  onChange,
}: Pick<FieldProps, "root" | "value" | "isRequired" | "depth" | "onChange"> & { shape: Of<"object"> }) {
  const held = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  const change = (name: string, changed: unknown): void => {
    const next = Object.fromEntries(
      Object.entries({ ...held, [name]: changed }).filter(([, one]) => one !== undefined),
    );
    onChange(!isRequired && Object.keys(next).length === 0 ? undefined : next);
  };
  return (
    <>
      {shape.properties.map(([name, schema]) => (
        <Field
          key={name}
          name={name}
          schema={schema}
          root={root}
          value={held?.[name]}
          isRequired={shape.required.includes(name) && (isRequired || held !== undefined)}
          depth={depth + 1}
          onChange={(changed) => change(name, changed)}
        />
      ))}
    </>
  );
}

function Field(given: FieldProps) {
  const props = given.schema[mayBeNull] === true && given.isRequired ? emptyIsNull(given) : given;
  const { schema, root, depth } = props;
  const shape: Shape = depth > deepest ? { kind: "json" } : shapeOf(schema, root);
  const id = useId();
  const describedBy = typeof schema["description"] === "string" ? `${id}-about` : undefined;
  const labelled = { ...props, id, describedBy };
  switch (shape.kind) {
    case "object":
      return (
        <Group {...labelled}>
          {depth > 1 && !props.isRequired && props.value === undefined ? (
            <AddButton {...props} onClick={() => props.onChange(initialValue(schema, root, true) ?? {})} />
          ) : (
            <Properties {...{ ...props, shape }} />
          )}
        </Group>
      );
    case "list":
      return (
        <Group {...labelled}>
          <Items {...props} items={shape.items} />
        </Group>
      );
    case "choices":
      return (
        <Group {...labelled}>
          <Choices {...props} choices={shape.choices} />
        </Group>
      );
    default:
      return (
        <div class={shape.kind === "boolean" && props.isRequired ? "field check" : "field"}>
          <label for={id}>
            {titleOf(props)}
            <Note {...props} />
          </label>
          <Input {...labelled} shape={shape} />
          <About {...labelled} />
        </div>
      );
  }
}

/** Of what must be there and may be `null`, a field with nothing in it says that. */
function emptyIsNull(field: FieldProps): FieldProps {
  const onChange = (changed: unknown): void => field.onChange(changed ?? null);
  return { ...field, isRequired: false, value: field.value ?? undefined, onChange };
}

type Labelled = FieldProps & InputProps;

function Group({ children, ...props }: Labelled & { children: preact.ComponentChildren }) {
  return (
    <fieldset class="field" aria-describedby={props.describedBy}>
      <legend>
        {titleOf(props)}
        <Note {...props} />
      </legend>
      <About {...props} />
      {children}
    </fieldset>
  );
}

function Note({ isRequired }: FieldProps) {
  return isRequired ? null : <span class="note">optional</span>;
}

function About({ schema, describedBy }: Labelled) {
  if (describedBy === undefined) return null;
  return (
    <p class="about" id={describedBy}>
      {String(schema["description"])}
    </p>
  );
}

function Choices({ value, choices, onChange }: FieldProps & { choices: Choice[] }) {
  const held: unknown[] = Array.isArray(value) ? value : [];
  const toggle = (one: unknown, isOn: boolean): void =>
    onChange(choices.map((choice) => choice.value).filter((other) => (other === one ? isOn : held.includes(other))));
  return (
    <>
      {choices.map(({ value: one, label }) => (
        <label class="option" key={label}>
          <input
            type="checkbox"
            checked={held.includes(one)}
            onInput={({ currentTarget }) => toggle(one, currentTarget.checked)}
          />
          {label}
        </label>
      ))}
    </>
  );
}

function Items({ name, value, root, items, isRequired, depth, onChange }: FieldProps & { items: Schema }) {
  const held: unknown[] = Array.isArray(value) ? value : [];
  // An item keeps its fields when one before it goes.
  const [keys, setKeys] = useState(() => held.map((_, index) => index));
  const remove = (at: number): void => {
    setKeys(keys.filter((_, index) => index !== at));
    const left = held.filter((_, index) => index !== at);
    onChange(left.length === 0 && !isRequired ? undefined : left);
  };
  const add = (): void => {
    setKeys([...keys, Math.max(-1, ...keys) + 1]);
    onChange([...held, initialValue(items, root, true) ?? null]);
  };
  return (
    <>
      {held.map((one, index) => (
        <div class="item" key={keys[index]}>
          <Field
            {...{ root, schema: items, depth: depth + 1, isRequired: true }}
            name={`${name} ${index + 1}`}
            value={one ?? undefined}
            onChange={(changed) => onChange(held.map((other, at) => (at === index ? (changed ?? null) : other)))}
          />
          <button type="button" class="quiet" aria-label={`Remove ${name} ${index + 1}`} onClick={() => remove(index)}>
            Remove
          </button>
        </div>
      ))}
      <AddButton name={name} isFirst={held.length === 0} onClick={add} />
    </>
  );
}

/** For what may be left out: a schema that holds itself would have no end. */
function AddButton({ name, isFirst = true, onClick }: { name: string; isFirst?: boolean; onClick: () => void }) {
  return (
    <button type="button" class="quiet" onClick={onClick}>
      Add {isFirst ? "one" : "another"}
      <span class="unseen"> to {name}</span>
    </button>
  );
}

function titleOf({ schema, name }: FieldProps): string {
  return typeof schema["title"] === "string" ? schema["title"] : name;
}
