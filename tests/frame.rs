//! Isolation, as far as it is pure: who leads the focus.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod frame {
    mod lead;
}
