// The npm package as a merchant's bundler and server see it: pkg/ as `cargo xtask build` made it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

const top = fileURLToPath(new URL("../..", import.meta.url));
const pkg = join(top, "pkg");

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(entry.parentPath.slice(folder.length), entry.name).replace(/^\//, ""));
}

function text(error) {
  return `${error.stdout ?? ""}${error.stderr ?? ""}` || String(error);
}

test("integrity.json tells of every file, truly", () => {
  const { version, files } = JSON.parse(readFileSync(join(pkg, "integrity.json"), "utf8"));
  assert.equal(version, JSON.parse(readFileSync(join(top, "package.json"), "utf8")).version);
  const told = files.map(({ path }) => path);
  const there = filesIn(pkg).filter((path) => !/^(README\.md|integrity\.json)$|\.(br|gz)$/.test(path));
  assert.deepEqual(told, there.sort());
  const check = (path, { bytes, integrity }) => {
    const content = readFileSync(join(pkg, path));
    assert.equal(bytes, content.length, path);
    assert.equal(integrity, `sha384-${createHash("sha384").update(content).digest("base64")}`, path);
    return content;
  };
  for (const { path, encodings, ...file } of files) {
    const content = check(path, file);
    if (!encodings) continue;
    assert.ok(brotliDecompressSync(check(`${path}.br`, encodings.br)).equals(content), path);
    assert.ok(gunzipSync(check(`${path}.gz`, encodings.gzip)).equals(content), path);
  }
});

test("every entry has its code and its types", () => {
  const { exports } = JSON.parse(readFileSync(join(top, "package.json"), "utf8"));
  for (const [entry, target] of Object.entries(exports)) {
    for (const path of typeof target === "string" ? [target] : Object.values(target)) {
      assert.ok(existsSync(join(top, path)), `${entry}: ${path}`);
    }
  }
});

for (const [found, modules] of Object.entries({
  "as Node.js finds them": ["--module", "nodenext"],
  "as Node.js 16 found them": ["--module", "node16"],
  "as a bundler finds them": ["--module", "esnext", "--moduleResolution", "bundler"],
})) {
  test(`its types hold for a strict TypeScript project, ${found}`, () => {
    const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--types", ""];
    const target = ["--target", "es2022", "--lib", "es2022,dom"];
    const tsc = join(top, "node_modules/.bin/tsc");
    try {
      const merchant = join(top, "tests/npm/merchant.ts");
      execFileSync(tsc, [...options, ...modules, ...target, merchant], { cwd: top, encoding: "utf8" });
    } catch (error) {
      assert.fail(text(error));
    }
  });
}

test("it publishes the package and nothing of the sources", () => {
  const packed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=error"], {
    cwd: top,
    encoding: "utf8",
  });
  const [{ files }] = JSON.parse(packed);
  const published = files.map(({ path }) => path).filter((path) => !path.startsWith("pkg/"));
  // npm takes the README along by itself, once there is one.
  assert.deepEqual(published.filter((path) => path !== "README.md").sort(), [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "package.json",
  ]);
  const inPkg = files.map(({ path }) => path).filter((path) => path.startsWith("pkg/"));
  // The shorter forms are for the vault to serve.
  const meant = filesIn(pkg).filter((path) => !/\.(br|gz)$/.test(path));
  assert.deepEqual(inPkg.sort(), meant.map((path) => `pkg/${path}`).sort());
});

test("the wasm is valid and tells nothing about the machine that built it", () => {
  const bytes = readFileSync(join(pkg, "cardseal_bg.wasm"));
  const wasm = new WebAssembly.Module(bytes);
  for (const section of ["name", "producers", "target_features"]) {
    assert.equal(WebAssembly.Module.customSections(wasm, section).length, 0, section);
  }
  for (const path of [join(homedir(), ".cargo"), top]) assert.equal(bytes.includes(path), false, path);
});
