/** What inline.js is to a browser: all of the package, in one script. */
export * from "./cardseal.js";
export { Inline } from "./inline.js";
