import { useState } from "preact/hooks";

/** A browser is busy for seconds with a text of millions: so much of one is shown at first, UTF-16 units. */
const shownLength = 20_000;

/** `text` in a `pre`, of which a long one shows its beginning until somebody wants the rest. */
export function LongText({ text, label, kind }: { text: string; label?: string; kind?: string }) {
  const [isWhole, setWhole] = useState(false);
  const isLong = text.length > shownLength && !isWhole;
  return (
    <>
      <pre class={kind} tabIndex={0} aria-label={label}>
        {isLong ? text.slice(0, shownLength) : text}
      </pre>
      {isLong && (
        <button type="button" class="quiet rest" onClick={() => setWhole(true)}>
          Show all {text.length.toLocaleString("en")} characters
        </button>
      )}
    </>
  );
}
