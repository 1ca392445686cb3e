//! Where randomness comes from: `crypto.getRandomValues`, which browsers and Node 20 have. What getrandom brings for
//! JavaScript also knows older platforms, at several times the size.

use getrandom::{Error, register_custom_getrandom};
use wasm_bindgen::prelude::*;

register_custom_getrandom!(fill);

fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    get_random_values(bytes).map_err(|_| Error::UNSUPPORTED)
}

#[wasm_bindgen]
extern "C" {
    /// Takes up to 65536 bytes at a time (Web Cryptography API, section 10.1.1); a seal takes some dozens.
    #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]) -> Result<(), JsValue>;
}
