import { fail } from "./error.js";

/**
 * What is loaded when it is first needed, from beside the script that needs it, as a bundler finds it. What a browser loads from a
 * release itself has another file of this folder in this one's place (www/build.mjs).
 */
export const beside = {
  inline: (): Promise<typeof import("./inline.js")> =>
    import("./inline.js").catch(() => {
      throw fail("load_failed", "inline.js could not be loaded", true);
    }),
};
