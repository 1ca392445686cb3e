//! Every example in README.md and docs/, run as it stands there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod pay;
mod policy;
mod project;
mod scripts;
mod shell;
mod shop;
mod snippets;
mod values;
mod words;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cardseal_e2e::visit;
use serde_json::json;

use shop::{Example, Shop};
use snippets::{Kind, Snippet};
use values::Values;

/// The project's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A program of the project's, as cargo has built it.
fn program(name: &str) -> Result<PathBuf> {
    // This program lies in target/debug/deps.
    let program = env::current_exe()?.parent().context("a program lies in a folder")?.with_file_name(name);
    ensure!(program.exists(), "{name} is not built; `cargo build --workspace` builds it");
    Ok(program)
}

/// Every block says what is to be done with it, or it would go untried.
#[test]
fn every_block_is_marked() -> Result<()> {
    assert!(Snippet::all()?.len() > 40);
    Ok(())
}

#[tokio::test]
async fn every_page_sells() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage)?;
        let values = Values::of(stage)?;
        for snippet in Snippet::all()? {
            let Kind::Page(way, member) = &snippet.kind else { continue };
            let example = Example::page(&values.fill(&snippet.text)?);
            shop.sells(browser, example, *way, member).await.with_context(|| snippet.place())?;
        }
        Ok(())
    })
    .await
}

/// One letter of a digest is another one, and the browser does not run the script.
#[tokio::test]
async fn a_page_with_another_digest_runs_nothing() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage)?;
        let values = Values::of(stage)?;
        let mut tried = 0;
        for snippet in Snippet::all()? {
            if !matches!(snippet.kind, Kind::Page(..)) || !snippet.text.contains("sha384-…") {
                continue;
            }
            tried += 1;
            let page = values.fill(&snippet.text)?;
            let letter = if page.contains("sha384-A") { "sha384-B" } else { "sha384-A" };
            let at = page.find("sha384-").context("a digest")?;
            let forged = format!("{}{letter}{}", &page[..at], &page[at + letter.len()..]);
            shop.show(browser, Example::page(&forged)).await?;
            browser.wait_for("return document.readyState === 'complete'").await?;
            let runs =
                "return Boolean(document.querySelector('iframe') || customElements.get('cardseal-card'))";
            assert_eq!(browser.run(runs, vec![]).await?, json!(false), "{}", snippet.place());
        }
        assert!(tried >= 2, "only {tried} pages have a digest");
        Ok(())
    })
    .await
}
