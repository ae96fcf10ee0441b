import { request } from "node:http";
import { text } from "node:stream/consumers";

/** `GET /nowhere` from the server at `url` by any name, as after its DNS was rebound: 404 once it has been let in. */
export function getAs(
  url: string,
  host: string,
  headers: Record<string, string>,
): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    // `fetch` sends no other Host than the URL's.
    request(`${url}/nowhere`, { headers: { "accept-encoding": "identity", host, ...headers } }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    })
      .on("error", reject)
      .end();
  });
}
