// Makes pkg/, what npm publishes and the vault serves, from www/ and from the wasm that `cargo xtask build` leaves in
// target/wasm-bindgen/. The same inputs give the same bytes.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const top = fileURLToPath(new URL("..", import.meta.url));
const pkg = join(top, "pkg");
const wasm = join(top, "target/wasm-bindgen");
const types = join(top, "target/types");

/** What each published file is for. A file that fits none of these is a mistake. */
const PURPOSES = [
  { purpose: "module", files: /^cardseal\.js$/ },
  { purpose: "wasm", files: /^cardseal_bg\.wasm$/ },
  { purpose: "locale", files: /^locales\/[\w-]+\.json$/ },
  { purpose: "types", files: /^[\w-]+\.d\.ts$/ },
];

empty();
declare();
await bundle();
cpSync(join(wasm, "cardseal_bg.wasm"), join(pkg, "cardseal_bg.wasm"));
cpSync(join(top, "www/locales"), join(pkg, "locales"), { recursive: true });
const files = published();
writeFileSync(join(pkg, "integrity.json"), integrity(files));
console.log(sizes(files));

/** Nothing from an earlier build stays, or it would be published; only the page about the folder is not built. */
function empty() {
  mkdirSync(pkg, { recursive: true });
  for (const name of readdirSync(pkg)) {
    if (name !== "README.md") rmSync(join(pkg, name), { recursive: true });
  }
}

/** Checks the types, then publishes the declarations that `cardseal.d.ts` leads to. */
function declare() {
  rmSync(types, { recursive: true, force: true });
  try {
    execFileSync(join(top, "node_modules/.bin/tsc"), ["--project", join(top, "www")], { stdio: "inherit" });
  } catch {
    // The compiler has said what is wrong.
    process.exit(1);
  }
  const waiting = ["cardseal.d.ts"];
  const seen = new Set(waiting);
  for (const name of waiting) {
    const text = readFileSync(join(types, name), "utf8").replace(/(\bfrom |\bimport\()"([^"]+)"/g, (_, before, path) => {
      if (!path.startsWith("./")) {
        throw new Error(`the public types in www/${name} need "${path}", which is not published`);
      }
      const stem = posix.normalize(path).replace(/\.[jt]s$/, "");
      if (!seen.has(`${stem}.d.ts`)) {
        seen.add(`${stem}.d.ts`);
        waiting.push(`${stem}.d.ts`);
      }
      return `${before}"./${stem}.js"`;
    });
    writeFileSync(join(pkg, name), text);
  }
}

async function bundle() {
  await build({
    entryPoints: [join(top, "www/cardseal.ts")],
    outfile: join(pkg, "cardseal.js"),
    alias: { "cardseal-wasm": join(wasm, "cardseal.js") },
    absWorkingDir: top,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    logLevel: "warning",
  });
}

/** @returns {{path: string, purpose: string, bytes: Buffer}[]} */
function published() {
  return readdirSync(pkg, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(entry.parentPath.slice(pkg.length + 1), entry.name))
    .filter((path) => path !== "README.md")
    .sort()
    .map((path) => {
      const found = PURPOSES.find(({ files }) => files.test(path));
      if (!found) throw new Error(`pkg/${path} has no purpose in www/build.mjs`);
      return { path, purpose: found.purpose, bytes: readFileSync(join(pkg, path)) };
    });
}

/** A digest in the form of the attribute `integrity` (W3C Subresource Integrity). */
function integrity(files) {
  const { version } = JSON.parse(readFileSync(join(top, "package.json"), "utf8"));
  const entries = files.map(({ path, purpose, bytes }) => ({
    path,
    purpose,
    bytes: bytes.length,
    integrity: `sha384-${createHash("sha384").update(bytes).digest("base64")}`,
  }));
  return `${JSON.stringify({ version, files: entries }, null, 2)}\n`;
}

/** A table of what a browser loads. */
function sizes(files) {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  const rows = files
    .filter(({ purpose }) => purpose !== "types")
    .map(({ path, bytes }) => [
      path,
      bytes.length,
      gzipSync(bytes, { level: 9 }).length,
      brotliCompressSync(bytes, quality).length,
    ]);
  const line = ([name, ...numbers]) => name.padEnd(20) + numbers.map((number) => String(number).padStart(11)).join("");
  return [line(["bytes", "raw", "gzip -9", "brotli 11"]), ...rows.map(line)].join("\n");
}
