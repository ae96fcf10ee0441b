/** What a person sees on the way through a login: each page's text, its policy, and where it all ended. */
export interface Login {
  /** Where the client is told how it went. */
  back: URL;
  /** The pages that were shown. */
  pages: { text: string; headers: Headers }[];
}

/**
 * A person with a browser, who opens the URL that a client gave, agrees to what is asked, and is sent on until the client's
 * own address comes, which is not opened. Cookies are kept by host, and secure ones are sent to this machine too, as
 * browsers do.
 */
export async function logIn(start: URL, decision = "allow"): Promise<Login> {
  const goal = new URL(start.searchParams.get("redirect_uri") ?? "");
  const cookies = new Map<string, Map<string, string>>();
  const pages: Login["pages"] = [];
  let request: { url: URL; body?: URLSearchParams } = { url: start };
  for (let hop = 0; hop < 20; hop++) {
    const { url, body } = request;
    if (url.origin === goal.origin && url.pathname === goal.pathname) return { back: url, pages };
    const jar = cookies.get(url.host) ?? new Map<string, string>();
    cookies.set(url.host, jar);
    const cookie = Array.from(jar, (pair) => pair.join("=")).join("; ");
    const response = await fetch(url, {
      redirect: "manual",
      headers: { cookie },
      ...(body && { method: "POST", body }),
    });
    for (const set of response.headers.getSetCookie()) {
      const [name = "", value = ""] = set.split(";", 1)[0]?.split(/=(.*)/s) ?? [];
      jar.set(name, value);
    }
    const text = await response.text();
    const location = response.headers.get("location");
    if (location !== null) {
      request = { url: new URL(location, url) };
      continue;
    }
    pages.push({ text, headers: response.headers });
    const handle = /name="handle" value="(?<handle>[^"]*)"/.exec(text)?.groups?.["handle"];
    if (handle === undefined) throw new Error(`${response.status} at ${url.href}: ${text}`);
    request = { url, body: new URLSearchParams({ handle, decision }) };
  }
  throw new Error(`${start.href} leads nowhere`);
}
