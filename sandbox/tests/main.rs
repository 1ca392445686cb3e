//! The stand-ins, asked as their documents say, and otherwise.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod control;
mod omise;
mod payment_options;
mod receiver;
mod sealing;
mod thales_d1;
mod thales_pci;
