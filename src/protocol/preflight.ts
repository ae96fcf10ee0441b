const allowedMethods = "GET, POST, DELETE, OPTIONS";
const maxAgeSeconds = "86400";

/** Answers a browser's question whether it may ask (Fetch Standard, CORS-preflight). It carries no credentials. */
export function answerPreflight({ headers: asked }: Request): Response {
  const headers = new Headers({
    "access-control-allow-methods": allowedMethods,
    // Whatever it wants to send: a header is no danger from an allowed origin, and revisions keep adding some.
    "access-control-allow-headers": asked.get("access-control-request-headers") ?? "content-type",
    "access-control-max-age": maxAgeSeconds,
    vary: "Origin, Access-Control-Request-Headers",
  });
  return new Response(null, { status: 204, headers });
}
