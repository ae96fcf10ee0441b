import type { ConsentDescription, OAuthHelpers } from "@cloudflare/workers-oauth-provider";

/** Names, hosts and scopes are the client's own words, and clients register themselves. */
const escape = (value: string) => value.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

/** `GET /authorize`: may this client act for you? */
export async function askConsent(request: Request, oauth: OAuthHelpers): Promise<Response> {
  const asked = await oauth.parseAuthRequest(request);
  const details = await oauth.describeConsent(asked);
  const { handle, headers } = await oauth.beginConsent(asked);
  headers.set("content-type", "text/html; charset=utf-8");
  // No script, no frame. `form-action` would also forbid the redirects that follow the form, to the provider and the client.
  const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
  headers.set("content-security-policy", policy);
  return new Response(consentPage(details, handle), { headers });
}

/** `handle` is what the form sends back. */
function consentPage(client: ConsentDescription, handle: string): string {
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
