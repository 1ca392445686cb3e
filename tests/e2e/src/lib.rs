//! Drives a browser through the demo shop.
