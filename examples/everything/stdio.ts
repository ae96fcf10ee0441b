import { serveStdio } from "mcp-edge/stdio";
import { createServer } from "./server.ts";

serveStdio(createServer);
