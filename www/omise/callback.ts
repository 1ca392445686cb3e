/** Calls a callback of the page's, if it is one. What it throws is the page's mistake, and shows up in its console. */
export function call<Arguments extends unknown[]>(
  callback: ((...told: Arguments) => void) | undefined,
  ...told: Arguments
): void {
  if (typeof callback !== "function") return;
  try {
    callback(...told);
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}
