import { useMemo, useState } from "preact/hooks";
import { LongText } from "./long-text.tsx";
import { wire, type WireEntry } from "./wire.ts";

const marks: Record<WireEntry["direction"], string> = { sent: "→", received: "←", connection: "·" };
const words: Record<WireEntry["direction"], string> = { sent: "sent", received: "received", connection: "connection" };

/** The messages themselves, newest first, for whoever wants to see them. */
export function WireView() {
  const [isOpen, setOpen] = useState(false);
  return (
    <section aria-labelledby="wire">
      <h2 id="wire">On the wire</h2>
      <details class="wire" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>{wire.value.length} messages of this page</summary>
        {isOpen && (
          <ol reversed>
            {wire.value.toReversed().map((entry) => (
              <li key={entry.key} class={entry.direction}>
                <details>
                  <summary>
                    <span class="at">{(entry.atMs / 1_000).toFixed(2)} s</span>
                    <span aria-hidden="true">{marks[entry.direction]}</span>
                    <span class="unseen">{words[entry.direction]}</span> {entry.label}
                  </summary>
                  <Message text={entry.text} />
                </details>
              </li>
            ))}
          </ol>
        )}
      </details>
    </section>
  );
}

/** Indented once: there are hundreds, and one more comes with each message. */
function Message({ text }: { text: string }) {
  const shown = useMemo(() => indented(text), [text]);
  return <LongText text={shown} />;
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
