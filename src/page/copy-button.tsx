import { useState } from "preact/hooks";

/** Copies `text` by one click, and says that it did. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [said, say] = useState("");
  const copy = async (): Promise<void> => {
    // Without https there is no clipboard but on localhost.
    const copied = await (navigator.clipboard as Clipboard | undefined)?.writeText(text).then(
      () => true,
      () => false,
    );
    say(copied === true ? "Copied" : "Select and copy by hand");
    setTimeout(() => say(""), 2_000);
  };
  return (
    <button type="button" class="quiet copy" aria-label={`Copy ${label}`} onClick={() => void copy()}>
      <span aria-live="polite">{said === "" ? "Copy" : said}</span>
    </button>
  );
}

/** Text to be copied, with its button. */
export function Snippet({ text, label }: { text: string; label: string }) {
  return (
    <div class="snippet">
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <CopyButton text={text} label={label} />
    </div>
  );
}
