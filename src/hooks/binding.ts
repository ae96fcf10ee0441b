import { env } from "cloudflare:workers";

const missed = new Set<string>();

/** The binding `name` of wrangler.toml. Without it the log says once what is missing, and `undefined` is given. */
export function bindingNamed<Binding>(name: string, table: string, consequence: string): Binding | undefined {
  const binding: unknown = Reflect.get(env, name);
  if (binding !== undefined) return binding as Binding;
  if (!missed.has(name)) {
    const error = `wrangler.toml has no [[${table}]] named ${name}: ${consequence}`;
    console.error(JSON.stringify({ event: "binding-missing", error }));
  }
  missed.add(name);
  return undefined;
}
