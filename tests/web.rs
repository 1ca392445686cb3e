//! What only a browser can show: the form in its shadow root, the client at `fetch`, the bindings that a page calls, and
//! the seal against WebCrypto.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

mod web {
    mod bindings;
    mod checkout;
    mod client;
    mod form;
    mod profiles;
    mod seal;
    mod stage;
}
