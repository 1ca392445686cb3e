//! The vault from outside: its router with nothing between, and the program as an operator runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod acquirer;
mod attacks;
mod audit;
mod cli;
mod config;
mod connectors;
mod deploy;
mod durability;
mod faults;
mod http;
mod keys;
mod locked;
mod log;
mod operations;
mod operator;
mod process;
mod schedules;
mod secrecy;
mod server;
mod status;
mod store;
mod support;
mod threats;
mod vendors;
mod verify;
mod weak_points;
