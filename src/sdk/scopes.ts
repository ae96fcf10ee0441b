import { AsyncLocalStorage } from "node:async_hooks";
import type { AuthInfo, JSONRPCRequest, ScopeChallengeHandler, Transport } from "@modelcontextprotocol/server";
import { isObject } from "../protocol/json-rpc.ts";
import type { AnyServer } from "../server-context.ts";
import { wrapHandlers } from "./handlers.ts";
import { isSdkV2 } from "./sdk-v2.ts";

/** A tool, a resource, a template or a prompt, as `registerTool` and its like return it. */
interface Registered {
  scopeChallenge?: ScopeChallengeHandler | undefined;
  /** Of a template. */
  resourceTemplate?: { uriTemplate: { match(uri: string): unknown; toString(): string } };
}

type Registry = Record<string, Registered>;

/** What the SDKs keep under names that are the same in v1 and v2, and not public; and the request for what has this key. */
const registries: Record<string, (key: string, registered: Registered) => Pick<JSONRPCRequest, "method" | "params">> = {
  _registeredTools: (name) => ({ method: "tools/call", params: { name, arguments: {} } }),
  _registeredPrompts: (name) => ({ method: "prompts/get", params: { name } }),
  _registeredResources: (uri) => ({ method: "resources/read", params: { uri } }),
  _registeredResourceTemplates: (_name, { resourceTemplate }) => ({
    method: "resources/read",
    params: { uri: String(resourceTemplate?.uriTemplate) },
  }),
};

/** Has a server of SDK v1 ask for scopes as one of v2 does: by the `scopeChallenge` of what `registerTool` returned. */
export function challengeScopes(server: AnyServer): void {
  if (isSdkV2(server) || !("server" in server)) return;
  const connect: (transport: Transport) => Promise<void> = server.connect.bind(server) as never;
  // Under the name that it has in v2, so that both are found there. Also of what is disabled: v1 reads such a template.
  const resolveScopeChallenge: ScopeChallengeHandler = (context) =>
    registeredFor(server, context.request)?.scopeChallenge?.(context);
  Object.assign(server, { resolveScopeChallenge });
  server.connect = (
    transport: Transport & { setScopeChallengeResolver?: (challenge: ScopeChallengeHandler) => void },
  ) => {
    transport.setScopeChallengeResolver?.((context) => challengeOf(server)?.(context));
    return connect(transport);
  };
}

function registeredFor(server: AnyServer, { method, params = {} }: JSONRPCRequest): Registered | undefined {
  const named = (registry: string, key: string): Registered | undefined => registryOf(server, registry)[key];
  switch (method) {
    case "tools/call":
      return named("_registeredTools", String(params["name"]));
    case "prompts/get":
      return named("_registeredPrompts", String(params["name"]));
    case "resources/read": {
      const uri = URL.parse(String(params["uri"]))?.href;
      if (uri === undefined) return undefined;
      const matching = templatesOf(server).find(({ resourceTemplate }) => resourceTemplate?.uriTemplate.match(uri));
      return named("_registeredResources", uri) ?? matching;
    }
    default:
      return undefined;
  }
}

/** Has `server` ask for the scopes of a prompt or a resource also of who asks about it: the SDKs do it of who gets it. */
export function challengeQuestions(server: AnyServer): void {
  const challenge = challengeOf(server);
  if (challenge === undefined) return;
  const asking: ScopeChallengeHandler = (context) => {
    const getting = { ...context, request: gettingOf(context.request) };
    if (isTooLong(getting.request)) return challengeOfAny(templatesOf(server), getting);
    const template = getting.request === context.request ? undefined : templateOf(server, getting.request);
    return template === undefined ? challenge(getting) : template.scopeChallenge?.(getting);
  };
  Object.assign(server, { resolveScopeChallenge: asking });
}

/** What `request` asks about is got by this one. */
function gettingOf(request: JSONRPCRequest): JSONRPCRequest {
  const { method, params } = request;
  if (method === "resources/subscribe") return { ...request, method: "resources/read" };
  if (method !== "completion/complete") return request;
  const about = Object(params?.["ref"]) as Record<string, unknown>;
  return { ...request, method: about["type"] === "ref/prompt" ? "prompts/get" : "resources/read", params: about };
}

