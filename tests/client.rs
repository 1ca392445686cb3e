//! The client, through its public face, against a scripted vault and a clock that only the script moves.
#![cfg(all(not(target_arch = "wasm32"), feature = "seal"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod client {
    mod error;
    mod pkey;
    #[path = "../seal/recipient.rs"]
    mod recipient;
    mod retry;
    mod script;
    mod vault;
}
