//! Isolation: what a form in a frame of its own does for the page around it, and what not.

pub mod lead;
