/**
 * The scripts that are loaded when they are first needed, from beside the one that needs them. An ordinary script of
 * another origin's has no address to go from (HTML, "create a classic script": its base URL is about:blank), so that one
 * says where they are.
 */
export const beside = { inline: () => import("./inline.js") };
