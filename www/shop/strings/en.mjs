/** English, and the shape that the other languages follow. */

const en = {
  name: "English",
  shop: "Cha & Sumi",
  motto: "Tea and ink from Japan and Thailand",

  skip: "Skip to content",
  nav: "Shop",
  nav_orders: "Orders",
  nav_window: "What the shop received",
  nav_cart: "Cart",
  /** @param {number} count */
  cart_count: (count) => (count === 1 ? "1 item in the cart" : `${count} items in the cart`),
  languages: "Language",
  footer: "This is a demo shop. Nothing is sold and no card is charged; please use test cards only.",

  home_title: "Tea and ink, unhurried",
  home_text:
    "Cha is tea in Japanese and in Thai. Sumi is ink. We carry a few of each, from people whose names we know.",
  add: "Add to cart",
  /** @param {string} product */
  add_named: (product) => `Add ${product} to cart`,
  /** @param {number} quantity */
  in_cart: (quantity) => `${quantity} in your cart.`,
  view_cart: "View cart",
  tax_included: "Prices include tax. Shipping is free from ¥5,000.",

  products: {
    sencha: {
      name: "Uji sencha",
      detail: "First flush, deep-steamed. 80 g tin",
      alt: "A dark green tea tin with a paper label",
    },
    oolong: {
      name: "Doi Mae Salong oolong",
      detail: "Rolled by hand, 1,300 m up. 60 g",
      alt: "A paper pouch of tea beside a dish of rolled leaves",
    },
    "thai-tea": {
      name: "Cha yen red tea",
      detail: "For iced milk tea the Bangkok way. 120 g",
      alt: "A tall glass of iced orange milk tea",
    },
    kyusu: {
      name: "Tokoname teapot",
      detail: "Side handle, red clay. 280 ml",
      alt: "A red clay teapot with a side handle",
    },
    notebook: {
      name: "Saa paper notebook",
      detail: "Mulberry paper from Chiang Mai, sewn. A5",
      alt: "A hand-sewn notebook with flower petals in the paper",
    },
    ink: {
      name: "Indigo ink",
      detail: "For dip pens and fountain pens. 30 ml",
      alt: "A square bottle of indigo ink and a pen",
    },
  },

  cart_title: "Your cart",
  cart_empty: "Your cart is empty.",
  cart_empty_action: "Have a look around",
  each: "each",
  quantity: "Quantity",
  /** @param {string} product */
  fewer: (product) => `One ${product} fewer`,
  /** @param {string} product */
  more: (product) => `One ${product} more`,
  remove: "Remove",
  /** @param {string} product */
  remove_named: (product) => `Remove ${product}`,
  goods: "Subtotal",
  shipping: "Shipping",
  free: "Free",
  total: "Total",
  to_checkout: "Go to checkout",
  back_to_shop: "Continue shopping",

  checkout_title: "Checkout",
  summary: "Order summary",
  contact: "Contact",
  address: "Delivery address",
  payment: "Payment",
  optional: "optional",
  fields: {
    email: "Email",
    name: "Full name",
    phone_number: "Phone",
    country: "Country or region",
    postal_code: "Postal code",
    state: "State, province or prefecture",
    city: "City or district",
    street1: "Street address",
    street2: "Building, room",
  },
  choose: "Choose…",
  wrong: {
    email: "Enter an email address such as name@example.com.",
    name: "Enter your name.",
    phone_number: "Enter a shorter phone number.",
    country: "Choose a country or region.",
    postal_code: "Enter your postal code.",
    state: "Enter a shorter name.",
    city: "Enter your city or district.",
    street1: "Enter your street address.",
    street2: "Enter a shorter text.",
  },
  wrong_fields: "Please check the fields marked below, then enter your card once more.",
  no_token: "The card did not reach us. Please enter it once more.",
  token_of: "Token of",
  card_note: {
    vault: "Your card is sealed in this page and goes straight to the vault. This shop gets a token in its place.",
    omise: "Your card goes from this page straight to Omise. This shop gets a token in its place.",
    thales: "Your card is sealed in this page for Thales. The vault passes it on unread, and this shop gets a token in its place.",
  },
  card_loading: "Loading the card fields…",
  card_no_script: "Paying by card needs JavaScript. Please turn it on and load this page again.",
  card_not_loaded: "The card fields could not be loaded. Please load this page again.",
  check_card: "Please check your card details.",
  try_again: "We could not reach the payment service. Nothing was charged. Please try again in a moment.",
  cannot_pay: "The card could not be accepted because of a fault on our side. Nothing was charged.",
  /** @param {string} amount */
  pay: (amount) => `Pay ${amount}`,
  test_cards: "Test cards",
  test_cards_note: "Any future expiry date and any security code will do.",
  copy: "Copy",
  /** @param {string} card */
  copy_named: (card) => `Copy ${card}`,
  copied: "Copied",
  outcomes: {
    successful: "Paid",
    insufficient_fund: "Insufficient funds",
    stolen_or_lost_card: "Stolen or lost card",
    failed_processing: "Processing fails",
    payment_rejected: "Rejected by the bank",
  },

  status: { pending: "Pending", paid: "Paid", declined: "Declined" },
  receipt_title: {
    pending: "We are checking your payment",
    paid: "Thank you for your order",
    declined: "Your card was declined",
  },
  receipt_text: {
    pending: "The payment service has not answered yet. Your order is safe, and you will not be charged twice.",
    paid: "We will pack it with care and send it within two days.",
    declined: "Nothing was charged. Your order is still here.",
  },
  order: "Order",
  placed: "Placed",
  amount: "Amount",
  card: "Card",
  /** @param {string} digits */
  ending: (digits) => `ending in ${digits}`,
  card_unknown: "not known yet",
  token: "Token",
  uses: {
    charge: "Charged with the token:",
    card_kept: "The card was put on file and charged:",
    stored_charge: "Charged again, without the card:",
    cryptogram: "A number in the card's place and a cryptogram for one purchase (number, length):",
    recurring: "The same number for a purchase that recurs, which takes no cryptogram:",
    detokenized: "The card came back sealed for the processor; this shop cannot open it (length):",
  },
  use_again: "Use it once more",
  sent_to: "Delivery to",
  knows_title: "All that this shop knows of the card",
  check_again: "Check again",
  another_card: "Try another card",
  see_record: "See everything this shop received",
  failures: {
    insufficient_fund: "There are not enough funds on this card.",
    stolen_or_lost_card: "The bank does not accept this card. Please call your bank.",
    failed_processing: "The payment could not be processed.",
    payment_rejected: "The bank rejected the payment.",
    failed_fraud_check: "The payment was stopped by a security check.",
    invalid_account_number: "The card number does not belong to an account.",
    invalid_security_code: "The security code is not right.",
    used_token: "These card details were already used. Please enter your card once more.",
    other: "The payment was not accepted.",
  },

  orders_title: "What this shop received",
  orders_text:
    "Below is every request that reached this shop's server, as it came: the request line, every header, the whole body. A card that you typed is not in it. Its token is, and a token is worthless to anyone but this shop.",
  window_note:
    "This window belongs to the demo and is open on this machine only: it shows everybody's orders, and all that their browsers sent. A real shop has none.",
  own_orders_title: "Your orders",
  no_own_orders: "You have placed no order yet.",
  no_orders: "No order has been placed yet.",
  orders_list: "Orders",
  record: "Record",
  search: "Search the record",
  search_hint:
    "Type the card number that you just used. The search runs in this page and what you type here is not sent anywhere. It also looks for the text with spaces or dashes, percent-encoded, in Base64 and in hex.",
  found_none: "Not found in any of the {count} requests on this page.",
  found_some: "Found in {found} of the {count} requests on this page.",
  /** @param {number} count */
  show_all: (count) => `Show the ${count} requests without a body too`,
  /** @param {number} shown @param {number} all */
  record_count: (shown, all) =>
    shown === all ? `${all} requests since the shop started` : `The newest ${shown} of ${all} requests`,
  bytes: "bytes",
  endings: { complete: "", too_large: "cut: too large", aborted: "broken off", malformed: "not HTTP" },

  nav_wires: "Wires",
  wires_title: "What went over each wire",
  wires_text:
    "Every request between browser, vault, shop and the vendors' stand-ins, newest first. The stand-ins have taken the cards out before this shop could see them.",
  wire_black_note: "a card that the receiver could read",
  wire_sealed_note: "a card that only the holder of the key can read",
  wire_lock: "sealed",
  /** @param {number} length */
  wire_black: (length) => `${length} digits of a card, blacked out`,
  /** @param {number} length */
  wire_sealed: (length) => `sealed, ${length} characters`,
  no_wires: "Nothing has gone over a wire yet.",
  parties: { browser: "Browser", shop: "This shop's server", vault: "Vault" },

  problems: {
    400: {
      title: "We could not read that",
      text: "The form held something that is not text. Please go back and try again.",
    },
    403: { title: "That came from another site", text: "Please load the page of this shop again and go on from there." },
    404: {
      title: "Nothing here",
      text: "The page may have moved, or the order was forgotten when the demo was restarted.",
    },
    405: { title: "That does not work here", text: "This address answers another kind of request." },
    410: {
      title: "This checkout page is too old",
      text: "Your card was not charged. Please start again from your cart.",
    },
    413: { title: "That was too much", text: "The request was larger than this shop accepts." },
    415: { title: "We could not read that", text: "This address takes an ordinary HTML form." },
    503: { title: "Too many orders at once", text: "Nothing was charged. Please try again later." },
  },
};

/** @typedef {typeof en} Strings */

export default en;
