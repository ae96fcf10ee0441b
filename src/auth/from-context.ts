import { isObject } from "../protocol/json-rpc.ts";
import type { Auth } from "./auth.ts";

/**
 * For a server behind `OAuthResourceServer`, or `OAuthProvider`, of `@cloudflare/workers-oauth-provider` 1.0 or newer in the same
 * Worker: that has checked the token already, and says in `ctx.auth` and `ctx.props` whose it is. The principal is the `userId`;
 * tools find the props in `authInfo.extra.props`.
 *
 * A request that comes past the provider is an incident: nobody comes in.
 */
export const fromContext: Auth<unknown> = {
  authenticate(_request, _env, ctx) {
    const auth: unknown = ctx && Reflect.get(ctx, "auth");
    const { userId, clientId, token, scope, audience, expiresAt } = isObject(auth) ? auth : {};
    if (typeof userId !== "string" || userId === "") {
      const why =
        "auth is fromContext, and ctx.auth names no user: let workers-oauth-provider 1.0 or newer call this app, and pass its ctx on.";
      return Promise.reject(new TypeError(why));
    }
    const resource = [audience].flat().find((url): url is string => typeof url === "string" && URL.canParse(url));
    const authInfo = {
      token: typeof token === "string" ? token : "",
      clientId: typeof clientId === "string" ? clientId : userId,
      scopes: scopesIn(scope),
      ...(typeof expiresAt === "number" ? { expiresAt } : {}),
      ...(resource === undefined ? {} : { resource: new URL(resource) }),
      extra: { props: ctx?.props },
    };
    return Promise.resolve({ principal: userId, authInfo });
  },
};

function scopesIn(scope: unknown): string[] {
  if (Array.isArray(scope)) return scope.map(String);
  return typeof scope === "string" ? scope.split(" ").filter((one) => one !== "") : [];
}
