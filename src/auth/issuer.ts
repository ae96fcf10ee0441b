import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from "jose";
import { isTrusted, type JwtSettings } from "./jwt-options.ts";

/** An unknown key has the issuer asked again at most so often. */
const cooldownDuration = 5_000;

/** The issuer's keys are fetched anew after this. Until then it may be out of order, and a key that it withdrew is trusted. */
const cacheMaxAge = 60 * 60_000;

/** How long an issuer that gave no answer is not asked again: as long as clients are told to wait. Milliseconds. */
const askAgainMs = 5_000;

/** One thing that an issuer is asked for. While it gives no answer to that, it is not asked at once again. */
class Inquiry {
  readonly #issuer: string;
  /** Why it is not asked until then. */
  #failure: { error: unknown; untilMs: number } | undefined;

  constructor(issuer: string) {
    this.#issuer = issuer;
  }

  isFailure(error: unknown): boolean {
    return error === this.#failure?.error;
  }

  /** It was asked in vain. */
  noteFailure(error: unknown): void {
    if (this.isFailure(error)) return;
    this.#failure = { error, untilMs: Date.now() + askAgainMs };
    console.error(JSON.stringify({ event: "issuer-unreachable", issuer: this.#issuer, error: String(error) }));
  }

  async ask(url: string, init: RequestInit): Promise<Response> {
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

/**
 * An identity provider, as far as it is asked: for its metadata, and for its keys.
 * Storage: memory of the isolate. Cost: a request each for the first token, and one for the keys every hour. Of one that gives
 * no answer a request waits `timeoutMs` at most, and those that come soon after it are told so at once.
 */
export class Issuer {
  readonly #settings: JwtSettings;
  /** How long it has for one question, milliseconds: a request may need two. */
  readonly #eachMs: number;
  readonly #forMetadata: Inquiry;
  /** Apart: anybody may ask for the metadata, of which there need be none where the keys are known. */
  readonly #forKeys: Inquiry;
  #metadata: { json: string; jwksUri: unknown } | undefined;
  #keys: JWTVerifyGetKey | undefined;

  constructor(settings: JwtSettings) {
    this.#settings = settings;
    this.#eachMs = settings.jwksUri === undefined ? settings.timeoutMs / 2 : settings.timeoutMs;
    this.#forMetadata = new Inquiry(settings.issuer);
    this.#forKeys = new Inquiry(settings.issuer);
  }

  /** The key that a token names. Rejects with what jose does, or with why the issuer cannot be asked. */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    // Not a promise that others wait for: on Workers it would end with the request that made it.
    this.#keys ??= createRemoteJWKSet(this.#settings.jwksUri ?? (await this.#discoverJwksUri()), {
      cooldownDuration,
      cacheMaxAge,
      timeoutDuration: this.#eachMs,
      [customFetch]: (url, init) => this.#forKeys.ask(url, init),
    });
    return await this.#keys(header, token);
  };

  /** Its metadata, as JSON (OpenID Connect Discovery 1.0, section 4). Asked for once in an isolate. */
  async metadata(): Promise<string> {
    return (await this.#discover()).json;
  }

  /** {@linkcode key} was asked for in vain. What of that was known already changes nothing. */
  noteFailure(error: unknown): void {
    if (!this.#forMetadata.isFailure(error)) this.#forKeys.noteFailure(error);
  }

  /** @throws {Error} if it is named by no URL that may be asked for keys: whoever is on the way could change what HTTP brings. */
  async #discoverJwksUri(): Promise<URL> {
    const { jwksUri } = await this.#discover();
    if (isTrusted(jwksUri)) return new URL(jwksUri);
    throw new Error(`${this.#settings.issuer} names no jwks_uri that begins with https://: set jwksUri.`);
  }

  async #discover(): Promise<{ json: string; jwksUri: unknown }> {
    try {
      return (this.#metadata ??= await this.#askMetadata());
    } catch (error) {
      this.#forMetadata.noteFailure(error);
      throw error;
    }
  }

  async #askMetadata(): Promise<{ json: string; jwksUri: unknown }> {
    const { issuer } = this.#settings;
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const asked = { redirect: "manual", signal: AbortSignal.timeout(this.#eachMs) } as const;
    const json = await (await this.#forMetadata.ask(url, asked)).text();
    const document: unknown = JSON.parse(json);
    const [named, jwksUri] = ["issuer", "jwks_uri"].map((name): unknown => Reflect.get(Object(document), name));
    if (named !== issuer) throw new Error(`${url} says that its issuer is ${String(named)}: set issuer to that.`);
    return { json, jwksUri };
  }
}
