/** A page for a request that cannot be met. */
import { html } from "../html.mjs";
import { STRINGS } from "../language.mjs";
import { layout } from "./layout.mjs";

/** @typedef {import("../language.mjs").Strings} Strings */

/**
 * @param {import("../router.mjs").Visit} visit
 * @param {keyof Strings["problems"]} status
 */
export function problem(visit, status) {
  const t = STRINGS[visit.language];
  const { title, text } = t.problems[status];
  return layout(visit, {
    title,
    main: html`<main id="main" class="narrow" data-status="${status}">
<p class="note">${status}</p>
<h1>${title}</h1>
<p>${text}</p>
<p><a class="button" href="/">${t.back_to_shop}</a></p>
</main>`,
  });
}
