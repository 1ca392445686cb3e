/** What the shop sells and what it costs. Amounts are in yen, which has no smaller unit; tax is included. */

/**
 * Names and descriptions stand in strings/, pictures in static/products/, each under the product's id.
 * @typedef {"sencha" | "oolong" | "thai-tea" | "kyusu" | "notebook" | "ink"} ProductId
 * @typedef {{ id: ProductId, price: number }} Product
 */

export const CURRENCY = "JPY";

/** @type {readonly Product[]} */
export const PRODUCTS = [
  { id: "sencha", price: 1480 },
  { id: "oolong", price: 1680 },
  { id: "thai-tea", price: 980 },
  { id: "kyusu", price: 5400 },
  { id: "notebook", price: 1250 },
  { id: "ink", price: 2200 },
];

const SHIPPING = 480;
const FREE_SHIPPING_FROM = 5000;

/**
 * @param {string | null | undefined} id
 * @returns {Product | undefined}
 */
export function product(id) {
  return PRODUCTS.find((each) => each.id === id);
}

/** @typedef {{ product: Product, quantity: number }} Line */
/** @typedef {{ lines: readonly Line[], goods: number, shipping: number, total: number }} Bill */

/**
 * @param {readonly Line[]} lines
 * @returns {Bill}
 */
export function bill(lines) {
  const goods = lines.reduce((sum, line) => sum + line.product.price * line.quantity, 0);
  const shipping = goods === 0 || goods >= FREE_SHIPPING_FROM ? 0 : SHIPPING;
  return { lines, goods, shipping, total: goods + shipping };
}
