//! The vault: opens sealed cards, keeps them encrypted, and answers with tokens that a merchant can charge.
//!
//! - [`cli`]: the program's commands; [`config`]: what they are told; [`verify`]: looking at a vault that serves.
//! - [`server`]: listening, TLS, shutting down; [`process`], [`user`], [`log`], [`metrics`]: what its operator sees of it.
//! - [`http`]: what the outside sees, shaped like Omise's API.
//! - [`vault`]: what the vault does; [`merchant`], [`token`], [`charge`], [`shopper`], [`pci_token`], [`seal`],
//!   [`id`]: with what.
//! - [`vendor`]: whose tokens cards can become beside the vault's own.
//! - [`event`]: what happened; [`webhook`]: telling a merchant's server.
//! - [`access`]: what keys are for; [`idempotency`]: requests that come again; [`audit`]: who did what.
//! - [`assets`]: the files that browsers load; [`frame`], [`locale`]: the page with the card fields.
//! - [`keys`]: every key and everything that is encrypted; [`store`]: what is durable; [`acquirer`]: who takes charges.
//!
//! A clear card exists here from the opening of its seal to the encryption of its number, and again while an acquirer
//! is asked for a charge. It is in no log, error or answer.

pub mod access;
pub mod acquirer;
pub mod assets;
pub mod audit;
pub mod charge;
pub mod cli;
pub mod config;
pub mod customer;
pub mod data_dir;
pub mod erasure;
pub mod event;
pub mod frame;
pub mod http;
pub mod id;
pub mod idempotency;
pub mod keys;
pub mod list;
pub mod locale;
pub mod log;
pub mod merchant;
pub mod metrics;
mod object;
pub mod pci_token;
pub mod process;
pub mod seal;
pub mod sealing_keys;
pub mod server;
pub mod shopper;
pub mod store;
pub mod test_card;
pub mod text;
pub mod time;
pub mod token;
pub mod user;
pub mod vault;
pub mod vendor;
pub mod verify;
pub mod webhook;

pub use vault::Vault;
