/**
 * Whom the edge says that a request comes from, in a header that it writes over any of the client's; of an IPv6 address the 64
 * bits that one customer has. Empty: it does not say.
 */
export function networkOf({ headers }: Pick<Request, "headers">): string {
  const address = headers.get("cf-connecting-ip") ?? "";
  if (!address.includes(":")) return address;
  // Groups of zeros are left out where there are two colons (RFC 5952, section 4.2).
  const [before = [], after = []] = address.split("::").map((groups) => groups.split(":"));
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...zeros, ...after].slice(0, 4).join(":");
}
