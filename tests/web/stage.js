// What the tests need of the page and its own language says best.

const real = {
  attachShadow: Element.prototype.attachShadow,
  fetch: window.fetch,
  setTimeout: window.setTimeout.bind(window),
};

/** Uncaught errors, which no test may leave behind. */
const troubles = [];
addEventListener("error", (event) => troubles.push(`error: ${event.message}`));
addEventListener("unhandledrejection", (event) => troubles.push(`unhandled rejection: ${String(event.reason)}`));

/** Those since the last call. The browser tells of a rejection that nobody handled only after the current task. */
export async function takeTroubles() {
  await new Promise((resolve) => real.setTimeout(resolve, 0));
  return troubles.splice(0);
}

/** The promise, or a rejection if it has not settled after a time that no test needs. */
export function settled(promise) {
  const patience = 60_000;
  const giveUp = (_, reject) => real.setTimeout(() => reject({ code: "never_settled" }), patience);
  return Promise.race([promise, new Promise(giveUp)]);
}

/** The shadow roots that `work` makes, closed ones too. */
export function shadowRootsOf(work) {
  const roots = [];
  Element.prototype.attachShadow = function (init) {
    const root = real.attachShadow.call(this, init);
    roots.push(root);
    return root;
  };
  try {
    work();
  } finally {
    Element.prototype.attachShadow = real.attachShadow;
  }
  return roots;
}

/** A `fetch` in the page's place, with a vault behind it that answers as each test says. */
export class Network {
  sent = [];

  constructor(keys, tokens) {
    this.keys = keys;
    this.tokens = tokens;
    window.fetch = (url, init) => {
      this.sent.push({ url, init });
      return (url.endsWith("/tokens") ? this.tokens : this.keys)(init);
    };
  }

  /** What was sent since the last call, as JSON. */
  take() {
    const plain = ({ url, init: { signal, ...init } }) => ({
      url,
      ...init,
      signal: signal instanceof AbortSignal ? (signal.aborted ? "aborted" : "there") : "missing",
    });
    return JSON.stringify(this.sent.splice(0).map(plain));
  }

  restore() {
    window.fetch = real.fetch;
  }
}

/** Timers that fire at once, up to those of `limit` milliseconds. */
export class Hurry {
  timers = [];

  constructor(limit) {
    window.setTimeout = (work, time, ...rest) => {
      this.timers.push(time);
      return real.setTimeout(work, time <= limit ? 0 : time, ...rest);
    };
  }

  restore() {
    window.setTimeout = real.setTimeout;
  }
}

/** Runs `work` on a browser whose random source fails. */
export async function withoutRandom(work) {
  crypto.getRandomValues = () => {
    throw new DOMException("no entropy", "OperationError");
  };
  try {
    return await work();
  } finally {
    delete crypto.getRandomValues;
  }
}

/** Dispatches an event as a browser would, and tells whether its default may go on. */
export function fire(target, type, name, init) {
  return target.dispatchEvent(new window[type](name, { bubbles: true, composed: true, cancelable: true, ...init }));
}

/** What a browser does for a key or a paste: it changes the text at the selection, then tells. */
export function press(input, key) {
  const { value, selectionStart: start, selectionEnd: end } = input;
  const selected = end > start;
  let [from, to, text, inputType] = [start, end, key, key.length > 1 ? "insertFromPaste" : "insertText"];
  if (key === "Backspace") [from, text, inputType] = [selected ? start : Math.max(start - 1, 0), "", "deleteContentBackward"];
  if (key === "Delete") [to, text, inputType] = [selected ? end : Math.min(end + 1, value.length), "", "deleteContentForward"];
  input.value = value.slice(0, from) + text + value.slice(to);
  input.setSelectionRange(from + text.length, from + text.length);
  fire(input, "InputEvent", "input", { inputType, cancelable: false });
}

/** Events that an element heard, by name. */
export function listen(target, names) {
  const heard = [];
  for (const name of names) target.addEventListener(name, (event) => heard.push(event.type));
  return heard;
}

/** Forbids inline styles, from now on and for the whole page; returns where violations are told. */
export function forbidInlineStyles() {
  const violations = [];
  document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = "style-src 'none'; img-src 'none'; font-src 'none'";
  document.head.append(policy);
  return violations;
}

/** What a style comes to. */
export const styleOf = (element, property) => getComputedStyle(element).getPropertyValue(property);
