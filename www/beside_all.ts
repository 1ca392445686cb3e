import * as inline from "./inline.js";

/** All is in the one script, whose digest a page can give. */
export const beside = { inline: async () => inline };
