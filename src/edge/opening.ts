import { mayHaveSession } from "../protocol/clients.ts";
import * as refusals from "../protocol/refusals.ts";
import type { Settings } from "../options.ts";

/** Whether a session may be opened, as the hooks say it; `undefined`: it may. */
export async function refuseOpening(request: Request, { onCall }: Settings): Promise<Response | undefined> {
  for (const hook of onCall) {
    const waitSeconds = await hook.onOpen?.({ request, mayHaveSession: mayHaveSession(request.headers) });
    if (waitSeconds !== undefined) return refusals.tooManySessions(waitSeconds);
  }
  return undefined;
}
