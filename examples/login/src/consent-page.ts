import type { ConsentDescription } from "@cloudflare/workers-oauth-provider";

/** Names, hosts and scopes are the client's own words, and clients register themselves. */
const escape = (value: string) => value.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

/** Asks a person whether a client may act for them. `handle` is what the form sends back. */
export function consentPage(client: ConsentDescription, handle: string): string {
  const name = escape(client.clientName);
  const publisher =
    client.clientDomain === undefined
      ? "It gave this name itself; nobody has checked it."
      : `It is published by <strong>${escape(client.clientDomain)}</strong>.`;
  const local =
    "<p><strong>That is a program on your own computer.</strong> Go on only if you have just started it.</p>";
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Allow ${name}?</title>
<style>
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui; }
  body { max-width: 34rem; margin: 4rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
  button { font: inherit; padding: 0.4rem 1.2rem; }
</style>
<h1>Allow ${name} to use this MCP server for you?</h1>
<p>${publisher} Access is sent to <strong>${escape(client.redirectHost)}</strong>.</p>
${client.redirectIsLoopback ? local : ""}
<p>It asks for: ${escape(client.scope.join(", ") || "the usual")}.</p>
<form method="post">
  <input type="hidden" name="handle" value="${escape(handle)}">
  <button name="decision" value="allow">Allow</button>
  <button name="decision" value="deny">Deny</button>
</form>
</html>
`;
}
