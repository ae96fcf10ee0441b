import { type Choice, fitsPattern, type Schema, type Shape, takesText } from "./json-schema.ts";

/** What stands between a label and a value. It keeps what is typed. */
export interface InputProps {
  id: string;
  /** The id of the text that says more. */
  describedBy: string | undefined;
  schema: Schema;
  value: unknown;
  isRequired: boolean;
  onChange: (value: unknown) => void;
}

export function Input(props: InputProps & { shape: Shape }) {
  const { id, describedBy, schema, value, isRequired, shape, onChange } = props;
  const common = { id, "aria-describedby": describedBy };
  switch (shape.kind) {
    case "number":
      return (
        <input
          {...common}
          type="number"
          required={isRequired}
          step={shape.isWhole ? 1 : "any"}
          min={bound(schema["minimum"])}
          max={bound(schema["maximum"])}
          defaultValue={typeof value === "number" ? String(value) : ""}
          onInput={({ currentTarget: field }) => {
            const { value: typed, valueAsNumber: number } = field;
            field.setCustomValidity(isInexact(number, typed) ? inexact : "");
            onChange(typed === "" || Number.isNaN(number) ? undefined : number);
          }}
        />
      );
    case "boolean":
      if (isRequired) {
        return (
          <input
            {...common}
            type="checkbox"
            defaultChecked={value === true}
            onInput={({ currentTarget }) => onChange(currentTarget.checked)}
          />
        );
      }
      return <Select {...props} choices={[true, false].map((one) => ({ value: one, label: one ? "yes" : "no" }))} />;
    case "choice":
      return <Select {...props} choices={shape.choices} />;
    case "text":
      return <Text {...props} format={shape.format} />;
    default:
      return <Json {...props} />;
  }
}

function Text({ id, describedBy, schema, value, isRequired, format, onChange }: InputProps & { format: string }) {
  const least = bound(schema["minLength"]);
  const common = {
    id,
    "aria-describedby": describedBy,
    required: isRequired && least !== undefined && least > 0,
    minLength: least,
    maxLength: bound(schema["maxLength"]),
    defaultValue: typeof value === "string" ? value : "",
    onInput: ({ currentTarget: field }: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) => {
      const isFit = field.value === "" || fitsPattern(field.value, schema);
      field.setCustomValidity(isFit ? "" : `It must match ${String(schema["pattern"])}`);
      onChange(field.value === "" && !isRequired ? undefined : field.value);
    },
  };
  switch (format) {
    case "email":
      return <input {...common} type="email" />;
    case "uri":
      return <input {...common} type="url" />;
    case "date":
      return <input {...common} type="date" />;
    case "date-time":
      return <input {...common} type="text" placeholder="2026-11-29T12:00:00Z" />;
    default:
      // Line breaks may be meant.
      return <textarea {...common} rows={1} />;
  }
}

function Select({ id, describedBy, value, isRequired, choices, onChange }: InputProps & { choices: Choice[] }) {
  const index = choices.findIndex((choice) => choice.value === value);
  return (
    <select
      id={id}
      aria-describedby={describedBy}
      required={isRequired}
      onInput={({ currentTarget }) => onChange(choices[Number(currentTarget.value)]?.value)}
    >
      <option value="" selected={index < 0}>
        {isRequired ? "Choose…" : "Not set"}
      </option>
      {choices.map(({ label }, position) => (
        <option key={label} value={position} selected={position === index}>
          {label}
        </option>
      ))}
    </select>
  );
}

/** Where a text is a value too, what is no JSON is one: nobody is to write quotation marks around a name. */
function Json({ id, describedBy, schema, value, isRequired, onChange }: InputProps) {
  const isText = takesText(schema);
  const parse = (area: HTMLTextAreaElement): void => {
    const typed = area.value.trim();
    const asJson = parsedJson(typed);
    const parsed = isText && !asJson.ok ? ({ ok: true, value: typed } as const) : asJson;
    area.setCustomValidity(typed === "" || parsed.ok ? "" : parsed.fault);
    if (typed === "") onChange(undefined);
    else if (parsed.ok) onChange(parsed.value);
  };
  return (
    <textarea
      id={id}
      class="code"
      rows={2}
      spellcheck={false}
      required={isRequired}
      placeholder={isText ? "Text or JSON" : "JSON"}
      aria-describedby={describedBy}
      defaultValue={value === undefined ? "" : isText && typeof value === "string" ? value : JSON.stringify(value)}
      onInput={({ currentTarget }) => parse(currentTarget)}
    />
  );
}

type Parsed = { ok: true; value: unknown } | { ok: false; fault: string };

export function parsedJson(text: string): Parsed {
  let isExact = true;
  try {
    const value: unknown = JSON.parse(text, (_, one: unknown, context?: { source?: string }) => {
      if (isInexact(one, context?.source ?? "")) isExact = false;
      return one;
    });
    return isExact ? { ok: true, value } : { ok: false, fault: inexact };
  } catch {
    return { ok: false, fault: "This is no JSON." };
  }
}

const inexact = `A whole number beyond ${Number.MAX_SAFE_INTEGER} is sent as another.`;

/** Whether it is another number than the digits that were typed. */
function isInexact(number: unknown, typed: string): boolean {
  return /^-?\d+$/.test(typed) && BigInt(typed) !== BigInt(Number(number));
}

function bound(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
