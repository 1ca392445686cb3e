//! Requests and answers.

mod auth;
mod body;
mod charges;
mod clear_card;
mod cors;
mod jwks;
mod request;
mod seals;
mod tokens;
