//! What the commands need beyond rustup and Node.js 20. Each is looked for first; what is missing is installed, with one
//! line that says so, or the error says what is missing and how to get it.

pub(crate) mod browser;
pub(crate) mod npm;
pub(crate) mod postgres;
pub(crate) mod python;
pub(crate) mod rust;
pub(crate) mod system;
pub(crate) mod tool;
