import { serveStdio } from "./serve-stdio.ts";
import { createServer } from "./server.ts";

serveStdio(createServer);
