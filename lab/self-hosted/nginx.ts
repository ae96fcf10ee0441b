import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "../../test/support/bundle.ts";
import { freePort } from "../../test/support/free-port.ts";

const run = promisify(execFile);

/** An nginx with the configuration that examples/self-hosted documents, TLS and HTTP/2. */
export interface Nginx {
  port: number;
  /** `https://localhost:<port>`; without TLS `http://`. */
  url: string;
  close(): Promise<void>;
}

/** Starts it before a server on `port` of this machine; under `domain` and localhost with a certificate of its own, if TLS is wanted. */
export async function startNginx(port: number, { domain }: { domain?: string } = {}): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-nginx-"));
  const own = await freePort();
  const listen =
    domain === undefined ? `listen ${own};` : `listen ${own} ssl http2; ${await certified(folder, domain)}`;
  const documented = await readFile(join(root, "examples/self-hosted/nginx.conf"), "utf8");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${join(folder, kind)};`,
  );
  const config = `daemon off; pid ${join(folder, "pid")}; error_log ${join(folder, "error.log")};
worker_rlimit_nofile 16384; events { worker_connections 8192; }
http {
  access_log off; ${temporary.join(" ")}
  server {
    ${listen}
    ${documented.replace("127.0.0.1:8000", `127.0.0.1:${port}`)}
  }
}
`;
  await writeFile(join(folder, "nginx.conf"), config);
  const child: ChildProcess = spawn("nginx", ["-c", join(folder, "nginx.conf")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const failed = new Promise<never>((_, fail) => {
    child.once("error", (error) => fail(new Error(`nginx does not start: ${error.message}`)));
    child.once("exit", (code) => fail(new Error(`nginx ended with ${code}`)));
  });
  failed.catch(() => undefined);
  const url = domain === undefined ? `http://localhost:${own}` : `https://localhost:${own}`;
  await Promise.race([untilListening(url), failed]);
  return {
    port: own,
    url,
    async close() {
      child.kill("SIGTERM");
      await failed.catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function certified(folder: string, domain: string): Promise<string> {
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const subject = ["-subj", `/CN=${domain}`, "-addext", `subjectAltName=DNS:${domain},DNS:localhost`];
  const pair = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate];
  await run("openssl", ["req", "-x509", "-days", "2", ...pair, ...subject]);
  // Whoever talks through it is this process.
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  process.removeAllListeners("warning");
  return `ssl_certificate ${certificate}; ssl_certificate_key ${key};`;
}

async function untilListening(url: string): Promise<void> {
  for (;;) {
    const answers = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answers) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
