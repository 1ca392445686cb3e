//! The vault from outside: its router with nothing between, and the program as an operator runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod acquirer;
mod audit;
mod cli;
mod durability;
mod http;
mod keys;
mod process;
mod secrecy;
mod support;
mod verify;
