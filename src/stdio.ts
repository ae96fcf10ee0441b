// Before the server: what its modules print while they load is no message, and goes to stderr.
import { serveStdio } from "mcp-edge/stdio";
import { createServer } from "./server.ts";

serveStdio(createServer);
