import { connect, link, sessionId, token } from "./connection.ts";
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
      return now.isSame ? `Back in the same session after ${duration(now.afterMs)}` : "Back, in a new session";
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

function Login({ challenge, isTokenRefused }: { challenge: string; isTokenRefused: boolean }) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem("token");
    if (field instanceof HTMLInputElement) token.value = field.value.trim().replace(/^Bearer\s+/i, "");
    void connect();
  };
  const scope = /scope="([^"]*)"/.exec(challenge)?.[1];
  return (
    <section class="trouble">
      <h2>Log in</h2>
      {isTokenRefused && (
        <p class="fault" role="alert">
          The server did not take this token.
        </p>
      )}
      <p>
        This server takes a bearer token
        {scope === undefined ? (
          ""
        ) : (
          <>
            {" "}
            with the scope <code>{scope}</code>
          </>
        )}
        . MCP clients that know its login ask you themselves.
      </p>
      <form aria-label="Log in" onSubmit={submit}>
        <div class="field">
          <label for="token">Token</label>
          <input
            id="token"
            name="token"
            type="password"
            required
            autocomplete="off"
            spellcheck={false}
            aria-describedby="about-token"
          />
          <p class="about" id="about-token">
            It stays in this tab, is sent to this server only, and is forgotten when the page is closed.
          </p>
        </div>
        <div class="buttons">
          <button type="submit" class="main">
            Log in
          </button>
        </div>
      </form>
    </section>
  );
}