/** The template that `request` reads by its own text, as who asks about it names it: its URIs may be spelled otherwise. */
function templateOf(server: AnyServer, { method, params }: JSONRPCRequest): Registered | undefined {
  if (method !== "resources/read") return undefined;
  return templatesOf(server).find(({ resourceTemplate }) => String(resourceTemplate?.uriTemplate) === params?.["uri"]);
}

/** The longest URI that a template of the SDKs is compared with, UTF-16 units: they throw for a longer one. */
const maxUriLength = 1_000_000;

function isTooLong({ method, params }: JSONRPCRequest): boolean {
  return method === "resources/read" && Number(URL.parse(String(params?.["uri"]))?.href.length) > maxUriLength;
}

/** What cannot be compared with any of `templates` might be of each. Whoever handles it says that it is none. */
async function challengeOfAny(
  templates: Registered[],
  context: Parameters<ScopeChallengeHandler>[0],
): Promise<Awaited<ReturnType<ScopeChallengeHandler>>> {
  for (const { scopeChallenge } of templates) {
    const missing = await scopeChallenge?.(context);
    if (missing !== undefined) return missing;
  }
  return undefined;
}

/** Who sent the request that a server handles. */
const callers = new AsyncLocalStorage<AuthInfo | undefined>();

/**
 * Has `server` know to each caller only what that may use: what asks for a scope that the caller lacks is neither listed nor
 * found, completed or challenged, as if it had never been registered. Each request counts by itself, as another token of the
 * same user may have other scopes. `builtFor`: who sent the one request that it is built for, if it is.
 *
 * A challenge that gives a promise cannot be asked in making a list: what has one is listed, and challenged when it is called.
 */
export function hideOutOfScope(server: AnyServer, builtFor?: AuthInfo): void {
  for (const [name, requestFor] of Object.entries(registries)) {
    const all = Reflect.get(server, name) as Registry | undefined;
    if (all === undefined) continue;
    Object.defineProperty(server, name, {
      get: () => {
        const authInfo = callers.getStore() ?? builtFor;
        return authInfo === undefined ? all : shownTo(authInfo, all, requestFor);
      },
    });
  }
  const challenge = challengeOf(server);
  const hiding: ScopeChallengeHandler = (context) => callers.run(context.authInfo, () => challenge?.(context));
  if (challenge !== undefined) Object.assign(server, { resolveScopeChallenge: hiding });
  // All that it does in answer to a request is to know who sent that.
  wrapHandlers(
    server,
    (handler) => (request, context) => callers.run(authInfoIn(context), () => handler(request, context)),
  );
}

function shownTo(authInfo: AuthInfo, all: Registry, requestFor: (typeof registries)[string]): Registry {
  const isShown = (key: string | symbol): boolean => {
    const registered = typeof key === "string" && Object.hasOwn(all, key) ? all[key] : undefined;
    if (typeof key !== "string" || registered?.scopeChallenge === undefined) return true;
    const request = { jsonrpc: "2.0" as const, id: 0, ...requestFor(key, registered) };
    const challenged = registered.scopeChallenge({ request, authInfo });
    return challenged === undefined || challenged instanceof Promise;
  };
  return new Proxy(all, {
    get: (target, key): unknown => (isShown(key) ? Reflect.get(target, key) : undefined),
    ownKeys: (target) => Reflect.ownKeys(target).filter(isShown),
  });
}

/** `http` is v2's name for what brought a request. */
function authInfoIn(context: unknown): AuthInfo | undefined {
  const { http, authInfo } = isObject(context) ? context : {};
  return (isObject(http) ? http["authInfo"] : authInfo) as AuthInfo | undefined;
}

function registryOf(server: AnyServer, registry: string): Registry {
  const registered: unknown = Reflect.get(server, registry);
  return isObject(registered) ? (registered as Registry) : {};
}

/** By what `server` says which scopes a request needs, if it does. */
function templatesOf(server: AnyServer): Registered[] {
  return Object.values(registryOf(server, "_registeredResourceTemplates"));
}

export function challengeOf(server: AnyServer): ScopeChallengeHandler | undefined {
  const challenge: unknown = Reflect.get(server, "resolveScopeChallenge");
  return typeof challenge === "function" ? (challenge as ScopeChallengeHandler) : undefined;
}
