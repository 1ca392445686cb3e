//! What a script of the merchant's page does to get at a card in a frame, with everything that a page may do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod focus;
mod number;
mod person;
mod recorder;
