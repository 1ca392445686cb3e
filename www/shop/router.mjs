/** Which request gets which answer. */
import { fileURLToPath } from "node:url";
import { page, redirect, setCookie, withCookie } from "./answer.mjs";
import * as basket from "./cart.mjs";
import * as customers from "./customer.mjs";
import { file } from "./files.mjs";
import * as tongue from "./language.mjs";
import { isToken, profile } from "./profiles.mjs";
import { cookie, form } from "./received.mjs";
import { cart } from "./views/cart.mjs";
import { checkout } from "./views/checkout.mjs";
import { home } from "./views/home.mjs";
import { orders } from "./views/orders.mjs";
import { problem } from "./views/problem.mjs";
import { receipt } from "./views/receipt.mjs";
import { record } from "./views/record.mjs";
import { wires } from "./views/wires.mjs";
import { wires as told } from "./wires.mjs";

/** @typedef {import("./answer.mjs").Answer} Answer */
/** @typedef {import("./catalog.mjs").Line} Line */
/** @typedef {import("./config.mjs").Config} Config */
/** @typedef {import("./received.mjs").Received} Received */

/**
 * @typedef {object} Shop
 * @property {Config} config
 * @property {import("./log.mjs").Log} log
 * @property {import("./session.mjs").Sessions} sessions
 * @property {import("./orders.mjs").Orders} orders
 * @property {import("./payments.mjs").Payments} payments
 * @property {string | null} windowUrl where the demo's window is open
 */

/**
 * One request, understood.
 * @typedef {object} Visit
 * @property {string} path undecoded; no address of this shop needs escapes
 * @property {URLSearchParams} query
 * @property {tongue.Language} language
 * @property {readonly Line[]} cart
 * @property {import("./session.mjs").Session} session
 * @property {string} formToken the session's mark for its forms
 * @property {{ at: "shop", window: string | null } | { at: "window", wires: boolean }} place which of the two servers was
 *   asked, and what there is beside it
 * @property {Received} received
 */

/** @typedef {(shop: Shop, visit: Visit, id: string) => Answer | Promise<Answer>} Handler */
/** @typedef {(shop: Shop, visit: Visit, form: URLSearchParams, id: string) => Answer | Promise<Answer>} FormHandler */

/** @typedef {readonly { method: "GET" | "POST", path: RegExp, handler: Handler }[]} Routes */

/** What shoppers reach. @type {Routes} */
export const SHOP = [
  { method: "GET", path: /^\/$/, handler: (_, visit) => page(200, home(visit)) },
  { method: "GET", path: /^\/cart$/, handler: (_, visit) => page(200, cart(visit)) },
  { method: "POST", path: /^\/cart\/add$/, handler: posted(addToCart) },
  { method: "POST", path: /^\/cart\/set$/, handler: posted(setInCart) },
  { method: "GET", path: /^\/checkout$/, handler: startCheckout },
  { method: "POST", path: /^\/api\/orders$/, handler: posted(placeOrder) },
  { method: "GET", path: /^\/orders$/, handler: ({ orders: all }, visit) => page(200, orders(visit, all.of(visit.session))) },
  { method: "GET", path: /^\/orders\/([0-9a-z]{10})$/, handler: showOrder },
  { method: "POST", path: /^\/orders\/([0-9a-z]{10})\/check$/, handler: posted(checkOrder) },
  { method: "POST", path: /^\/orders\/([0-9a-z]{10})\/again$/, handler: posted(useAgain) },
  { method: "GET", path: /^\/static\/(.+)$/, handler: (_, visit, path) => serve(STATIC, visit, path) },
  {
    method: "GET",
    path: /^\/cardseal\/(.+)$/,
    handler: ({ config }, visit, path) => serve(config.widgetFolder, visit, path),
  },
];

/** The demo's window on what the shop received, from everybody. @type {Routes} */
export const WINDOW = [
  { method: "GET", path: /^\/$/, handler: () => redirect("/orders") },
  { method: "GET", path: /^\/orders$/, handler: ({ log, orders }, visit) => page(200, record(visit, orders.everybodys(), log)) },
  { method: "GET", path: /^\/wires$/, handler: showWires },
  { method: "GET", path: /^\/static\/(.+)$/, handler: (_, visit, path) => serve(STATIC, visit, path) },
];

const STATIC = fileURLToPath(new URL("static", import.meta.url));
/** A path that is safe to redirect to: `//name` would lead to another host. */
const PLAIN_PATH = /^\/(?!\/)[\w./-]*$/;
const MONTH = 30 * 24 * 60 * 60;
const YEAR = 12 * MONTH;

/**
 * @param {Shop} shop
 * @param {Routes} routes
 * @returns {(received: Received) => Promise<Answer>}
 */
export function router(shop, routes) {
  return async (received) => {
    const visit = understand(received, shop, routes);
    const answer = await answerTo(shop, routes, visit);
    // Files come without: several are asked for at once, and each would begin a session of its own.
    const isFile = answer.headers["Cache-Control"] !== "no-store";
    if (!visit.session.fresh || isFile || routes === WINDOW) return answer;
    return withCookie(answer, setCookie(shop.sessions.cookie, visit.session.id, MONTH));
  };
}

/**
 * @param {Shop} shop
 * @param {Routes} routes
 * @param {Visit} visit
 */
