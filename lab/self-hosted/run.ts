import { execFile, spawn, type ChildProcess } from "node:child_process";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { build, built } from "../../src/serve/build.ts";
import { names, hostsVariable } from "../../src/serve/workerd-config.ts";
import { root } from "../../test/support/bundle.ts";
import { freePort } from "../../test/support/free-port.ts";
import { connectV2 } from "../../test/support/official-clients.ts";
import { checkFullDisk } from "./full-disk.ts";
import { type Nginx, startNginx } from "./nginx.ts";

/**
 * `npm run try:self-hosted`: the binary of `build --compile` in a root of what the image of examples/self-hosted holds, as
 * nobody, behind the nginx of examples/self-hosted with TLS and HTTP/2; then `serve` on a disk that fills up. Needs Linux,
 * root (for chroot and mount) and nginx; there is no Docker in it. Ends with 1 and the reason if anything differs.
 */
const run = promisify(execFile);

/** Who `nonroot` of the image is. */
const nobody = "65532:65532";
const domain = "mcp.example.com";
const children: ChildProcess[] = [];
let nginx: Nginx | undefined;

const folder = await mkdtemp(join(tmpdir(), "mcp-edge-self-hosted-"));
const image = join(folder, "image");
try {
  await makeImage();
  const inner = await freePort();
  await run("mount", ["-t", "proc", "proc", join(image, "proc")]);
  started("chroot", [
    `--userspec=${nobody}`,
    image,
    "/server",
    "--socket-addr",
    `${names.socket}=127.0.0.1:${inner}`,
    "--directory-path",
    `${names.disk}=/data`,
  ]);
  nginx = await startNginx(inner, { domain });
  await check(nginx);
  await checkFullDisk();
  console.log("The image's root serves as nobody, behind nginx with TLS and HTTP/2, on both URLs.");
} finally {
  await nginx?.close();
  for (const child of children) child.kill("SIGKILL");
  await run("umount", ["-l", join(image, "proc")]).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
}

/** What distroless/cc has of it: the libraries of C, and CA certificates. */
async function makeImage(): Promise<void> {
  const out = await build({ root, out: join(folder, "dist"), compile: true });
  for (const path of ["proc", "data", "tmp", "etc/ssl/certs"]) await mkdir(join(image, path), { recursive: true });
  await cp(join(out, built.binary), join(image, "server"));
  const { stdout } = await run("ldd", [join(out, built.binary)]);
  for (const [library] of stdout.matchAll(/\/lib\S+/g)) {
    await mkdir(join(image, dirname(library)), { recursive: true });
    await cp(library, join(image, library), { dereference: true });
  }
  const certificates = "etc/ssl/certs/ca-certificates.crt";
  await cp(join("/", certificates), join(image, certificates), { dereference: true });
  await run("chown", [nobody, join(image, "data")]);
}

/** Both lanes; a message of nearly 4 MiB; a strange hostname. */
async function check({ url, port }: Nginx): Promise<void> {
  for (let tries = 0; ; tries++) {
    const status = await fetch(`${url}/nowhere`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 404) break;
    if (tries === 100) throw new Error(`nginx answers ${status}, not 404: is the binary serving?`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (const lane of ["sse", "http"] as const) {
    const client = await connectV2(`${url}/${lane === "sse" ? "sse" : "mcp"}`, lane);
    const call = (name: string, args: Record<string, unknown>) =>
      client.send({ method: "tools/call", params: { name, arguments: args } });
    expectText(await call("add", { a: 25, b: 25 }), "50", `add over ${lane}`);
    // No tool takes it; that it is told so shows that it arrived.
    const refused = await call("add", { a: "x".repeat(3_900_000), b: 1 });
    expectText(refused, /Input validation|Invalid/, `a POST of 3.9 MB over ${lane}`);
    await client.close();
  }
  const curlArguments = ["-s", "-k", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}"];
  const asked = async (host: string): Promise<string> => {
    const place = ["--resolve", `${host}:${port}:127.0.0.1`, `https://${host}:${port}/nowhere`];
    return (await run("curl", [...curlArguments, ...place])).stdout;
  };
  expectText(await asked(domain), "2 404", "an allowed name over HTTP/2");
  expectText(await asked("evil.example"), "2 403", "a strange name");
}

function expectText(seen: unknown, wanted: string | RegExp, what: string): void {
  const text = typeof seen === "string" ? seen : JSON.stringify(seen);
  const isThere = typeof wanted === "string" ? text.includes(wanted) : wanted.test(text);
  if (!isThere) throw new Error(`${what}: ${text.slice(0, 500)}, not ${String(wanted)}`);
  console.log(`${what}: as it should be`);
}

function started(file: string, args: string[]): void {
  const environment = [`PATH=${process.env["PATH"] ?? ""}`, `${hostsVariable}=${domain}`];
  const child = spawn("env", ["-i", ...environment, file, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    cwd: "/",
  });
  child.once("error", (error) => console.error(`${file} does not start: ${error.message}`));
  children.push(child);
}
