//! The vault's keys, and published vectors against what it does with them.

mod gcm;
mod kek;
mod opening;
mod rotation;
mod sealing;