async function answerTo(shop, routes, visit) {
  const { received } = visit;
  if (received.ending === "too_large") return page(413, problem(visit, 413));
  const chosen = tongue.language(visit.query.get("lang"));
  if (chosen && received.method === "GET" && PLAIN_PATH.test(visit.path)) {
    visit.query.delete("lang");
    return redirect(address(visit), [setCookie(tongue.COOKIE, chosen, YEAR)]);
  }
  const matches = routes.filter((route) => route.path.test(visit.path));
  if (matches.length === 0) return page(404, problem(visit, 404));
  const method = received.method === "HEAD" ? "GET" : received.method;
  const route = matches.find((each) => each.method === method);
  if (!route) {
    const answer = page(405, problem(visit, 405));
    return { ...answer, headers: { ...answer.headers, Allow: matches.map((each) => each.method).join(", ") } };
  }
  return route.handler(shop, visit, route.path.exec(visit.path)?.[1] ?? "");
}

/**
 * @param {Received} received
 * @param {Shop} shop
 * @param {Routes} routes
 * @returns {Visit}
 */
function understand(received, { config, sessions, windowUrl }, routes) {
  const [path, ...query] = received.target.split("?");
  const session = sessions.of(received);
  return {
    path,
    query: new URLSearchParams(query.join("?")),
    language: tongue.language(cookie(received, tongue.COOKIE)) ?? tongue.accepted(received.headers["accept-language"]),
    cart: basket.parse(cookie(received, basket.COOKIE)),
    session,
    formToken: sessions.mark(session, "form", ""),
    place: routes === SHOP ? { at: "shop", window: windowUrl } : { at: "window", wires: config.wires !== undefined },
    received,
  };
}

/** @param {Visit} visit */
function address({ path, query }) {
  return query.size > 0 ? `${path}?${query}` : path;
}

/**
 * @param {FormHandler} handler
 * @returns {Handler}
 */
function posted(handler) {
  return (shop, visit, id) => {
    const post = form(visit.received);
    if ("refused" in post) return page(post.refused, problem(visit, post.refused));
    const isOwn = shop.sessions.isMark(post.form.get("form_token"), visit.session, "form", "");
    return isOwn ? handler(shop, visit, post.form, id) : page(403, problem(visit, 403));
  };
}

/** @type {FormHandler} */
function addToCart(_, visit, form) {
  const cart = basket.add(visit.cart, form.get("product"));
  const line = cart.find((each) => each.product.id === form.get("product"));
  return redirect(line ? `/#${line.product.id}` : "/", [cartCookie(cart)]);
}

/** @type {FormHandler} */
function setInCart(_, visit, form) {
  const quantity = /^\d{1,2}$/.test(form.get("quantity") ?? "") ? Number(form.get("quantity")) : NaN;
  return redirect("/cart", [cartCookie(basket.set(visit.cart, form.get("product"), quantity))]);
}

/** @param {readonly Line[]} cart */
function cartCookie(cart) {
  return setCookie(basket.COOKIE, basket.format(cart), cart.length > 0 ? MONTH : 0);
}

/** @type {Handler} */
function startCheckout({ config, orders }, visit) {
  const known = orders.get(visit.session, visit.query.get("order"));
  if (known && known.payment.status !== "declined") return redirect(`/orders/${known.id}`);
  if (!known && visit.cart.length === 0) return redirect("/cart");
  const order = known ?? orders.offer(visit.session, visit.cart);
  const chosen = { ...order, profile: profile(visit.query.get("profile"), config) ?? order.profile };
  return page(200, checkout(visit, config, chosen, order.customer ?? customers.nobody()));
}

/**
 * The merchant's part: an ordinary form brings a token; what to charge comes from the order that this server made.
 * @param {Shop} shop
 * @param {Visit} visit
 * @param {URLSearchParams} form
 */
async function placeOrder({ config, orders, payments }, visit, form) {
  const order = orders.sentOrOffered(visit.session, form.get("order_id"), form.get("order_note"));
  if (!order) return page(410, problem(visit, 410));
  if (order.payment.status === "open" || order.payment.status === "declined") {
    const { customer, wrong } = customers.parse(form);
    const token = form.get("card_token") ?? "";
    order.profile = profile(form.get("profile"), config) ?? order.profile;
    const missing = isToken(order.profile, token) ? null : "no_token";
    if (wrong.length > 0 || missing) return page(422, checkout(visit, config, order, customer, wrong, missing));
    if (!orders.keep(order)) return page(503, problem(visit, 503));
    order.customer = customer;
    await payments.pay(order, token);
  } else {
    await payments.settle(order);
  }
  const emptied = order.payment.status === "declined" ? [] : [cartCookie([])];
  return redirect(`/orders/${order.id}`, emptied);
}

/** @type {Handler} */
async function showWires({ config }, visit) {
  return page(200, wires(visit, await told(config.wires)));
}

/** @type {Handler} */
function showOrder({ orders, payments }, visit, id) {
  const order = orders.get(visit.session, id);
  if (!order || order.payment.status === "open") return page(404, problem(visit, 404));
  return page(200, receipt(visit, order, order.payment, payments.canBeUsedAgain(order)));
}

/**
 * @param {Shop} shop
 * @param {Visit} visit
 * @param {URLSearchParams} _
 * @param {string} id
 */
async function checkOrder({ orders, payments }, visit, _, id) {
  const order = orders.get(visit.session, id);
  if (!order) return page(404, problem(visit, 404));
  await payments.settle(order);
  return redirect(`/orders/${order.id}`);
}

/**
 * @param {Shop} shop
 * @param {Visit} visit
 * @param {URLSearchParams} _
 * @param {string} id
 */
async function useAgain({ orders, payments }, visit, _, id) {
  const order = orders.get(visit.session, id);
  if (!order) return page(404, problem(visit, 404));
  await payments.again(order);
  return redirect(`/orders/${order.id}`);
}

/**
 * @param {string} folder
 * @param {Visit} visit
 * @param {string} path
 */
async function serve(folder, visit, path) {
  return (await file(folder, path)) ?? page(404, problem(visit, 404));
}
