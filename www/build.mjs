// Makes what npm publishes and the vault serves, from www/ and from the wasm that `cargo xtask build` leaves in
// target/wasm-bindgen/, in an empty folder, which that command then puts in pkg/'s place. The same inputs give the same bytes.
//
//   node www/build.mjs FOLDER
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

const top = fileURLToPath(new URL("..", import.meta.url));
const pkg = process.argv[2];
const wasm = join(top, "target/wasm-bindgen");
const types = join(top, "target/types");

/**
 * The scripts: where each begins, and which file of www/ says where what it needs later lies. Each comes after those whose
 * digests stand in it. Without one it is for a bundler, which brings along by itself what the script leaves `outside`.
 */
const SCRIPTS = [
  { from: "inline_script.ts", to: "inline.js", beside: "beside_all.ts" },
  { from: "inline.ts", to: "inline.mjs" },
  { from: "cardseal.ts", to: "cardseal.js", beside: "beside_nothing.ts" },
  { from: "cardseal.ts", to: "cardseal.mjs", outside: ["inline"] },
  { from: "element.ts", to: "element.js", beside: "beside_verified.ts" },
  { from: "element.ts", to: "element.mjs", outside: ["inline"] },
  { from: "react.ts", to: "react.js", outside: ["cardseal"], banner: '"use client";' },
  { from: "vue.ts", to: "vue.js", outside: ["cardseal"] },
  { from: "omise/index.ts", to: "omise.mjs", outside: ["cardseal"] },
  // A page of Omise.js has it in an ordinary script element, and expects its globals at once.
  { from: "omise/script.ts", to: "omise.js", beside: "beside_verified.ts", format: "iife" },
  { from: "frame/frame.ts", to: "frame.js" },
  { from: "frame/refused.ts", to: "refused.js" },
].filter(({ from }) => existsSync(join(top, "www", from)));

/** The declarations that `exports` in package.json leads to. */
const DECLARATIONS = ["cardseal", "element", "react", "vue", "omise/index"];

/**
 * What each published file is for; a file that fits none of these is a mistake. What a payment page or the frame loads is
 * the inventory that PCI DSS 6.4.3 asks for, and what the vault serves.
 */
const PURPOSES = [
  { files: /^cardseal\.js$/, loaded: true, purpose: "puts the card form's frame into the payment page" },
  { files: /^element\.js$/, loaded: true, purpose: "the element <cardseal-card>, with what cardseal.js does" },
  { files: /^omise\.js$/, loaded: true, purpose: "Omise and OmiseCard for pages made for Omise.js" },
  { files: /^inline\.js$/, loaded: true, purpose: "the card form, or sealing alone, in the payment page itself, with what cardseal.js does" },
  { files: /^frame\.js$/, loaded: true, purpose: "the card form in the vault's frame" },
  { files: /^refused\.js$/, loaded: true, purpose: "tells the payment page why it gets no frame" },
  { files: /^cardseal_bg\.wasm$/, loaded: true, purpose: "parses and seals the card" },
  { files: /^locales\/[\w-]+\.json$/, loaded: true, purpose: "the card form's texts in one language" },
  { files: /^(react\.js|vue\.js|(cardseal|element|inline|omise)\.mjs)$/, loaded: false, purpose: "for a bundler" },
  { files: /^([\w-]+\/)*[\w-]+\.d\.ts$/, loaded: false, purpose: "types" },
];

declare();
cpSync(join(wasm, "cardseal_bg.wasm"), join(pkg, "cardseal_bg.wasm"));
cpSync(join(top, "www/locales"), join(pkg, "locales"), { recursive: true });
for (const script of SCRIPTS) await bundle(script);
// The page about the folder is the only one that is not built.
cpSync(join(top, "pkg/README.md"), join(pkg, "README.md"));
const files = published().map((file) => ({ ...file, forms: file.loaded ? compress(file) : undefined }));
writeFileSync(join(pkg, "integrity.json"), integrity(files));
console.log(sizes(files));

/** Checks the types, then publishes the declarations that `cardseal.d.ts` leads to. */
function declare() {
  rmSync(types, { recursive: true, force: true });
  try {
    execFileSync(join(top, "node_modules/.bin/tsc"), ["--project", join(top, "www")], { stdio: "inherit" });
  } catch {
    // The compiler has said what is wrong.
    process.exit(1);
  }
  const waiting = DECLARATIONS.map((name) => `${name}.d.ts`).filter((name) => existsSync(join(types, name)));
  const seen = new Set(waiting);
  for (const name of waiting) {
    const text = readFileSync(join(types, name), "utf8").replace(/(\bfrom |\bimport\()"([^"]+)"/g, (_, before, path) => {
      if (["react", "vue"].includes(path)) return `${before}"${path}"`;
      if (!path.startsWith(".")) {
        throw new Error(`the public types in www/${name} need "${path}", which is not published`);
      }
      const needed = `${posix.join(posix.dirname(name), path).replace(/\.[jt]s$/, "")}.d.ts`;
      if (!seen.has(needed)) {
        seen.add(needed);
        waiting.push(needed);
      }
      return `${before}"${path.replace(/(\.[jt]s)?$/, ".js")}"`;
    });
    mkdirSync(join(pkg, posix.dirname(name)), { recursive: true });
    writeFileSync(join(pkg, name), text);
  }
}

