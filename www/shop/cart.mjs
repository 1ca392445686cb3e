/** The cart lives in a cookie of product ids and quantities, such as `sencha.2~ink.1`: never a price. */
import { PRODUCTS, product } from "./catalog.mjs";

/** @typedef {import("./catalog.mjs").Line} Line */

export const COOKIE = "shop_cart";
const MOST_OF_ONE = 20;

/**
 * Whatever does not belong in a cart is left out.
 * @param {string | undefined} text
 * @returns {Line[]}
 */
export function parse(text) {
  /** @type {Line[]} */
  let cart = [];
  for (const item of (text ?? "").split("~").slice(0, PRODUCTS.length)) {
    const [id, quantity] = item.split(".");
    if (/^\d{1,2}$/.test(quantity)) cart = set(cart, id, Number(quantity));
  }
  return cart;
}

/** @param {readonly Line[]} cart */
export function format(cart) {
  return cart.map((line) => `${line.product.id}.${line.quantity}`).join("~");
}

/**
 * @param {readonly Line[]} cart
 * @param {string | null} id
 * @param {number} quantity 0 takes the product out
 * @returns {Line[]}
 */
export function set(cart, id, quantity) {
  const found = product(id);
  if (!found || !Number.isInteger(quantity)) return [...cart];
  const line = { product: found, quantity: Math.min(Math.max(quantity, 0), MOST_OF_ONE) };
  const known = cart.some((each) => each.product === found);
  const lines = known ? cart.map((each) => (each.product === found ? line : each)) : [...cart, line];
  return lines.filter((each) => each.quantity > 0);
}

/**
 * @param {readonly Line[]} cart
 * @param {string | null} id
 */
export function add(cart, id) {
  return set(cart, id, quantityOf(cart, id) + 1);
}

/**
 * @param {readonly Line[]} cart
 * @param {string | null} id
 */
function quantityOf(cart, id) {
  return cart.find((line) => line.product.id === id)?.quantity ?? 0;
}

/** @param {readonly Line[]} cart */
export function count(cart) {
  return cart.reduce((sum, line) => sum + line.quantity, 0);
}
