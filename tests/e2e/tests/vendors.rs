//! From a typed card to each vendor's token, and to what is done with it later.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use anyhow::Result;
use cardseal_e2e::{Browser, CardField, Checkout, Reply, Site, Stage, TestCard, evidence, visit};
use cardseal_sandbox::thales_pci::Token;
use cardseal_sandbox::{Exchange, Sandbox};
use fantoccini::Locator::Css;

#[tokio::test]
async fn a_card_becomes_thales_pci_token_and_comes_back_sealed() -> Result<()> {
    with_vendors(async |stage, browser, sandbox| {
        let token = buy(stage, browser, "thales-pci").await?;
        assert!(is_kept(sandbox, &token), "Thales has the typed card");
        assert_eq!(uses(browser).await?, ["detokenized"]);
        use_again(browser).await?;
        assert_eq!(uses(browser).await?, ["detokenized", "detokenized"]);
        passed_on_unread(stage, &sandbox.thales_pci.server.records.all())
    })
    .await
}

#[tokio::test]
async fn a_card_becomes_d1s_token_and_pays_with_cryptograms() -> Result<()> {
    with_vendors(async |stage, browser, sandbox| {
        let token = buy(stage, browser, "thales-d1").await?;
        let kept = sandbox.thales_d1.token(&token).unwrap();
        assert_eq!((&*kept.card.pan, &*kept.card.exp), (CARD.number, "1230"));
        use_again(browser).await?;
        assert_eq!(uses(browser).await?, ["cryptogram", "recurring"]);
        assert_eq!(sandbox.thales_d1.token(&token).unwrap().cryptograms, 1);
        passed_on_unread(stage, &sandbox.thales_d1.server.records.all())
    })
    .await
}

#[tokio::test]
async fn a_card_is_charged_at_payment_options_and_then_without_it() -> Result<()> {
    with_vendors(async |stage, browser, sandbox| {
        let token = buy(stage, browser, "payment-options").await?;
        assert!(token.starts_with("tokn_test_"), "{token}");
        use_again(browser).await?;
        assert_eq!(uses(browser).await?, ["card_kept", "stored_charge"]);
        assert_eq!((sandbox.payment_options.cards(), sandbox.payment_options.purchases()), (1, 2));
        let asked = sandbox.payment_options.server.records.all();
        let has_card: Vec<_> = asked.iter().map(|exchange| exchange.body.contains(CARD.number)).collect();
        assert_eq!(has_card, [true, false]);
        nowhere(stage)
    })
    .await
}

#[tokio::test]
async fn a_card_goes_to_omise_itself_and_its_token_is_charged_there() -> Result<()> {
    with_vendors(async |stage, browser, sandbox| {
        let token = buy(stage, browser, "omise").await?;
        assert_eq!(uses(browser).await?, ["charge"]);
        let asked = sandbox.omise.server.records.all();
        let posted = asked.iter().find(|exchange| exchange.path == "/tokens" && exchange.method == "POST");
        let posted = posted.unwrap();
        assert!(posted.body.contains(CARD.number) && posted.answer.as_ref().unwrap().body.contains(&token));
        // From the frame, which is the vault's: the shop's page had no part in it.
        assert_eq!(posted.header("origin"), Some(&*stage.vault_url().replace("127.0.0.1", "localhost")));
        assert!(asked.iter().any(|exchange| exchange.path == "/charges" && exchange.body.contains(&token)));
        nowhere(stage)
    })
    .await
}

