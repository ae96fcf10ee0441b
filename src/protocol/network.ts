/** Whom the edge says that a request comes from; of an IPv6 address the 64 bits that one customer has. Empty: it does not say. */
export function networkOf({ headers }: Pick<Request, "headers">): string {
  const address = headers.get("cf-connecting-ip") ?? "";
  return address.includes(":") ? address.split(":").slice(0, 4).join(":") : address;
}
