/** The stream of an HTTP+SSE session. */
export const sseStream = "sse";

/** The stream that GET opens in a Streamable HTTP session (revision 2025-11-25, Listening for Messages). */
export const listenStream = "listen";

/** Whether `stream` is neither of these: it is the answer to one POST, which may continue on a GET. */
export function isPostStream(stream: string): boolean {
  return stream !== sseStream && stream !== listenStream;
}
