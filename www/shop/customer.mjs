/** Who orders and where the parcel goes, from the checkout form. */

/**
 * The form's fields, named as the vault names a card's billing address. `most` is in characters.
 * @typedef {"email" | "name" | "phone_number"} Contact
 * @typedef {Contact | "country" | "postal_code" | "state" | "city" | "street1" | "street2"} Field
 * @typedef {{ name: Field, required: boolean, most: number, shape?: RegExp }} Rule
 * @typedef {Record<Field, string>} Customer
 */

/** Where the shop sends parcels. */
export const COUNTRIES = ["JP", "TH", "AU", "CA", "DE", "FR", "GB", "HK", "KR", "MY", "NZ", "SG", "TW", "US", "VN"];

/** @type {readonly Rule[]} */
export const RULES = [
  { name: "email", required: true, most: 254, shape: /^[^\s@]+@[^\s@]+$/ },
  { name: "name", required: true, most: 100 },
  { name: "phone_number", required: false, most: 40 },
  { name: "country", required: true, most: 2, shape: new RegExp(`^(${COUNTRIES.join("|")})$`) },
  { name: "postal_code", required: true, most: 20 },
  { name: "state", required: false, most: 100 },
  { name: "city", required: true, most: 100 },
  { name: "street1", required: true, most: 200 },
  { name: "street2", required: false, most: 200 },
];

/** @returns {Customer} */
export function nobody() {
  return /** @type {Customer} */ (Object.fromEntries(RULES.map((rule) => [rule.name, ""])));
}

/**
 * @param {URLSearchParams} form
 * @returns {{ customer: Customer, wrong: Field[] }} `wrong` names the fields that the order cannot go on with
 */
export function parse(form) {
  const customer = nobody();
  /** @type {Field[]} */
  const wrong = [];
  for (const { name, required, most, shape } of RULES) {
    const value = (form.get(name) ?? "").replace(/\p{Cc}+/gu, " ").trim();
    customer[name] = value.slice(0, most);
    const fits = value === "" ? !required : value.length <= most && (shape?.test(value) ?? true);
    if (!fits) wrong.push(name);
  }
  return { customer, wrong };
}
