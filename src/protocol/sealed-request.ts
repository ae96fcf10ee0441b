/** The words of the runtime. */
const immutable = "Can't modify immutable headers.";

/**
 * `request`, whose headers nobody can change, as those of every request that comes in: several calls share one of ours, and
 * none may see what another did to it. Whoever needs others makes a copy, `new Headers(request.headers)`.
 */
export function sealed(request: Request): Request {
  const { headers } = request;
  if (Object.hasOwn(headers, "set")) return request;
  const refuse = (): never => {
    throw new TypeError(immutable);
  };
  for (const change of ["append", "delete", "set"]) Object.defineProperty(headers, change, { value: refuse });
  // Its own property: the runtime may make another object of the same headers.
  return Object.defineProperty(request, "headers", { value: headers });
}