/// What a vendor says no to is told to the shopper, and the form takes another card.
#[tokio::test]
async fn a_card_that_a_vendor_does_not_take_is_told() -> Result<()> {
    with_vendors(async |stage, browser, sandbox| {
        let checkout = Checkout::open_for(browser, &stage.shop_url()?, "thales-d1").await?;
        // JCB: no issuer behind the stand-in has it.
        checkout.type_number_and_expiry(TestCard::JCB).await?;
        checkout.pay().await?;
        let problem = "return document.querySelector('#payment-problem').textContent";
        let problem = browser.wait_for(problem).await?;
        assert!(problem.as_str().unwrap().contains("card"), "{problem}");
        assert_eq!(sandbox.thales_d1.server.records.all().len(), 2, "an access token, and one try");
        checkout.input(CardField::Number).await?.clear().await?;
        checkout.type_into(CardField::Number, CARD.number).await?;
        checkout.pay().await?;
        assert_eq!(checkout.receipt().await?, "paid");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_element_posts_a_vendors_token() -> Result<()> {
    with_vendors(async |stage, browser, sandbox| {
        let page = "<!doctype html><meta charset=utf-8><title>Shop</title>
            <script type=module src='VAULT/v1/element.js'></script>
            <form method=post action=/pay>
                <cardseal-card id=card public-key=KEY vault=VAULT profile=thales-pci name=card_token></cardseal-card>
                <button id=pay>Pay</button>
            </form>
            <script>
                document.addEventListener('cardseal-ready', () => (window.isReady = true));
            </script>";
        let page = page.replace("KEY", stage.public_key()).replace("VAULT", stage.vault_url());
        let posts = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&posts);
        let site = Site::open(move |request| {
            if request.method != "POST" {
                return Some(Reply::page(page.clone()));
            }
            kept.lock().unwrap().push(String::from_utf8_lossy(&request.body).into_owned());
            Some(Reply::page("<p id=received>Thank you"))
        })?;
        stage.register(&[&site.url()])?;
        browser.goto(&site.url()).await?;
        browser.wait_for("return window.isReady").await?;
        Checkout::in_shadow_of(browser, "#card").type_number_and_expiry(CARD).await?;
        browser.find(Css("#pay")).await?.click().await?;
        browser.wait_for("return document.querySelector('#received') !== null").await?;
        let posts = posts.lock().unwrap().clone();
        let token = posts[0].strip_prefix("card_token=").unwrap();
        assert!(is_kept(sandbox, token), "Thales has the typed card");
        Ok(())
    })
    .await
}

const CARD: TestCard = TestCard::VISA;

/// A stage whose merchant is connected with every vendor.
async fn with_vendors(test: impl AsyncFnOnce(&mut Stage, &Browser, &Sandbox) -> Result<()>) -> Result<()> {
    visit(async |stage, browser| {
        let sandbox = Sandbox::start().await?;
        stage.connect(&sandbox)?;
        test(stage, browser, &sandbox).await
    })
    .await
}

/// Types the card, pays, and gives the token.
async fn buy(stage: &Stage, browser: &Browser, profile: &str) -> Result<String> {
    let checkout = Checkout::open_for(browser, &stage.shop_url()?, profile).await?;
    if profile.starts_with("thales") {
        // The form has no other fields: they would go nowhere.
        assert!(checkout.input(CardField::SecurityCode).await.is_err());
        checkout.type_number_and_expiry(CARD).await?;
    } else {
        checkout.type_card(CARD).await?;
    }
    checkout.pay().await?;
    assert_eq!(checkout.receipt().await?, "paid");
    let token = "return document.querySelector('#order-token').textContent.trim()";
    Ok(browser.run(token, vec![]).await?.as_str().unwrap().into())
}

/// Whether the typed card is behind a PCI token.
fn is_kept(sandbox: &Sandbox, token: &str) -> bool {
    matches!(sandbox.thales_pci.token(token), Some(Token::Active(card)) if card.fpan == CARD.number && card.exp == "1230")
}

async fn use_again(browser: &Browser) -> Result<()> {
    browser.find(Css("#use-again")).await?.click().await?;
    browser.wait_for("return document.querySelectorAll('#order-uses li').length > 1").await?;
    Ok(())
}

/// What was done with the token, by the receipt.
async fn uses(browser: &Browser) -> Result<Vec<String>> {
    let uses = "return [...document.querySelectorAll('#order-uses li')].map((use) => use.dataset.use)";
    Ok(serde_json::from_value(browser.run(uses, vec![]).await?)?)
}

/// The vendor got seals and no card, with a client's certificate, and nobody on the way kept one.
fn passed_on_unread(stage: &mut Stage, asked: &[Exchange]) -> Result<()> {
    assert!(asked.iter().any(|exchange| exchange.body.contains("\"ey")), "no seal came");
    for exchange in asked {
        assert!(exchange.client.is_some(), "{exchange:?}");
        assert!(!exchange.body.contains(CARD.number), "{exchange:?}");
    }
    nowhere(stage)
}

/// The card is in no file of vault and shop, neither while they run nor afterwards.
fn nowhere(stage: &mut Stage) -> Result<()> {
    let (mut traces, files) = evidence::search_files(CARD.number, stage.folder())?;
    assert!(files >= 5, "only {files} files: something was not looked into");
    stage.stop_vault();
    traces.extend(evidence::search_files(CARD.number, stage.folder())?.0);
    assert!(traces.is_empty(), "{traces:?}");
    Ok(())
}
