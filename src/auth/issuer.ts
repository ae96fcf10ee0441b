import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { JwtSettings } from "./jwt-options.ts";
import { isTrusted } from "./trusted-url.ts";

/** How long after they were fetched an unknown key has them fetched again, milliseconds. */
const cooldownMs = 5_000;

/**
 * The issuer's keys are fetched anew after this, milliseconds. Until then it may be out of order, and a key that it withdrew is
 * trusted.
 */
const maxAgeMs = 60 * 60_000;

/** How long an issuer that gave no answer is not asked again: as long as clients are told to wait. Milliseconds. */
const askAgainMs = 5_000;

/** The issuer gave no answer, or one that is none: nobody can say now whether a token is valid. */
export class NoAnswer extends Error {}

/** One thing that an issuer is asked for. While it gives no answer to that, it is not asked at once again. */
class Inquiry {
  readonly #issuer: string;
  /** Why it is not asked until then. */
  #failure: { error: NoAnswer; untilMs: number } | undefined;

  constructor(issuer: string) {
    this.#issuer = issuer;
  }

  /** What `read` finds in the text at `url`; it throws if that is no answer. @throws {NoAnswer} then, too. */
  async ask<Answer>(url: string, init: RequestInit, read: (text: string) => Answer): Promise<Answer> {
    const nowMs = Date.now();
    if (this.#failure !== undefined) {
      if (nowMs < this.#failure.untilMs) throw this.#failure.error;
      // One asks again. The others go by what is known, until that knows more.
      this.#failure.untilMs = nowMs + askAgainMs;
    }
    try {
      const response = await fetch(url, init);
      if (response.status !== 200) throw new Error(`${url} was answered ${response.status}.`);
      const answer = read(await response.text());
      this.#failure = undefined;
      return answer;
    } catch (error) {
      throw this.#noted(error);
    }
  }

  #noted(cause: unknown): NoAnswer {
    const error = new NoAnswer(String(cause), { cause });
    this.#failure = { error, untilMs: Date.now() + askAgainMs };
    console.error(JSON.stringify({ event: "issuer-unreachable", issuer: this.#issuer, error: error.message }));
    return error;
  }
}

/** What the issuer published. */
interface Keys {
  find: JWTVerifyGetKey;
  /** When they were asked for. */
  atMs: number;
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
  #metadata: { json: string; jwksUri: URL } | undefined;
  #keys: Keys | undefined;

  constructor(settings: JwtSettings) {
    this.#settings = settings;
    this.#eachMs = settings.jwksUri === undefined ? settings.timeoutMs / 2 : settings.timeoutMs;
    this.#forMetadata = new Inquiry(settings.issuer);
    this.#forKeys = new Inquiry(settings.issuer);
  }

  /** The key that a token names. Rejects with what jose does, or with {@linkcode NoAnswer}. */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    const keys = this.#keys;
    const ageMs = Date.now() - (keys?.atMs ?? -Infinity);
    if (keys === undefined || ageMs >= maxAgeMs) return await (await this.#askKeys()).find(header, token);
    try {
      return await keys.find(header, token);
    } catch (error) {
      // The issuer has begun to use another, or somebody made it up.
      if (!(error instanceof errors.JWKSNoMatchingKey) || ageMs < cooldownMs) throw error;
      return await (await this.#askKeys()).find(header, token);
    }
  };

  /** Not a promise that others wait for: on Workers it would end with the request that made it. */
  async #askKeys(): Promise<Keys> {
    const atMs = Date.now();
    const { href } = this.#settings.jwksUri ?? (await this.#discover()).jwksUri;
    const keys = await this.#forKeys.ask(href, this.#asked(), (json) => ({
      // As JSON: jose says whether these are keys.
      find: createLocalJWKSet(JSON.parse(json) as JSONWebKeySet),
      atMs,
    }));
    // Of two that asked at once, the later knows more.
    if (this.#keys === undefined || this.#keys.atMs <= atMs) this.#keys = keys;
    return keys;
  }

  /** Its metadata, as JSON (OpenID Connect Discovery 1.0, section 4). Asked for once in an isolate. */
  async metadata(): Promise<string> {
    return (await this.#discover()).json;
  }

  async #discover(): Promise<{ json: string; jwksUri: URL }> {
    return (this.#metadata ??= await this.#askMetadata());
  }

  #askMetadata(): Promise<{ json: string; jwksUri: URL }> {
    const { issuer, jwksUri } = this.#settings;
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    return this.#forMetadata.ask(url, this.#asked(), (json) => {
      const document = Object(JSON.parse(json)) as Record<string, unknown>;
      const { issuer: named, jwks_uri: uri } = document;
      if (named !== issuer) throw new Error(`${url} says that its issuer is ${String(named)}: set issuer to that.`);
      if (jwksUri !== undefined) return { json, jwksUri };
      // Whoever is on the way could change what HTTP brings.
      if (isTrusted(uri)) return { json, jwksUri: new URL(uri) };
      throw new Error(`${issuer} names no jwks_uri that begins with https://: set jwksUri.`);
    });
  }

  #asked(): RequestInit {
    return { redirect: "manual", headers: { accept: "application/json" }, signal: AbortSignal.timeout(this.#eachMs) };
  }
}
