/** Files of one folder, and of nothing outside it. */
import { readFile, realpath } from "node:fs/promises";
import { extname, join, sep } from "node:path";

/** @typedef {import("./answer.mjs").Answer} Answer */

/** Only files of these kinds are served. */
const TYPES = new Map([
  [".css", "text/css; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".json", "application/json"],
  [".map", "application/json"],
  [".mjs", "text/javascript; charset=utf-8"],
  [".svg", "image/svg+xml"],
  [".wasm", "application/wasm"],
]);

/** One name in a path. It cannot begin with a dot, hold a slash of any kind, or an escape. */
const NAME = /^[0-9A-Za-z_@-][0-9A-Za-z_@.-]*$/;

/**
 * @param {string} folder
 * @param {string} path relative to the folder, as it came in the request, undecoded
 * @returns {Promise<Answer | undefined>} undefined when there is no such file
 */
export async function file(folder, path) {
  const type = TYPES.get(extname(path));
  if (!type || !path.split("/").every((name) => NAME.test(name))) return undefined;
  try {
    const root = await realpath(folder);
    const found = await realpath(join(root, path));
    if (!found.startsWith(root + sep)) return undefined;
    const body = await readFile(found);
    return { status: 200, headers: { "Content-Type": type, "Cache-Control": "no-cache" }, body };
  } catch {
    return undefined;
  }
}
