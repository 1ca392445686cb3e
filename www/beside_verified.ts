import { fail } from "./error.js";

/**
 * inline.js, for a script that few pages need it in. It does not run unless its digest is the one that stands here, so the
 * `integrity` that a page gives for its first script holds for this one.
 *
 * `import()` takes no digest. What runs is what the element has loaded: both look for a module in the same map, by its
 * address (HTML, "fetch a single module script"). A script element is held to its digest by every browser, but where a page
 * requires Trusted Types nobody may make one. A browser that knows those gets a link, which Chromium holds to its digest
 * as well.
 */
export const beside = {
  /** Where it lies. An ordinary script of another origin's has no address to go from, and says it. */
  from: import.meta.url,
  inline: () =>
    new Promise((resolve, reject) => {
      // By its digest a vault finds the file of an older release, too. Other servers pass over it.
      const href = new URL(`./inline.js?integrity=${RELEASED.inline}`, beside.from).href;
      document.head.append(
        Object.assign(document.createElement("trustedTypes" in window ? "link" : "script"), {
          type: "module",
          rel: "modulepreload",
          crossOrigin: "",
          integrity: RELEASED.inline,
          href,
          src: href,
          onload: () => resolve(import(href)),
          onerror: () => reject(fail("load_failed", "inline.js could not be loaded, or is not what was released", true)),
        }),
      );
    }) as Promise<typeof import("./inline.js")>,
};
