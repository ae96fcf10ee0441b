import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from "jose";
import type { JwtSettings } from "./jwt-options.ts";

/** An unknown key has the issuer asked again at most so often. */
const cooldownDuration = 5_000;

/** The issuer's keys are fetched anew after this. Until then it may be out of order, and a key that it withdrew is trusted. */
const cacheMaxAge = 60 * 60_000;

/** How long an issuer that gave no answer is not asked again: as long as clients are told to wait. Milliseconds. */
const askAgainMs = 5_000;

/**
 * An identity provider, as far as it is asked: for its metadata, and for its keys.
 * Storage: memory of the isolate. Cost: a request each for the first token, and one for the keys every hour. Of one that gives
 * no answer a request waits `timeoutMs` at most, and those that come soon after it are told so at once.
 */
export class Issuer {
  readonly #settings: JwtSettings;
  /** How long it has for one question, milliseconds: a request may need two. */
  readonly #eachMs: number;
  #metadata: { json: string; jwksUri: unknown } | undefined;
  #keys: JWTVerifyGetKey | undefined;
  /** Why it is not asked until then. */
  #failure: { error: unknown; untilMs: number } | undefined;

  constructor(settings: JwtSettings) {
    this.#settings = settings;
    this.#eachMs = settings.jwksUri === undefined ? settings.timeoutMs / 2 : settings.timeoutMs;
  }

  /** The key that a token names. Rejects with what jose does, or with why the issuer cannot be asked. */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    // Not a promise that others wait for: on Workers it would end with the request that made it.
    this.#keys ??= createRemoteJWKSet(this.#settings.jwksUri ?? (await this.#discoverJwksUri()), {
      cooldownDuration,
      cacheMaxAge,
      timeoutDuration: this.#eachMs,
      [customFetch]: (url, init) => this.#ask(url, init),
    });
    return await this.#keys(header, token);
  };

  /** Its metadata, as JSON (OpenID Connect Discovery 1.0, section 4). Asked for once in an isolate. */
  async metadata(): Promise<string> {
    try {
      return (await this.#discover()).json;
    } catch (error) {
      this.noteFailure(error);
      throw error;
    }
  }

  /** It was asked in vain. What of that was known already changes nothing. */
  noteFailure(error: unknown): void {
    if (error === this.#failure?.error) return;
    this.#failure = { error, untilMs: Date.now() + askAgainMs };
    const { issuer } = this.#settings;
    console.error(JSON.stringify({ event: "issuer-unreachable", issuer, error: String(error) }));
  }

  async #discoverJwksUri(): Promise<URL> {
    const { jwksUri } = await this.#discover();
    const parsed = typeof jwksUri === "string" ? URL.parse(jwksUri) : null;
    if (parsed === null) throw new Error(`${this.#settings.issuer} names no jwks_uri: set jwksUri.`);
    return parsed;
  }

  async #discover(): Promise<{ json: string; jwksUri: unknown }> {
    if (this.#metadata !== undefined) return this.#metadata;
    const { issuer } = this.#settings;
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const response = await this.#ask(url, { redirect: "manual", signal: AbortSignal.timeout(this.#eachMs) });
    const json = await response.text();
    const document: unknown = JSON.parse(json);
    const [named, jwksUri] = ["issuer", "jwks_uri"].map((name): unknown => Reflect.get(Object(document), name));
    if (named !== issuer) throw new Error(`${url} says that its issuer is ${String(named)}: set issuer to that.`);
    return (this.#metadata = { json, jwksUri });
  }

  async #ask(url: string, init: RequestInit): Promise<Response> {
    const nowMs = Date.now();
    if (this.#failure !== undefined) {
      if (nowMs < this.#failure.untilMs) throw this.#failure.error;
      // One asks again. The others go by what is known, until that knows more.
      this.#failure.untilMs = nowMs + askAgainMs;
    }
    const response = await fetch(url, init);
    if (response.status !== 200) throw new Error(`${url} was answered ${response.status}.`);
    this.#failure = undefined;
    return response;
  }
}
