//! The seal, through its public face: what it writes opens with another library, and what it reads is exactly the format.
#![cfg(all(not(target_arch = "wasm32"), feature = "seal"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod seal {
    mod ecdh;
    mod envelope;
    mod jwe;
    mod jwk;
    mod recipient;
    mod rsa;
}
