import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { gzipOf } from "./artifacts.ts";
import { type Contestant, type LoginName, mainOf, startContestant } from "./contestants.ts";
import type { Metric, Rounds } from "./rounds.ts";
import { addends, type BenchSession, openSse } from "./sessions.ts";
import type { Pace } from "./side-by-side.ts";
import { compareCalls } from "./turns.ts";

/** What each login adds to the upload, gzip, bytes. */
export type LoginBytes = Record<LoginName, number>;

/** Longer than a run. */
const tokenEnds = "2h";

/** A call to the same server without a login, with keys, and with a token that was verified a moment ago. */
export async function measureLogins(rounds: Rounds, pace: Pace): Promise<LoginBytes> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: "ES256", kid: "bench" }] });
  const token = await new SignJWT({ scope: "mcp", client_id: "bench" })
    .setProtectedHeader({ alg: "ES256", kid: "bench" })
    .setIssuer("https://idp.example.com/")
    .setAudience("https://mcp.example.com/sse")
    .setSubject("bench")
    .setIssuedAt()
    .setExpirationTime(tokenEnds)
    .sign(privateKey);
  const started: Contestant<"ours" | LoginName>[] = [];
  const open = async (metric: Metric, name: "ours" | LoginName, secret = "") => {
    const contestant = await startContestant(name, { JWKS: jwks });
    started.push(contestant);
    const session = await openSse(contestant.port, secret === "" ? {} : { authorization: `Bearer ${secret}` });
    await session.initialize();
    await warmUp(session, pace);
    return { metric, session };
  };
  try {
    const sessions = [
      await open("call without a login", "ours"),
      await open("call with keys", "login-keys", "key-of-bench"),
      await open("call with a token", "login-jwt", token),
    ];
    for (let round = 0; round < pace.rounds; round++) {
      await compareCalls(sessions, { name: "ours", rounds, turns: pace.callTurns });
    }
    for (const { session } of sessions) session.close();
  } finally {
    for (const contestant of started) await contestant.stop();
  }
  const without = await gzipOf(mainOf("ours"));
  return {
    "login-keys": (await gzipOf(mainOf("login-keys"))) - without,
    "login-jwt": (await gzipOf(mainOf("login-jwt"))) - without,
  };
}

async function warmUp(session: BenchSession, { warmUpCalls }: Pace): Promise<void> {
  for (let call = 0; call < warmUpCalls; call++) await session.call("add", addends);
}
