//! From the first key to the charge.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use anyhow::Result;
use cardseal_e2e::{CardField, Checkout, TestCard, evidence, visit};

#[tokio::test]
async fn a_typed_card_becomes_a_token_that_the_shop_charges() -> Result<()> {
    visit(async |stage, browser| {
        for shop in stage.shops()? {
            let checkout = Checkout::open(browser, &shop).await?;
            checkout.type_card(TestCard::VISA).await?;
            checkout.pay().await?;
            assert_eq!(checkout.receipt().await?, "paid");
            let token =
                browser.run("return document.querySelector('#order-token').textContent", vec![]).await?;
            assert!(token.as_str().unwrap().starts_with("tokn_test_"), "{token}");
            let card =
                browser.run("return document.querySelector('#order-card').textContent", vec![]).await?;
            assert!(card.as_str().unwrap().contains("4242"), "{card}");
        }
        Ok(())
    })
    .await
}

/// The whole point: nobody but the vault, and there only encrypted, holds the card.
#[tokio::test]
async fn the_card_is_nowhere_to_be_found_afterwards() -> Result<()> {
    visit(async |stage, browser| {
        let shop = stage.shop_url()?;
        let card = TestCard::JCB;
        let checkout = Checkout::open(browser, &shop).await?;
        checkout.type_card(card).await?;
        checkout.pay().await?;
        assert_eq!(checkout.receipt().await?, "paid");
        let receipt = browser.source().await?;
        browser.goto(&format!("{}/orders", stage.window_url()?)).await?;
        let record = browser.source().await?;

        // What is looked into must be what was written, or finding nothing would mean nothing.
        assert!(
            record.contains("card_token=tokn_test_"),
            "the shop's record has the request that brought the token"
        );
        assert!(record.contains(&card.number[12..]), "and the four digits that anyone may see");
        let received = std::fs::read_to_string(stage.folder().join("received.log"))?;
        assert!(received.contains("tokn_test_"), "so has its file");
        let log = std::fs::read_to_string(stage.folder().join("vault.log"))?;
        assert!(log.contains("/tokens"), "the vault logged the call");
        assert!(stage.folder().join("vault/vault.sqlite").metadata()?.len() > 0, "the vault has a database");

        let mut traces = evidence::search(card.number, "the receipt", receipt.as_bytes());
        traces.extend(evidence::search(card.number, "the shop's record", record.as_bytes()));
        // While the vault runs, with its write-ahead log, and after it has put everything away.
        let (running, files) = evidence::search_files(card.number, stage.folder())?;
        assert!(files >= 5, "only {files} files: something was not looked into");
        traces.extend(running);
        stage.stop_vault();
        traces.extend(evidence::search_files(card.number, stage.folder())?.0);
        assert_eq!(traces, []);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_declined_card_is_told_and_another_one_pays() -> Result<()> {
    visit(async |stage, browser| {
        let checkout = Checkout::open(browser, &stage.shop_url()?).await?;
        checkout.type_card(TestCard::POOR).await?;
        checkout.pay().await?;
        assert_eq!(checkout.receipt().await?, "declined");
        let code = browser.run("return document.querySelector('#failure').dataset.code", vec![]).await?;
        assert_eq!(code, "insufficient_fund");

        let again = browser.run("return document.querySelector('#another-card').href", vec![]).await?;
        let checkout = Checkout::enter(browser, again.as_str().unwrap()).await?;
        checkout.type_card(TestCard::VISA).await?;
        checkout.pay().await?;
        assert_eq!(checkout.receipt().await?, "paid");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn enter_in_a_card_field_pays() -> Result<()> {
    visit(async |stage, browser| {
        for shop in stage.shops()? {
            let checkout = Checkout::open(browser, &shop).await?;
            checkout.type_card(TestCard::VISA).await?;
            checkout.press("\u{E007}").await?;
            assert_eq!(checkout.receipt().await?, "paid");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn paying_with_an_incomplete_card_leads_to_the_field_and_sends_nothing() -> Result<()> {
    visit(async |stage, browser| {
        for shop in stage.shops()? {
            let checkout = Checkout::open(browser, &shop).await?;
            checkout.type_into(CardField::Number, TestCard::VISA.number).await?;
            // By Enter, so that the focus stays in the frame. After a click on the page's button and a change of the page's
            // layout, Chromium now and then loses a key that comes within some hundredths of a second.
            checkout.press("\u{E007}").await?;
            browser.wait_for("return document.querySelector('#payment-problem').textContent").await?;
            assert_eq!(checkout.complaint(CardField::Number).await?, "");
            for field in [CardField::Expiry, CardField::SecurityCode, CardField::Name] {
                assert!(!checkout.complaint(field).await?.is_empty(), "{field:?}");
            }
            // The keys that follow land in the first field that needs them.
            checkout.press("1230").await?;
            assert_eq!(checkout.shown(CardField::Expiry).await?.text, "12 / 30");
            let log = std::fs::read_to_string(stage.folder().join("vault.log"))?;
            assert!(!log.contains("POST"), "{log}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_vault_that_is_down_is_told_and_the_same_card_pays_when_it_is_back() -> Result<()> {
    visit(async |stage, browser| {
        for shop in stage.shops()? {
            let checkout = Checkout::open(browser, &shop).await?;
            checkout.type_card(TestCard::VISA).await?;
            stage.stop_vault();
            checkout.pay().await?;
            browser.wait_for("return document.querySelector('#payment-problem').textContent").await?;
            assert_eq!(checkout.shown(CardField::Number).await?.text, "4242 4242 4242 4242");
            stage.start_vault()?;
            checkout.pay().await?;
            assert_eq!(checkout.receipt().await?, "paid");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_double_click_pays_once() -> Result<()> {
    visit(async |stage, browser| {
        let shop = stage.shop_url()?;
        let checkout = Checkout::open(browser, &shop).await?;
        checkout.type_card(TestCard::VISA).await?;
        browser.run("const pay = document.querySelector('#pay'); pay.click(); pay.click();", vec![]).await?;
        assert_eq!(checkout.receipt().await?, "paid");
        let log = std::fs::read_to_string(stage.folder().join("vault.log"))?;
        let charges = log.lines().filter(|line| line.contains("POST") && line.contains("/charges")).count();
        assert_eq!(charges, 1, "{log}");
        Ok(())
    })
    .await
}
