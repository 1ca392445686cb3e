// Makes a script for a browser from a module, or from a Vue component, of a project that has the package installed.
//
//   node bundle.mjs ENTRY         writes ENTRY.out.js
//   node bundle.mjs --script SFC  writes SFC.ts: the script of a Vue component, for the compiler
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { compileScript, parse } from "vue/compiler-sfc";

/** @type {import("esbuild").Plugin} */
const vue = {
  name: "vue",
  setup({ onLoad }) {
    onLoad({ filter: /\.vue$/ }, ({ path }) => ({ contents: compiled(path, true), loader: "ts" }));
  },
};

const [first, second] = process.argv.slice(2);
if (first === "--script") writeFileSync(`${second}.ts`, compiled(second, false));
else {
  await build({
    entryPoints: [first],
    outfile: `${first}.out.js`,
    bundle: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"development"', __VUE_OPTIONS_API__: "true", __VUE_PROD_DEVTOOLS__: "false" },
    plugins: [vue],
    logLevel: "warning",
  });
}

/** A component's script; with its template in it, if it is to run. */
function compiled(file, inlineTemplate) {
  const { descriptor, errors } = parse(readFileSync(file, "utf8"), { filename: file });
  if (errors.length) throw errors[0];
  return compileScript(descriptor, { id: "docs", inlineTemplate }).content;
}
