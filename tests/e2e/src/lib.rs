//! Drives a browser through the demo shop, from the first key to the charge.
//!
//! A [`Stage`] is a vault and a shop of one's own, on ports of their own. A [`Browser`] is a person's, with real key
//! events. The [`Checkout`] page is where the two meet. A [`Site`] serves pages of a test's own. [`evidence`] looks for a card where none may be.

mod browser;
mod checkout;
pub mod evidence;
mod page;
mod server;
mod site;
mod stage;

use std::panic::{AssertUnwindSafe, resume_unwind};

use anyhow::Result;
use futures_util::FutureExt as _;

pub use browser::Browser;
pub use checkout::{CardField, Checkout, Shown, TestCard};
pub use page::Page;
pub use site::{Reply, Request, Site};
pub use stage::Stage;

/// Sets a stage, opens a browser, and closes both when the test is over, however it ends.
///
/// # Errors
/// Those of the test, or when the stage cannot be set.
pub async fn visit(test: impl AsyncFnOnce(&mut Stage, &Browser) -> Result<()>) -> Result<()> {
    let mut stage = Stage::set()?;
    let browser = Browser::open().await?;
    let outcome = AssertUnwindSafe(test(&mut stage, &browser)).catch_unwind().await;
    browser.close().await?;
    outcome.unwrap_or_else(|panic| {
        stage.keep();
        resume_unwind(panic)
    })
}
