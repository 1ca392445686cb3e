//! Whether the process is there.

/// `GET /livez`: it answers, so it is.
pub(super) async fn live() -> &'static str {
    "ok\n"
}
