// What a bundler takes of the npm package into a merchant's script, and what it leaves out.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const top = fileURLToPath(new URL("../..", import.meta.url));

/** Bundles a script, with what is loaded later in files of its own, and tells what its page loads at first. */
async function bundle(script) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: script, resolveDir: join(top, "tests/npm"), loader: "ts" },
    absWorkingDir: top,
    outdir: join(top, "target/bundle"),
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    external: ["react", "vue"],
    metafile: true,
    write: false,
    logLevel: "error",
  });
  const { inputs, imports } = metafile.outputs["target/bundle/stdin.js"];
  return {
    text: outputFiles.find(({ path }) => path.endsWith("stdin.js")).text.trim(),
    from: Object.keys(inputs).filter((name) => name.startsWith("pkg/") && inputs[name].bytesInOutput > 0),
    later: imports.filter(({ kind }) => kind === "dynamic-import").length,
  };
}

const UNUSED = {
  "types alone": 'import type { Card, Token } from "cardseal"; import type { CardFieldsHandle } from "cardseal/react";',
  "an entry for nothing": 'import "cardseal"; import "cardseal/omise"; import "cardseal/react"; import "cardseal/vue";',
  "names that are not used":
    'import { loadCardseal, CardsealError } from "cardseal"; import { OmiseCard } from "cardseal/omise";',
};

for (const [what, script] of Object.entries(UNUSED)) {
  test(`a script that imports ${what} has nothing of the package`, async () => {
    const { text, from } = await bundle(script);
    assert.deepEqual(from, []);
    // The modules that stay outside may have effects that a bundler cannot know of.
    assert.equal(text.replace(/import"(react|vue)";/g, ""), "");
  });
}

test("a script that only tells errors apart has no form", async () => {
  const script = 'import { CardsealError } from "cardseal"; export const is = (error) => error instanceof CardsealError;';
  const { text, later } = await bundle(script);
  assert.match(text, /CardsealError/);
  assert.equal(later, 0);
  assert.doesNotMatch(text, /iframe|createElement|import\(/);
  assert.ok(text.length < 300, text);
});

test("a hosted checkout has the form in the page only where it asks for it", async () => {
  const { text, from, later } = await bundle('import { loadCardseal } from "cardseal"; loadCardseal({});');
  assert.deepEqual(from, ["pkg/cardseal.mjs"]);
  assert.equal(later, 1);
  assert.doesNotMatch(text, /import\.meta/);
});

test("importing the element defines it", async () => {
  const { text, from } = await bundle('import "cardseal/element";');
  assert.deepEqual(from, ["pkg/element.mjs"]);
  assert.match(text, /customElements\.define\("cardseal-card"/);
});
