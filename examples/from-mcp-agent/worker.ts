import { DurableObject } from "cloudflare:workers";
import { edge } from "mcp-edge";
import { createServer, type Env } from "./server.ts";

/** What was `this.schedule(delay, "remind", text)`: one object for each user, so that it is there when no session is. */
export class Reminders extends DurableObject<Env> {
  readonly #sql = this.ctx.storage.sql;

  async remindIn(ms: number, text: string): Promise<void> {
    this.#sql.exec("CREATE TABLE IF NOT EXISTS reminders (at INTEGER, text TEXT, due INTEGER DEFAULT 0)");
    this.#sql.exec("INSERT INTO reminders (at, text) VALUES (?, ?)", Date.now() + ms, text);
    await this.#setAlarm();
  }

  /** The texts whose time has come. */
  due(): string[] {
    this.#sql.exec("CREATE TABLE IF NOT EXISTS reminders (at INTEGER, text TEXT, due INTEGER DEFAULT 0)");
    return this.#sql
      .exec<{ text: string }>("SELECT text FROM reminders WHERE due = 1 ORDER BY at")
      .toArray()
      .map(({ text }) => text);
  }

  override async alarm(): Promise<void> {
    this.#sql.exec("UPDATE reminders SET due = 1 WHERE at <= ?", Date.now());
    await this.#setAlarm();
  }

  async #setAlarm(): Promise<void> {
    const { at } = this.#sql.exec<{ at: number | null }>("SELECT min(at) AS at FROM reminders WHERE due = 0").one();
    if (at !== null) await this.ctx.storage.setAlarm(at);
  }
}

/**
 * Stands for a login in front, such as `OAuthProvider`, which is `auth: fromContext`: who calls, and in `props` what it knows of
 * them. So each session belongs to one user.
 */
const app = edge<Env>(createServer, {
  auth: ({ headers }) => {
    const [, user] = /^Bearer token-of-(\w+)$/.exec(headers.get("authorization") ?? "") ?? [];
    if (user === undefined) return undefined;
    const extra = { props: { name: user } };
    return { principal: user, authInfo: { token: "", clientId: user, scopes: [], extra } };
  },
});

export class Session extends app.Session {}

export default { fetch: app.fetch };
