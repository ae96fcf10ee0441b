import { edge } from "../../../src/index.ts";
import { createLargeServer } from "./large-server.ts";

const app = edge(createLargeServer);

export class Session extends app.Session {}

export default { fetch: app.fetch };
