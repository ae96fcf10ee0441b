#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/**
 * `npm create mcp-edge my-server`: a project with a server of one's own. Plain JavaScript that any Node since 20 runs, because
 * what it makes may need another; asks nothing.
 */

/** @typedef {{ folder: string, name: string, isMinimal: boolean, installs: boolean, force: boolean, engine?: string }} Wish */

const usage = "npm create mcp-edge my-server [-- --minimal --no-install --force]";
/** Node that this program runs on, and that the packages of the project run on. */
const oldestNode = "20.0";
const projectsNode = "22.19";

/** What is in the way; its message is one sentence. */
class Fault extends Error {}

/** @returns {Wish} */
function readWish(/** @type {string[]} */ args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      minimal: { type: "boolean", default: isSet("minimal") },
      force: { type: "boolean", default: false },
      "no-install": { type: "boolean", default: process.env.npm_config_install === "" },
      engine: { type: "string" },
    },
  });
  const [place, ...others] = positionals;
  // An empty one would be this folder: of a variable of the shell's that is not set.
  if (place === undefined || place === "" || others.length > 0) throw new Fault(`Name one folder: ${usage}`);
  const folder = resolve(place);
  const { minimal: isMinimal, force, engine } = values;
  return { folder, name: basename(folder), isMinimal, installs: !values["no-install"], force, engine };
}

/** npm takes an option that stands before `--` for its own, and passes it on in the environment. */
function isSet(/** @type {string} */ name) {
  return process.env[`npm_config_${name}`] === "true";
}

/** Everything that can be in the way is looked at before anything is written. */
function check(/** @type {Wish} */ { folder, name, force, engine }) {
  if (isOlder(machinesNode, oldestNode)) {
    throw new Fault(`create-mcp-edge needs Node ${oldestNode} or newer; this is ${machinesNode}.`);
  }
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) {
    throw new Fault(
      `"${name}" cannot be the name of a Worker: a to z, 0 to 9 and dashes between, at most 63 characters.`,
    );
  }
  if (isThere(folder)) {
    const inTheWay = entriesOf(folder).filter((entry) => entry !== ".git");
    if (inTheWay.length > 0 && !force) {
      const some = inTheWay.slice(0, 3).join(", ");
      throw new Fault(
        `${folder} holds ${some}${inTheWay.length > 3 ? ", …" : ""}: name another folder, or add --force.`,
      );
    }
  }
  if (engine !== undefined && !existsSync(engine)) throw new Fault(`There is no ${engine}.`);
}

/** A link that leads nowhere is there, too. */
function isThere(/** @type {string} */ path) {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function entriesOf(/** @type {string} */ folder) {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new Fault(
      `${folder} is no folder that can be read: name another. (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

/** As a shell takes it. */
function quoted(/** @type {string} */ path) {
  return /^[\w./-]+$/.test(path) ? path : `"${path}"`;
}

/** The Node that npm runs on: a clone runs its scripts with one of its own. */
const machinesNode = /\bnode\/v(\S+)/.exec(process.env.npm_config_user_agent ?? "")?.[1] ?? process.versions.node;

function isOlder(/** @type {string} */ version, /** @type {string} */ than) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split(".").map(Number);
  return major < thanMajor || (major === thanMajor && minor < thanMinor);
}

/** The files of the project, by their paths in it. */
function filesOf(/** @type {Wish} */ { name, isMinimal, engine }) {
  const template = join(dirname(fileURLToPath(import.meta.url)), "template");
  /** @type {Map<string, string>} */
  const files = new Map();
  for (const layer of ["common", isMinimal ? "minimal" : "full"]) {
    const folder = join(template, layer);
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath ?? entry.path, entry.name);
      // npm leaves out of a package what is called .gitignore.
      const own = relative(folder, path).replaceAll("\\", "/").replace("_gitignore", ".gitignore");
      files.set(own, readFileSync(path, "utf8").replaceAll("{{name}}", name));
    }
  }
  const manifest = JSON.parse(files.get("package.json") ?? "{}");
  if (engine !== undefined) manifest.dependencies["mcp-edge"] = `file:vendor/${basename(engine)}`;
  if (isOlder(machinesNode, projectsNode))
    bringNode(manifest, JSON.parse(readFileSync(join(template, "node.json"), "utf8")));
  files.set("package.json", `${JSON.stringify(manifest, null, 2)}\n`);
  return files;
}

/** Where the machine's Node is too old, packages bring one for the scripts of the project, as they do in a clone. */
function bringNode(/** @type {any} */ manifest, /** @type {any} */ { postinstall, optionalDependencies }) {
  manifest.scripts = { postinstall, ...manifest.scripts };
  manifest.optionalDependencies = optionalDependencies;
}

/** And those above it. `recursive` of Node goes on for ever where the system has none made, such as below /proc. */
function makeFolder(/** @type {string} */ path) {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    const above = dirname(path);
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    if (code !== "ENOENT" || above === path || existsSync(above)) throw error;
    makeFolder(above);
    mkdirSync(path);
  }
}

/** Writes all of it, or takes back what it wrote. */
function write(/** @type {Wish} */ wish) {
  const files = filesOf(wish);
  const isNew = !existsSync(wish.folder);
  /** @type {string[]} */
  const written = [];
  try {
    for (const [path, text] of files) {
      const target = join(wish.folder, path);
      makeFolder(dirname(target));
      if (!existsSync(target)) written.push(target);
      writeFileSync(target, text);
    }
    if (wish.engine !== undefined) {
      const target = join(wish.folder, "vendor", basename(wish.engine));
      makeFolder(dirname(target));
      written.push(target);
      cpSync(wish.engine, target);
    }
  } catch (error) {
    for (const target of isNew ? [wish.folder] : written) rmSync(target, { recursive: true, force: true });
    throw new Fault(`Nothing was written: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** Whether it went well; npm itself says why not. */
function install(/** @type {string} */ folder) {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const args = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, error } = spawnSync(npm, args, {
    cwd: folder,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (error !== undefined) console.error(error.message);
  if (status !== 0) rmSync(join(folder, "node_modules"), { recursive: true, force: true });
  return status === 0;
}

function create(/** @type {Wish} */ wish) {
  check(wish);
  write(wish);
  const isInstalled = wish.installs && install(wish.folder);
  const there = relative(process.cwd(), wish.folder) || ".";
  if (wish.installs && !isInstalled) {
    process.exitCode = 1;
    console.error(`${there} is complete, but npm install failed in it, as it says above: run it there again.`);
  } else {
    console.log(`\nYour server is in ${there}: its tools are in src/server.ts.\n`);
    console.log(`  cd ${quoted(there)}${isInstalled ? "" : "\n  npm install"}\n  npm start\n`);
  }
}

try {
  if (process.argv.includes("--help") || process.argv.includes("-h")) console.log(usage);
  else create(readWish(process.argv.slice(2)));
} catch (error) {
  // That of `parseArgs`, of an option that it does not know, has a second sentence, on what it thinks was meant.
  const unknown =
    error instanceof TypeError && "code" in error ? `${error.message.split(". ", 1)[0]}: ${usage}` : error;
  console.error(error instanceof Fault ? error.message : unknown);
  process.exitCode = 1;
}
