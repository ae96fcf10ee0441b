import { logIn, logInBy } from "./connection.ts";
import type { LoginWay } from "./oauth.ts";

/** The server's own login, if the page may go there, and a field for a token. `scope`: what the token must be good for. */
export function Login({ scope, way, fault }: { scope: string | undefined; way: LoginWay; fault: string | undefined }) {
  return (
    <section class="trouble" aria-labelledby="login">
      <h2 id="login">Log in</h2>
      {fault !== undefined && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      {way.isOwn ? (
        <>
          <p>This server has a login of its own, which leads back here.</p>
          <div class="buttons">
            <button type="button" class="main" onClick={() => void logIn()}>
              Go to the login
            </button>
          </div>
          <details class="by-token">
            <summary>Or by a token</summary>
            <TokenForm />
          </details>
        </>
      ) : (
        <>
          <p>
            This server takes a bearer token
            {scope !== undefined && (
              <>
                {" "}
                with the scope <code>{scope}</code>
              </>
            )}
            . <Issuers issuers={way.issuers} /> MCP clients that know its login ask you themselves.
          </p>
          <TokenForm />
        </>
      )}
    </section>
  );
}

function Issuers({ issuers }: { issuers: readonly string[] }) {
  const [issuer] = issuers;
  if (issuer === undefined) return null;
  return (
    <>
      <code>{issuer}</code> gives them out.
    </>
  );
}

function TokenForm() {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem("token");
    if (field instanceof HTMLInputElement) void logInBy(field.value.trim().replace(/^Bearer\s+/i, ""));
  };
  return (
    <form aria-label="Log in by a token" onSubmit={submit}>
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
  );
}
