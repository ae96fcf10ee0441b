import { useEffect, useRef, useState } from "preact/hooks";
import { ArgumentsForm } from "./arguments-form.tsx";
import { runButton, useFocusAfter } from "./keep-focus.ts";
import { type Question, questions } from "./questions.ts";

/** The oldest question of the server that is not answered; it takes the focus when it comes. */
export function QuestionCard() {
  const [question] = questions.value;
  return question === undefined ? null : <Card question={question} key={question.key} />;
}

function Card({ question }: { question: Question }) {
  const card = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  useFocusAfter(card, runButton);
  return (
    <section class="question" aria-labelledby="question" ref={card}>
      <h3 id="question" tabIndex={-1} ref={heading}>
        The server asks {question.kind === "sampling" ? "your model" : "you"}
      </h3>
      {question.kind === "sampling" ? <Sampling question={question} /> : <Elicitation question={question} />}
    </section>
  );
}

function Elicitation({ question }: { question: Extract<Question, { kind: "elicitation" }> }) {
  const { params, answer } = question;
  const others = (
    <>
      <button type="button" onClick={() => answer({ action: "decline" })}>
        Decline
      </button>
      <button type="button" onClick={() => answer({ action: "cancel" })}>
        Dismiss
      </button>
    </>
  );
  if (params.mode === "url") {
    // A page could otherwise be told to run a script.
    const isWeb = /^https?:/.test(params.url);
    return (
      <>
        <p>{params.message}</p>
        <p>
          It would have you open <code>{params.url}</code>
        </p>
        <div class="buttons">
          {isWeb && (
            <a
              class="button main"
              href={params.url}
              target="_blank"
              rel="noopener noreferrer"
              onClick={() => answer({ action: "accept" })}
            >
              Open it
            </a>
          )}
          {others}
        </div>
      </>
    );
  }
  return (
    <>
      <p>{params.message}</p>
      <ArgumentsForm
        schema={params.requestedSchema}
        label="Your answer"
        onSubmit={(content) => answer({ action: "accept", content: content as Record<string, string> })}
      >
        <button type="submit" class="main">
          Answer
        </button>
        {others}
      </ArgumentsForm>
    </>
  );
}

function Sampling({ question }: { question: Extract<Question, { kind: "sampling" }> }) {
  const { params, answer, refuse } = question;
  const [text, setText] = useState("");
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    answer({ role: "assistant", model: "a person", stopReason: "endTurn", content: { type: "text", text } });
  };
  return (
    <form aria-label="The model's answer" onSubmit={submit}>
      {params.systemPrompt !== undefined && <p class="about">{params.systemPrompt}</p>}
      {params.messages.map(({ role, content }, index) => (
        <div class="message" key={index}>
          <p class="about">{role}</p>
          <pre class="prose">
            {[content].flat().map((block) => (block.type === "text" ? block.text : JSON.stringify(block, null, 2)))}
          </pre>
        </div>
      ))}
      <div class="field">
        <label for="sampled">The answer, written by you in the place of a model</label>
        <textarea id="sampled" rows={3} required onInput={({ currentTarget }) => setText(currentTarget.value)} />
      </div>
      <div class="buttons">
        <button type="submit" class="main">
          Answer
        </button>
        <button type="button" onClick={refuse}>
          Refuse
        </button>
      </div>
    </form>
  );
}
