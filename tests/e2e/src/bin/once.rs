//! One visit to a demo that runs already: types a card, pays, and prints the token, the charge and what the shop saw.
//! `--screenshot FILE` keeps a picture of the filled-in checkout.

use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use cardseal_e2e::{Browser, Checkout, TestCard, evidence};
use serde_json::{Value, json};

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
    let (shop, vault) = (argument("--shop")?, argument("--vault")?);
    let card = TestCard::VISA;
    let browser = Browser::open().await?;
    let checkout = Checkout::open(&browser, &shop).await?;
    let key = text(&browser, "return document.querySelector('#checkout').dataset.publicKey", vec![]).await?;
    checkout.type_card(card).await?;
    if let Ok(file) = argument("--screenshot") {
        browser.run("document.querySelector('#pay').scrollIntoView({ block: 'end' })", vec![]).await?;
        std::fs::write(file, browser.screenshot().await?)?;
    }
    checkout.pay().await?;
    let order = checkout.receipt().await?;
    ensure!(order == "paid", "the order is {order}");
    let token =
        text(&browser, "return document.querySelector('#order-token').textContent.trim()", vec![]).await?;
    ensure!(token.starts_with("tokn_test_"), "{token:?} is no token");

    // What became of the token, by the vault's own word; the shop's policy lets its page ask nobody.
    browser.goto(&format!("{vault}/livez")).await?;
    let ask = "const [address, key] = arguments;
        const headers = { Authorization: `Basic ${btoa(`${key}:`)}` };
        return fetch(address, { headers }).then((answer) => answer.json()).then((token) => token.charge_status)";
    let charge = text(&browser, ask, vec![json!(format!("{vault}/tokens/{token}")), json!(key)]).await?;
    ensure!(charge == "successful", "the charge is {charge}");

    browser.goto(&format!("{shop}/orders")).await?;
    let record = browser.source().await?;
    let traces = evidence::search(card.number, "the shop's record", record.as_bytes());
    ensure!(traces.is_empty(), "the shop holds the card: {traces:?}");
    let bodies =
        "return [...document.querySelectorAll('#record pre')].map((pre) => pre.textContent).join('\\n')";
    let bodies = text(&browser, bodies, vec![]).await?;
    let posted = bodies.lines().find(|line| line.contains(&format!("card_token={token}")));
    let posted = posted.context("the token is not in the shop's record, so the record proves nothing")?;

    println!("token   {token}");
    println!("charge  {charge}");
    println!("shop    what it received of the card, in a record of {} bytes:", record.len());
    for member in posted.split('&').filter(|member| member.starts_with("card")) {
        println!("        {member}");
    }
    browser.close().await
}

/// The text that a script returns.
async fn text(browser: &Browser, script: &str, arguments: Vec<Value>) -> Result<String> {
    let value = browser.run(script, arguments).await?;
    Ok(value.as_str().with_context(|| format!("{value} is no text"))?.to_owned())
}

/// The value after an option.
fn argument(name: &str) -> Result<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    match arguments.next() {
        Some(value) => Ok(value.trim_end_matches('/').to_owned()),
        None => bail!("{name} URL is missing"),
    }
}
