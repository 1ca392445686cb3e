// A script that is after the card in the form's frame, with everything that a script of the page may do. It runs ahead of
// the loader, and writes down what each way of looking shows: `spy.traces` by channel, `spy.tried` by name.
(() => {
  "use strict";
  const PING = -1000;
  // What it needs itself, from before it laid hands on them.
  const { apply, construct, getPrototypeOf, ownKeys } = Reflect;
  const { stringify } = JSON;
  const then = Promise.prototype.then;
  const timer = window.setTimeout.bind(window);
  const spy = (window.spy = { traces: {}, tried: {}, tokens: [], ports: [], history: history.length, quiet: false });
  let pings = 0;

  /** Texts and numbers in a value, as JSON. A clock says when, which the steps tell better. */
  const CLOCK = /time|stamp|start|duration|end$|^(start|end|now|created_at|render|paint)/i;
  const PLACE = /^(client|page|screen|offset|layer|movement)?[XY]$|^(scroll|tilt|width|height|pressure|twist|pointerId|angle)/;
  function plain(value, depth = 4, key = "") {
    if (typeof value === "number") return CLOCK.test(key) ? "~" : value;
    if (typeof value === "bigint" || typeof value === "symbol") return String(value);
    if (typeof value === "function") return "[function]";
    if (typeof value !== "object" || value === null) return value;
    if (isWindow(value)) return "[window]";
    if (value instanceof Node) return value instanceof Element && value !== value.ownerDocument.documentElement && value !== value.ownerDocument.body
      ? `[${value.cloneNode(false).outerHTML}]`
      : `[${value.nodeName}]`;
    if (value instanceof Error || value instanceof DOMException) return `${value.name}: ${value.message}`;
    if (depth === 0) return String(value);
    if (value instanceof Date) return "~";
    if (Object.hasOwn(value, "last_digits")) return { "a token's card, with": Object.keys(value).sort().join() };
    if (value instanceof DataTransfer) return { types: [...value.types], text: value.getData("text") };
    if (Array.isArray(value) || value instanceof NodeList) return [...value].map((item) => plain(item, depth - 1));
    if (value instanceof Map) return [...value].map((item) => plain(item, depth - 1));
    const found = {};
    for (const name of names(value)) {
      let member;
      try {
        member = value[name];
      } catch (error) {
        member = error;
      }
      if (typeof member === "function" || typeof member === "symbol") continue;
      if (value instanceof Event && (/^[A-Z_]+$/.test(name) || PLACE.test(name) || name === "isTrusted")) continue;
      if (name === "id" && /^tokn_/.test(member)) member = "a token";
      if (name === "correlationId" && member) member = "a random id";
      if (name === "created_at") member = "~";
      if (name === "location" && typeof member === "string" && /^\/tokens/.test(member)) member = "a token's address";
      found[name] = plain(member, depth - 1, name);
    }
    return found;
  }
  function isWindow(value) {
    try {
      return value.window === value || value.self === value;
    } catch {
      // Another origin's object that does not even say that.
      return true;
    }
  }
  function names(value) {
    const all = new Set();
    for (let object = value; object && object !== Object.prototype; object = getPrototypeOf(object)) {
      for (const key of ownKeys(object)) if (typeof key === "string" && key !== "constructor") all.add(key);
    }
    return all;
  }
  let writing = false;
  function write(channel, value) {
    if (spy.quiet) return;
    // What is laid hands on below is used here, too.
    if (writing) return;
    writing = true;
    try {
      const text = stringify(plain(value)) ?? "undefined";
      // A driver of Chromium marks the frames that it has been in.
      if (!text.includes("\"cd_frame_id_")) (spy.traces[spy.wrecked ? `afterwards, ${channel}` : channel] ??= []).push(text.replace(/ cd_frame_id_=\\*"\w*\\*"/g, ""));
    } finally {
      writing = false;
    }
  }

  spy.write = write;

  // Everything that happens in the page, on its way down and up, whether or not browsers have it yet.
  const events = new Set(
    "autocomplete autocompleteerror beforecopy beforecut beforepaste DOMActivate DOMFocusIn DOMFocusOut textInput message messageerror".split(" "),
  );
  for (const object of [window, Document.prototype, HTMLElement.prototype, SVGElement.prototype, Element.prototype, HTMLIFrameElement.prototype, visualViewport, screen.orientation ?? {}]) {
    for (const name of names(object)) if (name.startsWith("on")) events.add(name.slice(2));
  }
  // Where the pointer is the page knows, and frames of an animation come whenever they come.
  const listen = (target, where) => {
    for (const name of events) {
      if (/^(device|absolutedevice|scroll|pointerrawupdate|mousemove|pointermove|transition)/.test(name)) continue;
      target.addEventListener(name, (event) => write(`${where} hears ${name}`, event), true);
    }
  };
  listen(window, "the window");
  listen(document, "the document");
  listen(visualViewport, "the viewport");
  spy.tried["every event that this browser has, on window, document, iframe and viewport"] = `${events.size} events`;

  // Every message that the loader and the form exchange.
  const RealChannel = MessageChannel;
  window.MessageChannel = new Proxy(RealChannel, {
    construct(target, given, as) {
      const channel = construct(target, given, as);
      spy.ports.push(channel.port1);
      channel.port1.addEventListener("message", ({ data }) => {
        if (!(data?.id <= PING)) return write("the loader's port", data);
        spy.answers?.(data);
      });
      return channel;
    },
  });
  const { postMessage } = MessagePort.prototype;
  spy.tried["a MessageChannel of the page's own make, whose ports the loader uses"] = "";

  // What scripts are built from. Whatever the loader hands to these, the page sees.
  const wrap = (object, name, label) => {
    const real = object?.[name];
    if (typeof real !== "function") return;
    try {
      object[name] = new Proxy(real, {
        apply(target, self, given) {
          write(`calls of ${label}`, given.filter((each) => typeof each !== "function"));
          return apply(target, self, given);
        },
      });
      spy.tried[`${label}, replaced`] = "";
    } catch (error) {
      spy.tried[`${label}, replaced`] = String(error);
    }
  };
  wrap(window, "postMessage", "postMessage");
  wrap(MessagePort.prototype, "postMessage", "MessagePort.postMessage");
  wrap(window, "structuredClone", "structuredClone");
  wrap(window, "fetch", "fetch");
  wrap(navigator, "sendBeacon", "sendBeacon");
  wrap(XMLHttpRequest.prototype, "open", "XMLHttpRequest.open");
  wrap(XMLHttpRequest.prototype, "send", "XMLHttpRequest.send");
  wrap(JSON, "parse", "JSON.parse");
  wrap(JSON, "stringify", "JSON.stringify");
  wrap(Object, "assign", "Object.assign");
  wrap(Promise.prototype, "then", "Promise.then");
  wrap(Map.prototype, "set", "Map.set");
  wrap(EventTarget.prototype, "addEventListener", "addEventListener");
  wrap(Element.prototype, "setAttribute", "setAttribute");
  wrap(Node.prototype, "appendChild", "appendChild");
  wrap(window, "setTimeout", "setTimeout");
  wrap(window, "reportError", "reportError");
  for (const name of ["log", "warn", "error", "info", "debug", "table", "trace", "dir"]) wrap(console, name, `console.${name}`);
  // Members that a message or an error might have, taken by everything that has no such member of its own. (With "value"
  // among them, no script could define an accessor any more.)
  for (const name of ["number", "pan", "digits", "data", "detail", "text", "card", "failure", "key"]) {
    Object.defineProperty(Object.prototype, name, {
      configurable: true,
      get: undefined,
      set(value) {
        write("setters on Object.prototype", { [name]: value });
        Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true });
      },
    });
  }
  spy.tried["setters on Object.prototype"] = "";

  // What the browser itself writes down.
  for (const type of PerformanceObserver.supportedEntryTypes) {
    try {
      new PerformanceObserver((list) => list.getEntries().forEach((entry) => write(`performance: ${type}`, entry))).observe({ type, buffered: true, durationThreshold: 0 });
      spy.tried[`PerformanceObserver of ${type}`] = "";
    } catch (error) {
      spy.tried[`PerformanceObserver of ${type}`] = String(error);
    }
  }
  if (window.ReportingObserver) {
    new ReportingObserver((reports) => write("reports", reports), { buffered: true }).observe();
    spy.tried["ReportingObserver"] = "";
  }
  for (const name of ["cardseal", "card", "vault", "omise"]) {
    new BroadcastChannel(name).onmessage = ({ data }) => write("broadcasts", data);
  }
  spy.tried["BroadcastChannel"] = "";
  const shared = new SharedWorker("/worker.js");
  shared.port.onmessage = ({ data }) => write("a shared worker", data);
  spy.tried["a SharedWorker that hears every connection"] = "";
  navigator.serviceWorker.addEventListener("message", ({ data }) => write("a service worker", data));
  navigator.serviceWorker.register("/worker.js", { scope: "/" });
  spy.tried["a service worker that sees the page's requests and their bodies"] = "";

  /** Looks on from when the iframe stands. */
  spy.watch = (iframe) => {
    spy.iframe = iframe;
    listen(iframe, "the iframe");
    new MutationObserver((records) => {
      for (const { type, attributeName, oldValue, target } of records) {
        write("a MutationObserver", { type, attributeName, oldValue, now: attributeName && target.getAttribute(attributeName) });
      }
    }).observe(document, { subtree: true, childList: true, attributes: true, attributeOldValue: true, characterData: true });
    spy.tried["a MutationObserver on everything"] = "";
    new ResizeObserver((entries) => entries.forEach(({ contentRect }) => write("a ResizeObserver", { height: contentRect.height, width: contentRect.width }))).observe(iframe);
    spy.tried["a ResizeObserver on the iframe: its heights, in order"] = "";
    new IntersectionObserver((entries) => entries.forEach(({ intersectionRatio: ratio, isVisible }) => write("an IntersectionObserver", { ratio, isVisible })), {
      threshold: [0, 0.25, 0.5, 0.75, 1],
    }).observe(iframe);
    spy.tried["an IntersectionObserver on the iframe"] = "";
    iframe.setAttribute("elementtiming", "card");
  };

  /** Waits until everything that the form has said so far is here: a change of nothing it answers after all else. */
  const ping = () => {
    const answered = new Promise((resolve) => (spy.answers = resolve));
    apply(postMessage, spy.ports.at(-1), [{ type: "update", id: PING - pings++ }]);
    return answered;
  };

  /** Looks around once everything is here. */
  spy.step = async (name) => {
    await ping();
    // The page's own observers have their say.
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    write("steps", name);
    const { iframe } = spy;
    const { height, width } = iframe.getBoundingClientRect();
    const states = [":focus", ":focus-within", ":valid", ":invalid", ":autofill", ":user-invalid", ":placeholder-shown", ":has(*)", ":has(:focus)", ":checked", ":empty", ":target"];
    const matches = states.filter((state) => {
      try {
        return iframe.matches(state);
      } catch {
        return false;
      }
    });
    write("what a look at the page shows", {
      name, height, width, matches,
      attributes: iframe.cloneNode(false).outerHTML,
      active: document.activeElement,
      selection: [getSelection().toString(), getSelection().rangeCount],
      focus: document.hasFocus(),
      frames: [frames.length, iframe.contentWindow.length, iframe.contentWindow.closed],
      history: [history.length - spy.history, history.state],
      title: document.title,
      address: location.href,
      cookie: document.cookie,
      storage: [{ ...localStorage }, { ...sessionStorage }],
      windowName: [window.name, window.spied ?? null],
      text: document.body.innerText,
      markup: document.documentElement.outerHTML,
      at: document.elementsFromPoint(iframe.getBoundingClientRect().x + 30, iframe.getBoundingClientRect().y + 40),
      caret: document.caretPositionFromPoint?.(iframe.getBoundingClientRect().x + 30, iframe.getBoundingClientRect().y + 40)?.offsetNode,
      inputs: [...document.querySelectorAll("input, textarea")].map(({ value, validity: { valid } }) => [value, valid]),
      data: [...document.forms].map((form) => [...new FormData(form)]),
      requests: performance.getEntries().filter(({ entryType }) => /resource|navigation/.test(entryType)).map((entry) => entry.name),
      counts: performance.eventCounts && [...performance.eventCounts].filter(([name, count]) => count && !/mouse|pointer/.test(name)),
    });
    write("heights of the iframe", height);
  };

  /** What a way of looking shows, or why it does not. One that waits for a person is not waited for. */
  const tryOut = async (name, look, turns = 250) => {
    let outcome = "no answer";
    try {
      const looking = Promise.resolve(look());
      apply(then, looking, [(value) => (outcome = plain(value)), (error) => (outcome = `${error?.name}: ${error?.message}`)]);
      for (let turn = 0; turn < turns && outcome === "no answer"; turn++) await new Promise((resolve) => timer(resolve, 20));
    } catch (error) {
      outcome = `${error?.name}: ${error?.message}`;
    }
    spy.tried[name] = typeof outcome === "string" ? outcome : (stringify(outcome) ?? "undefined");
    write(`tried: ${name}`, outcome);
  };

  /** Everything that can be asked of the frame, and of the page around it, while the frame stands. */
  spy.ask = async (digits) => {
    const { iframe } = spy;
    const inside = iframe.contentWindow;
    await tryOut("iframe.contentDocument", () => iframe.contentDocument);
    await tryOut("iframe.getSVGDocument()", () => iframe.getSVGDocument());
    await tryOut("every property of a window, read from the frame's", () => {
      const known = new Set([...names(window), ...names(inside)]);
      const readable = {};
      for (const name of known) {
        try {
          const value = inside[name];
          readable[name] = isWindow(value ?? {}) ? "[window]" : plain(value, 1);
        } catch {
          // As it should be.
        }
      }
      return { asked: known.size > 500, readable };
    });
    await tryOut("every property of the frame's location", () => {
      const readable = {};
      for (const name of new Set([...names(location), ...ownKeys(inside.location)])) {
        try {
          readable[String(name)] = plain(inside.location[name], 1);
        } catch {}
      }
      return readable;
    });
    await tryOut("the prototypes of the frame's window and location", () => [getPrototypeOf(inside), getPrototypeOf(inside.location)]);
    await tryOut("the property descriptors of the frame's window", () => ownKeys(inside).map((key) => [String(key), Object.getOwnPropertyDescriptor(inside, key)?.value]));
    for (const name of ["document", "history", "localStorage", "name", "eval", "Function", "constructor", "getSelection", "find", "performance", "navigator", "print", "stop"]) {
      await tryOut(`frame.${name}`, () => inside[name]);
    }
    await tryOut("setting a property of the frame's window", () => (inside.spied = true));
    await tryOut("frames[0], by index and by the iframe's name", () => [frames[0] === inside, iframe.name, window[iframe.name || "Card"]]);
    await tryOut("a javascript: address for the frame's window", () => (inside.location = "javascript:parent.spied = document.forms[0].elements[0].value"));
    await tryOut("asking the frame by postMessage", () => {
      for (const type of ["start", "tokenize", "validate", "value", "number"]) inside.postMessage({ type, id: 1 }, "*");
    });
    await tryOut("a forged handover, with a port of one's own", async () => {
      const { port1, port2 } = new RealChannel();
      const heard = [];
      port1.onmessage = ({ data }) => heard.push(data);
      inside.postMessage({ cardseal: 1 }, "*", [port2]);
      apply(postMessage, port1, [{ type: "tokenize", id: 1 }]);
      await ping();
      return heard;
    });
    await tryOut("every request that the port knows, but for the token", async () => {
      const heard = [];
      const port = spy.ports.at(-1);
      const hear = ({ data }) => heard.push(data);
      port.addEventListener("message", hear);
      for (const type of ["start", "read", "value", "get", "number", "state", "change", "height", "ready"]) apply(postMessage, port, [{ type, id: 7 }]);
      apply(postMessage, port, [{ type: "update", id: 8, texts: { number_label: "{number}", number_incomplete: "${value}" } }]);
      await ping();
      port.removeEventListener("message", hear);
      apply(postMessage, port, [{ type: "update", id: PING - pings++, texts: {} }]);
      return heard;
    });
    await tryOut("window.find(), for every run of the number", () => digits.filter((run) => window.find(run, false, false, true, false, true)).length);
    await tryOut("XPath, tree walkers, getElementsByTagName", () => [
      document.evaluate("count(//input)", document, null, XPathResult.NUMBER_TYPE).numberValue,
      document.getElementsByTagName("input").length,
      document.createTreeWalker(iframe).nextNode(),
    ]);
    await tryOut("XMLSerializer", () => new XMLSerializer().serializeToString(document));
    await tryOut("document.getAnimations()", () => document.getAnimations().length);
    await tryOut("the iframe's computed style", () => getComputedStyle(iframe).height);
    await tryOut("every property of the iframe", () => plain(iframe.cloneNode(false).outerHTML) + [...names(iframe)].filter((name) => /value|text|data|digits/i.test(name)).map((name) => `${name}=${iframe[name]}`).join());
    await tryOut("accessibility: what the iframe is called", () => [iframe.ariaLabel, iframe.ariaValueText, iframe.title, iframe.computedName]);
    await tryOut("drawing the iframe on a canvas", () => document.createElement("canvas").getContext("2d").drawImage(iframe, 0, 0));
    await tryOut("an ImageBitmap of the iframe", () => createImageBitmap(iframe));
    await tryOut("a picture of the page by way of SVG", async () => {
      const markup = new XMLSerializer().serializeToString(iframe);
      const image = new Image();
      image.src = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"><foreignObject width="400" height="400">${markup}</foreignObject></svg>`)}`;
      await image.decode();
      const context = Object.assign(document.createElement("canvas"), { width: 400, height: 400 }).getContext("2d");
      context.drawImage(image, 0, 0);
      return `${context.getImageData(0, 0, 400, 400).data.filter(Boolean).length} bytes of colour`;
    });
    await tryOut("a document of the frame's address, by fetch", () => fetch(iframe.src).then((answer) => answer.text()));
    await tryOut("performance.getEntries()", () => performance.getEntries().map(({ name, entryType }) => [entryType, name]).filter(([type]) => /resource|navigation|element/.test(type)));
    await tryOut("cookies, storage, caches, databases", async () => [document.cookie, { ...localStorage }, { ...sessionStorage }, await caches.keys(), await indexedDB.databases?.()]);
    await tryOut("navigator.credentials.get()", () => navigator.credentials?.get({ password: true, mediation: "silent" }), 5);
    // Firefox has no such permission: it asks the person, each time, and would go on asking.
    if ((await navigator.permissions.query({ name: "clipboard-read" }).catch(() => undefined))?.state === "denied") {
      await tryOut("navigator.clipboard.readText()", () => navigator.clipboard.readText(), 5);
    }
    await tryOut("document.domain", () => (document.domain = location.hostname));
    await tryOut("an event sent to the iframe", () => ["keydown", "input", "paste", "focus", "drop", "copy"].map((name) => iframe.dispatchEvent(new Event(name, { bubbles: true }))));
    await tryOut("a copy of the iframe beside it", async () => {
      const copy = iframe.cloneNode(true);
      document.body.append(copy);
      await new Promise((resolve) => copy.addEventListener("load", resolve));
      const seen = [copy.contentDocument, copy.contentWindow.length];
      copy.remove();
      return seen;
    });
  };

  /** What takes the form away, or leaves another in its place. */
  spy.wreck = async () => {
    spy.wrecked = true;
    const { iframe } = spy;
    const inside = iframe.contentWindow;
    const loaded = () => new Promise((resolve) => iframe.addEventListener("load", resolve, { once: true }));
    await tryOut("select all, and copy, from outside", () => {
      document.execCommand("selectAll");
      const copied = [];
      document.addEventListener("copy", ({ clipboardData }) => copied.push(clipboardData.getData("text")), { once: true });
      document.execCommand("copy");
      return [getSelection().toString(), copied];
    });
    await tryOut("the iframe elsewhere in the page", async () => {
      const again = loaded();
      document.body.append(iframe);
      await again;
      return [iframe.contentDocument, iframe.contentWindow.length];
    });
    await tryOut("a javascript: address for the iframe", async () => {
      iframe.src = "javascript:document.body ? document.body.innerHTML + document.querySelector('input')?.value : ''";
      await new Promise((resolve) => timer(resolve, 50));
      return iframe.contentDocument?.documentElement.outerHTML;
    });
    await tryOut("the iframe in a sandbox", async () => {
      iframe.sandbox = "allow-scripts allow-same-origin";
      const again = loaded();
      iframe.src = `${iframe.src.startsWith("javascript") ? spy.address : iframe.src}`;
      await again;
      return iframe.contentDocument;
    });
    await tryOut("the iframe with a document of the page's", async () => {
      const again = loaded();
      iframe.srcdoc = "<p>Now it is mine</p>";
      await again;
      return [iframe.contentDocument?.body.innerHTML, inside.length];
    });
    await tryOut("the frame's window, gone on to the page's own origin", async () => {
      iframe.removeAttribute("srcdoc");
      iframe.removeAttribute("sandbox");
      const again = loaded();
      iframe.src = "/empty";
      await again;
      const { document: own, performance: timings, name, history: past, localStorage: stored } = iframe.contentWindow;
      return [own.documentElement.outerHTML, own.referrer, name, past.length > 0, past.state, { ...stored }, timings.getEntriesByType("resource").map((entry) => entry.name)];
    });
    await tryOut("the frame's page in a window of its own", async () => {
      const popup = window.open(spy.address, "stolen", "width=200,height=200");
      await new Promise((resolve) => timer(resolve, 50));
      const seen = popup && [popup.length, popup.closed];
      popup?.close();
      return seen;
    });
  };
})();
