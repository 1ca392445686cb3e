//! One module a command.

pub(crate) mod bench;
pub(crate) mod build;
pub(crate) mod demo;
pub(crate) mod postgres;
pub(crate) mod test;
