//! One visit to a demo that runs already: types a card, pays, and prints the token, the charge and what the shop saw.

use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use cardseal_e2e::{Browser, Checkout, TestCard, evidence};

#[tokio::main]
#[expect(clippy::print_stderr, reason = "this is what a person who called it sees")]
async fn main() -> ExitCode {
    match visit().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the demo did not end as it should: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is what a person who called it sees")]
async fn visit() -> Result<()> {
    let shop = argument("--shop")?;
    let card = TestCard::VISA;
    let browser = Browser::open().await?;
    let checkout = Checkout::open(&browser, &shop).await?;
    checkout.type_card(card).await?;
    checkout.pay().await?;
    let status = checkout.receipt().await?;
    ensure!(status == "paid", "the order is {status}");

    let text = async |selector: &str| -> Result<String> {
        let script = format!("return document.querySelector('{selector}').textContent.trim()");
        let text = browser.run(&script, vec![]).await?;
        Ok(text.as_str().with_context(|| format!("no text at {selector}"))?.to_owned())
    };
    let token = text("#order-token").await?;
    let (charge, charged, hint) =
        (text("#order-charge").await?, text("#order-charge-status").await?, text("#order-card").await?);
    ensure!(token.starts_with("tokn_test_"), "{token:?} is no token");
    ensure!(charged == "successful", "the charge is {charged}");

    browser.goto(&format!("{shop}/orders")).await?;
    let record = browser.source().await?;
    let traces = evidence::search(card.number, "the shop's record", record.as_bytes());
    ensure!(traces.is_empty(), "the shop holds the card: {traces:?}");
    ensure!(record.contains(&token), "the shop's record does not have the token, so it proves nothing");

    println!("token   {token}");
    println!("charge  {charge} {charged}");
    println!("shop    {hint}");
    println!("record  every request that the shop received, {} bytes, holds no card number", record.len());
    for line in text("#record").await?.lines().map(str::trim).filter(|line| line.contains("card_token")) {
        println!("        {line}");
    }
    browser.close().await
}

/// The value after an option.
fn argument(name: &str) -> Result<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    match arguments.next() {
        Some(value) => Ok(value.trim_end_matches('/').to_owned()),
        None => bail!("{name} URL is missing"),
    }
}
