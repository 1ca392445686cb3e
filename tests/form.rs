//! The pure parts of the form: what an input shows as one types, what a merchant may say of its looks, and its languages.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod form {
    mod appearance;
    mod locale;
    mod mask;
    mod person;
}
