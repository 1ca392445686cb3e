//! Who asks, and how much one may ask for.

pub mod client;
pub mod limit;
