import { useRef } from "preact/hooks";
import { ArgumentsForm } from "./arguments-form.tsx";
import { isUp, link, pullPlug } from "./connection.ts";
import type { Schema } from "./json-schema.ts";
import { runButton, useFocusAfter } from "./keep-focus.ts";
import type { Chosen } from "./offer.ts";
import { RunView } from "./run-view.tsx";
import { cancelRun, isRunning, type Run, runs } from "./runs.ts";

interface PanelProps {
  /** As runs are kept. */
  of: string;
  name: string;
  title?: string | undefined;
  description?: string | undefined;
  code?: string | undefined;
  hints?: readonly string[];
  schema?: Schema;
  verb: string;
  onRun: (args: Record<string, unknown>) => Promise<void>;
}

/** What it is, fields for what it takes, and what came of it. */
export function Panel({ of, name, title, description, code, hints = [], schema = {}, verb, onRun }: PanelProps) {
  const runsNow = isRunning(of);
  const canRun = !runsNow && isUp.value;
  return (
    <article aria-label={title ?? name}>
      <h3>{title ?? name}</h3>
      {code !== undefined && <code>{code}</code>}
      {description !== undefined && <p class="description">{description}</p>}
      {hints.length > 0 && (
        <ul class="hints" aria-label="Hints">
          {hints.map((hint) => (
            <li key={hint}>{hint}</li>
          ))}
        </ul>
      )}
      <ArgumentsForm
        key={JSON.stringify(schema)}
        of={of}
        schema={schema}
        label={`Arguments of ${title ?? name}`}
        onSubmit={(args) => canRun && void onRun(args)}
      >
        {/* A button that is disabled loses the focus, and with it the place of whoever has no mouse. */}
        <button type="submit" class="main run-by" aria-disabled={!canRun}>
          {runsNow ? "Running…" : verb}
        </button>
        <RunningButtons of={of} />
      </ArgumentsForm>
      <RunView of={of} />
    </article>
  );
}

/** What was offered when it was opened. A call of it may still run, and ask. */
export function Gone({ kind, name }: Chosen) {
  const of = `${kind} ${name}`;
  return (
    <article aria-label={name}>
      <h3>{name}</h3>
      <p class="about">The server does not offer this any more.</p>
      <div class="buttons">
        <RunningButtons of={of} />
      </div>
      <RunView of={of} />
    </article>
  );
}

/** What can be done to a call while it runs. */
function RunningButtons({ of }: { of: string }) {
  const run = runs.value.get(of);
  return run === undefined || run.outcome !== undefined ? null : <Running run={run} />;
}

function Running({ run }: { run: Run }) {
  const buttons = useRef<HTMLDivElement>(null);
  useFocusAfter(buttons, runButton);
  const isCut = link.value.state === "cut";
  return (
    <div class="running" ref={buttons}>
      <button type="button" onClick={() => cancelRun(run)}>
        Cancel
      </button>
      <button type="button" class="plug" aria-disabled={isCut} onClick={() => isCut || pullPlug()}>
        Pull the plug
      </button>
    </div>
  );
}
