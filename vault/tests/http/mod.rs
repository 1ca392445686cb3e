//! Requests and answers.

mod assets;
mod auth;
mod body;
mod charges;
mod clear_card;
mod cors;
mod customers;
mod docs;
mod events;
mod frame;
mod health;
mod hostile;
mod idempotency;
mod jwks;
mod limits;
mod metrics;
mod openapi;
mod pci_tokens;
mod profiles;
mod request;
mod seals;
mod tokens;
mod webhooks;
