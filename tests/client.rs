//! The client, through its public face, against a scripted vault and a clock that only the script moves.
#![cfg(all(not(target_arch = "wasm32"), feature = "seal"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod client {
    mod address;
    mod error;
    mod omise;
    mod payment_options;
    mod pkey;
    #[path = "../seal/recipient.rs"]
    mod recipient;
    mod relay;
    mod retry;
    mod script;
    mod stage;
    mod vault;
    mod vendor;
}
