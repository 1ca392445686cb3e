//! The card's fields, through their public face: published numbers, what people type and paste, and the laws
//! that hold for any text.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod card {
    mod brand;
    mod digits;
    mod entry;
    mod expiry;
    mod holder;
    mod number;
    mod published;
    mod security_code;
}
