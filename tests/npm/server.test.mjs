// The npm package on a server, where there is no page: importing it does nothing, and its components render.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createElement, createRef, StrictMode } from "react";
import { renderToString as renderReact } from "react-dom/server";
import { createSSRApp, h } from "vue";
import { renderToString as renderVue } from "vue/server-renderer";

const top = fileURLToPath(new URL("../..", import.meta.url));
const OPTIONS = { publicKey: "pkey_test_1", vault: "https://vault.example" };

/** Every entry, and what it offers. */
const ENTRIES = {
  cardseal: ["CardsealError", "loadCardseal"],
  "cardseal/element": ["CardsealCardElement", "CardsealError", "loadCardseal"],
  "cardseal/omise": ["Omise", "OmiseCard"],
  "cardseal/react": ["CardFields"],
  "cardseal/vue": ["CardFields"],
};

for (const [entry, names] of Object.entries(ENTRIES)) {
  test(`importing ${entry} is harmless`, () => {
    // In a program of its own, which ends by itself where nothing was left running.
    const script = `
      // A framework may leave something of its own there, which is not what is tested.
      await import("react");
      await import("vue");
      const known = Object.getOwnPropertyNames(globalThis);
      const names = Object.keys(await import(${JSON.stringify(entry)}));
      const after = Object.getOwnPropertyNames(globalThis);
      console.log(JSON.stringify({ names, added: after.filter((name) => !known.includes(name)) }));
    `;
    const told = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: top,
      encoding: "utf8",
      timeout: 60_000,
    });
    assert.deepEqual(JSON.parse(told), { names, added: [] });
  });
}

test("cardseal is loaded on a server, and a form is refused in words", async () => {
  const { loadCardseal } = await import("cardseal");
  const cardseal = await loadCardseal(OPTIONS);
  assert.throws(() => cardseal.card(), { name: "CardsealError", code: "no_document" });
  await assert.rejects(loadCardseal({ ...OPTIONS, publicKey: "skey_test_1" }), { code: "invalid_public_key" });
  for (const profile of ["thales", "", "CARDSEAL", "cardseal ", "omise\n", null]) {
    await assert.rejects(loadCardseal({ ...OPTIONS, profile }), { code: "invalid_options" }, JSON.stringify(profile));
  }
});

test("React renders an empty place", async () => {
  const { loadCardseal } = await import("cardseal");
  const { CardFields } = await import("cardseal/react");
  const ref = createRef();
  const props = { cardseal: loadCardseal(OPTIONS), id: "card", className: "wide", style: { maxWidth: 480 }, ref };
  const fields = createElement(CardFields, { ...props, fields: ["number", "expiry"], onReady: assert.fail });
  const rendered = renderReact(createElement(StrictMode, null, fields));
  assert.equal(rendered, '<div id="card" class="wide" style="max-width:480px"></div>');
  assert.equal(ref.current, null);
});

test("Vue renders an empty place", async () => {
  const { loadCardseal } = await import("cardseal");
  const { CardFields } = await import("cardseal/vue");
  const props = { cardseal: await loadCardseal(OPTIONS), class: "wide", locale: "ja", onReady: assert.fail };
  assert.equal(await renderVue(createSSRApp({ render: () => h(CardFields, props) })), '<div class="wide"></div>');
});
