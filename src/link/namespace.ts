/**
 * The Durable Objects of this Worker.
 * @throws {TypeError} if wrangler.toml binds none under that name.
 */
export function namespaceOf(env: unknown, binding: string): DurableObjectNamespace {
  const namespace = (env as Record<string, DurableObjectNamespace | undefined>)[binding];
  if (namespace === undefined) {
    throw new TypeError(
      `wrangler.toml has no Durable Object binding named ${binding}: see its [[durable_objects.bindings]].`,
    );
  }
  return namespace;
}
