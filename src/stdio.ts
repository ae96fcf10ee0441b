// Before the server: what its modules print while they load is no message, and goes to stderr.
import { serveStdio } from "./stdio/serve-stdio.ts";
import { createServer } from "./server.ts";

serveStdio(createServer);
