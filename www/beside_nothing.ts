import { fail } from "./error.js";

/**
 * Nothing: cardseal.js as a browser loads it is for hosted fields. A script that it loaded would be held to no digest, since
 * `import()` takes none.
 */
export const beside = {
  inline: (): Promise<typeof import("./inline.js")> => {
    throw fail("unsupported_mode", "that takes inline.js in place of cardseal.js");
  },
};
