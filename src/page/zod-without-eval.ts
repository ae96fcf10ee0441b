import { config } from "zod/v4/core";

// Before the SDK's schemas are made: zod would try to compile code, which the page's policy forbids, and report it.
config({ jitless: true });
