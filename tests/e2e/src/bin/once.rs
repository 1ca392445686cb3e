//! One visit to a demo that runs already: types a card, pays, and prints the token, what was done with it and what the shop
//! saw. `--profile NAME` is whose token the card becomes; `--screenshot FILE` keeps a picture of the filled-in checkout.

use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use cardseal_e2e::{Browser, Checkout, TestCard, evidence};
use fantoccini::Locator::Css;
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
    let (shop, vault, window) = (argument("--shop")?, argument("--vault")?, argument("--window")?);
    let profile = argument("--profile").unwrap_or_else(|_| "cardseal".into());
    let card = TestCard::VISA;
    let browser = Browser::open().await?;
    let checkout = Checkout::open_for(&browser, &shop, &profile).await?;
    let key = text(&browser, "return document.querySelector('#checkout').dataset.publicKey", vec![]).await?;
    if profile.starts_with("thales") {
        checkout.type_number_and_expiry(card).await?;
    } else {
        checkout.type_card(card).await?;
    }
    if let Ok(file) = argument("--screenshot") {
        browser.run("document.querySelector('#pay').scrollIntoView({ block: 'end' })", vec![]).await?;
        std::fs::write(file, browser.screenshot().await?)?;
    }
    checkout.pay().await?;
    let order = checkout.receipt().await?;
    ensure!(order == "paid", "the order is {order}");
    let token =
        text(&browser, "return document.querySelector('#order-token').textContent.trim()", vec![]).await?;
    let shown =
        text(&browser, "return document.querySelector('#order-profile').dataset.profile", vec![]).await?;
    ensure!(shown == profile, "the token is one of {shown}");
    let is_own = matches!(&*profile, "cardseal" | "payment-options");
    ensure!(token.starts_with("tokn_test_") || !is_own, "{token:?} is no token");
    println!("token   {token} of {profile}");
    let uses = use_again(&browser).await?;
    uses.lines().for_each(|line| println!("used    {line}"));

    if profile == "cardseal" {
        // What became of the token, by the vault's own word; the shop's policy lets its page ask nobody.
        browser.goto(&format!("{vault}/livez")).await?;
        let ask = "const [address, key] = arguments;
            const headers = { Authorization: `Basic ${btoa(`${key}:`)}` };
            return fetch(address, { headers }).then((answer) => answer.json()).then((token) => token.charge_status)";
        let charge = text(&browser, ask, vec![json!(format!("{vault}/tokens/{token}")), json!(key)]).await?;
        ensure!(charge == "successful", "the charge is {charge}");
        println!("charge  {charge}");
    }

    browser.goto(&format!("{window}/wires")).await?;
    let wires = browser.source().await?;
    let traces = evidence::search(card.number, "the shop's page of wires", wires.as_bytes());
    ensure!(traces.is_empty(), "the page of wires shows the card: {traces:?}");
    let lines = "return [...document.querySelectorAll('#wires li')].map((wire) => `${wire.querySelector('.wire-head').innerText.replaceAll(/\\s+/g, ' ')}${wire.querySelector('.black') ? '  [card, readable]' : ''}${wire.querySelector('.sealed') ? '  [card, sealed]' : ''}`).reverse().join('\\n')";
    let lines = text(&browser, lines, vec![]).await?;
    ensure!(lines.contains("[card, "), "no wire has a card, so the page proves nothing:\n{lines}");
    lines.lines().for_each(|line| println!("wire    {line}"));

    browser.goto(&format!("{window}/orders")).await?;
    let record = browser.source().await?;
    let traces = evidence::search(card.number, "the shop's record", record.as_bytes());
    ensure!(traces.is_empty(), "the shop holds the card: {traces:?}");
    let bodies =
        "return [...document.querySelectorAll('#record pre')].map((pre) => pre.textContent).join('\\n')";
    let bodies = text(&browser, bodies, vec![]).await?;
    let posted = bodies.lines().find(|line| line.contains(&format!("card_token={token}")));
    let posted = posted.context("the token is not in the shop's record, so the record proves nothing")?;

    println!("shop    what it received of the card, in a record of {} bytes:", record.len());
    for member in posted.split('&').filter(|member| member.starts_with("card")) {
        println!("        {member}");
    }
    browser.close().await
}

/// Uses the token once more, where it can be. Gives what was done with it.
async fn use_again(browser: &Browser) -> Result<String> {
    let uses =
        "return [...document.querySelectorAll('#order-uses li')].map((use) => use.innerText).join('\\n')";
    let before = text(browser, uses, vec![]).await?;
    ensure!(!before.is_empty(), "nothing was done with the token");
    let Ok(button) = browser.find(Css("#use-again")).await else { return Ok(before) };
    button.click().await?;
    let more = "return document.querySelectorAll('#order-uses li').length > 1";
    browser.wait_for(more).await.context("the token could not be used once more")?;
    text(browser, uses, vec![]).await
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
