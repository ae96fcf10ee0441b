import { url } from "./ask.ts";

/** How often an object is asked, if it goes away meanwhile. */
const attempts = 3;

/**
 * What an object says, as JSON, to what may be asked again, as that changes nothing. `null`: it is no object for that.
 * Rejects if it could not do it, or is of a release that does not know how; `what` it is for is said then.
 */
export async function askAgain(
  what: string,
  object: () => DurableObjectStub,
  init: { headers: Record<string, string>; body: string },
): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      // Each time anew: a stub whose object has crashed leads to no other.
      const response = await object().fetch(url, { method: "POST", ...init });
      if (response.status === 404) return null;
      if (response.ok) return await response.json();
      throw new Error(`${what} could not be reached: its object answered ${response.status}. Try again.`);
    } catch (error) {
      if (attempt === attempts) throw error;
    }
  }
}
