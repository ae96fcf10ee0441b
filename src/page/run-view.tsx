import { useLayoutEffect, useRef } from "preact/hooks";
import { QuestionCard } from "./question-card.tsx";
import { Result } from "./results.tsx";
import { type Run, runs } from "./runs.ts";

/** What a call says while it runs, and what came of it. */
export function RunView({ of }: { of: string }) {
  const run = runs.value.get(of);
  return (
    <div
      class="run"
      role="region"
      aria-label="What came of it"
      aria-busy={run !== undefined && run.outcome === undefined}
    >
      {run !== undefined && <Parts run={run} />}
      {run !== undefined && run.outcome === undefined && <QuestionCard />}
      <div aria-live="polite">{run?.outcome !== undefined && <Result outcome={run.outcome} />}</div>
      {run?.tookMs !== undefined && <p class="about took">{duration(run.tookMs)}</p>}
    </div>
  );
}

function Parts({ run }: { run: Run }) {
  const { progress, parts, outcome } = run;
  const list = useRef<HTMLOListElement>(null);
  const newest = () => list.current?.lastElementChild;
  // Whoever has gone on to look at something else is left there.
  const follows = isSeen(newest());
  useLayoutEffect(() => {
    if (follows) newest()?.scrollIntoView({ block: "nearest" });
  }, [parts.at(-1)?.key]);
  return (
    <>
      {outcome === undefined && (
        <progress
          aria-label="Progress"
          {...(progress?.total === undefined ? {} : { value: progress.done, max: progress.total })}
        />
      )}
      {parts.length > 0 && (
        <div class="parts" role="log" aria-label="What it said" tabIndex={0}>
          <ol ref={list}>
            {parts.map(({ key, kind, afterMs, text }) => (
              <li key={key} class={kind}>
                <span class="at">{(afterMs / 1_000).toFixed(1)} s</span>
                <span class="kind">{kind}</span>
                <span>{text}</span>
              </li>
            ))}
          </ol>
        </div>
      )}
    </>
  );
}

/** Whether it is in the window, and in the part that is seen of what it scrolls in; what is not there yet is. */
function isSeen(element: Element | null | undefined): boolean {
  const scroller = element?.closest(".parts");
  if (!element || !scroller) return true;
  const { top, bottom } = element.getBoundingClientRect();
  const held = scroller.getBoundingClientRect();
  return bottom > Math.max(0, held.top) && top < Math.min(innerHeight, held.bottom);
}

export function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