async function bundle({ from, to, beside, outside = [], format = "esm", banner = "" }) {
  const { outputFiles } = await build({
    entryPoints: [join(top, "www", from)],
    outfile: join(pkg, to),
    alias: { "cardseal-wasm": join(wasm, "cardseal.js") },
    plugins: [...(beside ? [takeBeside(beside)] : []), leaveOutside(outside), shortNames(from.startsWith("frame/"))],
    define: { ...released(), BUNDLED: String(!beside), ...(format === "iife" && { "import.meta.url": '""' }) },
    external: ["react", "vue"],
    absWorkingDir: top,
    bundle: true,
    minify: true,
    format,
    platform: "browser",
    target: "es2022",
    // A module is UTF-8 wherever it lies; what a script element loads may be taken for what its page is written in.
    charset: format === "esm" ? "utf8" : "ascii",
    legalComments: "none",
    logLevel: "warning",
    write: false,
  });
  const [{ text }] = outputFiles;
  const { code } = await minify(text, {
    ecma: 2022,
    module: format === "esm",
    compress: { passes: 3, sequences: false },
    format: { ascii_only: format !== "esm", preamble: banner },
  });
  // A digest that was not there yet, or that is asked for by a name made at run time.
  if (/\bRELEASED\b/.test(code)) throw new Error(`${to} asks for the digest of a file that is built after it, or of none`);
  writeFileSync(join(pkg, to), `${code}\n`);
}

/** The digests of the files that are there already, under the names by which scripts ask for them (www/released.d.ts). */
function released() {
  const files = { inline: "inline.js", wasm: "cardseal_bg.wasm" };
  for (const file of readdirSync(join(pkg, "locales"))) files[file.replace(".json", "")] = `locales/${file}`;
  const there = Object.entries(files).filter(([, file]) => existsSync(join(pkg, file)));
  const literal = (file) => JSON.stringify(digest(readFileSync(join(pkg, file))).integrity);
  return Object.fromEntries(there.map(([name, file]) => [`RELEASED.${name}`, literal(file)]));
}

/** Puts another file in the place of www/beside.ts. */
function takeBeside(file) {
  return {
    name: "take-beside",
    setup({ onResolve }) {
      onResolve({ filter: /^\.{1,2}\/beside\.js$/ }, () => ({ path: join(top, "www", file) }));
    },
  };
}

/** Scripts of this package that lie beside the one that needs them. */
function leaveOutside(names) {
  return {
    name: "leave-outside",
    setup({ onResolve }) {
      for (const name of names) {
        onResolve({ filter: new RegExp(`^\\.{1,2}/${name}\\.js$`) }, () => ({ path: `./${name}.mjs`, external: true }));
      }
    },
  };
}

/**
 * What script and wasm take from each other has the short names in the script that wasm-opt gave it in the wasm. What it fetches in
 * a page, www/vault_keys.ts looks at; a frame has its keys already.
 */
function shortNames(isFrame) {
  const fetch = isFrame ? "" : `import { fetch } from ${JSON.stringify(join(top, "www/vault_keys.ts"))};\n`;
  const { imports, exports } = JSON.parse(readFileSync(join(wasm, "names.json"), "utf8"));
  const short = new Map(exports);
  for (const [, name, to] of imports) short.set(name, to);
  return {
    name: "short-names",
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]wasm-bindgen[\\/]cardseal\.js$/ }, ({ path }) => {
        const script = readFileSync(path, "utf8").replace(/\w+/g, (word) => short.get(word) ?? word);
        // All imports are of one module, whose name wasm-opt made an a.
        return { contents: fetch + script.replaceAll(imports[0][0], "a") };
      });
    },
  };
}

/** @returns {{path: string, purpose: string, loaded: boolean, bytes: Buffer}[]} */
function published() {
  return readdirSync(pkg, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(relative(pkg, entry.parentPath), entry.name))
    .filter((path) => path !== "README.md")
    .sort()
    .map((path) => {
      const found = PURPOSES.find(({ files }) => files.test(path));
      if (!found) throw new Error(`pkg/${path} has no purpose in www/build.mjs`);
      const { purpose, loaded } = found;
      return { path, purpose, loaded, bytes: readFileSync(join(pkg, path)) };
    });
}

/** Puts the two shorter forms of a file beside it, for the vault to serve. @returns {Record<string, Buffer>} */
function compress({ path, bytes }) {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  const forms = { br: brotliCompressSync(bytes, quality), gzip: gzipSync(bytes, { level: 9 }) };
  writeFileSync(join(pkg, `${path}.br`), forms.br);
  writeFileSync(join(pkg, `${path}.gz`), forms.gzip);
  return forms;
}

function integrity(files) {
  const { version } = JSON.parse(readFileSync(join(top, "package.json"), "utf8"));
  const entries = files.map(({ path, purpose, bytes, forms }) => ({
    path,
    purpose,
    ...digest(bytes),
    ...(forms && { encodings: { br: digest(forms.br), gzip: digest(forms.gzip) } }),
  }));
  return `${JSON.stringify({ version, files: entries }, null, 2)}\n`;
}

/** Size and digest, the latter in the form of the attribute `integrity` (W3C Subresource Integrity). */
function digest(bytes) {
  return { bytes: bytes.length, integrity: `sha384-${createHash("sha384").update(bytes).digest("base64")}` };
}

/** A table of what a browser loads. */
function sizes(files) {
  const rows = files
    .filter(({ forms }) => forms)
    .map(({ path, bytes, forms }) => [path, bytes.length, forms.gzip.length, forms.br.length]);
  const line = ([name, ...numbers]) => name.padEnd(20) + numbers.map((number) => String(number).padStart(11)).join("");
  return [line(["bytes", "raw", "gzip -9", "brotli 11"]), ...rows.map(line)].join("\n");
}
