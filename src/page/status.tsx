import { connect, link, sessionId } from "./connection.ts";
import { Login } from "./login.tsx";
import { duration } from "./run-view.tsx";

/** How it stands with the connection, in a line that is read out when it changes. */
export function Status() {
  const { state } = link.value;
  const isUp = state === "connected" || state === "back";
  return (
    <div class={`status ${isUp ? "up" : state}`}>
      <span class="cable" aria-hidden="true">
        <i />
        <b />
        <i />
      </span>
      <span role="status">{sentence()}</span>
      {isUp && sessionId.value !== undefined && (
        <span class="session">
          session <code>{sessionId.value.slice(0, 8)}</code>
        </span>
      )}
    </div>
  );
}

function sentence(): string {
  const now = link.value;
  switch (now.state) {
    case "connecting":
      return "Connecting…";
    case "connected":
      return "Connected";
    case "cut":
      return "The connection is gone; the session is not";
    case "back":
      return `Back in the same session after ${duration(now.afterMs)}`;
    case "login":
      return "This server asks who you are";
    case "refused":
      return `The server refused this page (${now.status})`;
    case "away":
      return "The server does not answer";
  }
}

/** What to do where there is no session. */
export function Trouble() {
  const now = link.value;
  switch (now.state) {
    case "away":
      return (
        <section class="trouble">
          <h2>The server is away</h2>
          <p>It is looked for again every few seconds, and this page goes on by itself.</p>
          <button type="button" onClick={() => void connect()}>
            Look now
          </button>
        </section>
      );
    case "refused":
      return (
        <section class="trouble">
          <h2>Refused</h2>
          <p>{now.sentence === "" ? `The server answered ${now.status}.` : now.sentence}</p>
          <button type="button" onClick={() => void connect()}>
            Try again
          </button>
        </section>
      );
    case "login":
      return <Login {...now} />;
    default:
      return null;
  }
}
