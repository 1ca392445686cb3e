// What www/build.mjs puts in.

/** The digests of files of the same release, in the form of the attribute `integrity`. */
declare const RELEASED: Record<"inline" | "wasm" | "en" | "ja" | "th", string>;

/** Whether a bundler is to find the files that a script needs. */
declare const BUNDLED: boolean;
