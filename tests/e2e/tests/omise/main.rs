//! Pages that were made for Omise.js, with the address of their script changed and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod pop_up;
mod shop;

use std::fs;

use anyhow::Result;
use cardseal_e2e::{Browser, Stage, TestCard, visit};
use fantoccini::Locator::Css;
use fantoccini::key::Key;
use serde_json::json;

use pop_up::{CardForm, click_at, press};
use shop::Shop;

/// The form with a script in it, from Omise's documents: no other script at all.
const SCRIPT_TAG: &str = include_str!("pages/script_tag.html");

/// A button of the page's own, from the same documents: the page puts the nonce into its form, and sends it.
const OWN_BUTTON: &str = include_str!("pages/own_button.html");

/// What happens, in words, for tests to look at. The page itself stays.
const LISTENING: &str = include_str!("pages/listening.html");

/// The old way, with the scripts in the head: two buttons in one form, and one that stands outside of its form.
const BUTTONS: &str = include_str!("pages/buttons.html");

/// Fields of the page's own, without names, from the oldest documents.
const OWN_FIELDS: &str = include_str!("pages/own_fields.html");

/// A form in the page, set up as Omise's plug-in for WooCommerce does it.
const SECURE_FORM: &str = include_str!("pages/secure_form.html");

const PAGES: [(&str, &str); 6] = [
    ("/script-tag", SCRIPT_TAG),
    ("/own-button", OWN_BUTTON),
    ("/listening", LISTENING),
    ("/buttons", BUTTONS),
    ("/own-fields", OWN_FIELDS),
    ("/secure-form", SECURE_FORM),
];

/// How many tokens the vault has made.
fn tokens(stage: &Stage) -> usize {
    let log = fs::read_to_string(stage.folder().join("vault.log")).unwrap();
    log.lines().filter(|line| line.contains(r#"method="POST" route="/tokens" status=200"#)).count()
}

#[tokio::test]
async fn a_script_tag_in_a_form_is_a_checkout() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, &PAGES)?;
        browser.goto(&format!("{}/script-tag", shop.url)).await?;
        let button = browser.find(Css(".omise-checkout-button")).await?;
        assert_eq!(button.text().await?, "Buy tea");
        button.click().await?;
        let form = CardForm::pop_up(browser).await?;
        assert_eq!(form.says(".label").await?, "Tea House");
        form.type_card(TestCard::VISA).await?;
        assert_eq!(form.payable().await?.text().await?.replace('\u{a0}', " "), "Pay THB 123.45");
        form.pay().await?;
        browser.wait_for("return document.querySelector('#received') !== null").await?;
        let received = shop.received();
        assert!(received.starts_with("/charge order=1024&omiseToken=tokn_test_"), "{received}");
        assert!(received.ends_with("&omiseSource="), "{received}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_button_of_the_pages_own_opens_the_pop_up_and_the_page_gets_the_nonce() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, &PAGES)?;
        browser.goto(&format!("{}/own-button", shop.url)).await?;
        browser.find(Css("#checkoutButton")).await?.click().await?;
        let form = CardForm::pop_up(browser).await?;
        form.type_card(TestCard::JCB).await?;
        assert_eq!(form.payable().await?.text().await?, "Pay ¥12,345");
        // Enter in a field pays.
        form.field("name").await?;
        press(browser, Key::Enter).await?;
        browser.wait_for("return document.querySelector('#received') !== null").await?;
        let received = shop.received();
        assert!(received.starts_with("/charge omiseToken=tokn_test_"), "{received}");
        assert!(received.ends_with("&omiseSource="), "{received}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_way_of_closing_tells_the_page_once_and_gives_the_focus_back() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, &PAGES)?;
        let told = async || browser.run("return told.join()", vec![]).await;
        let has_focus_back = async || browser.run("return document.activeElement.id", vec![]).await;
        for way in ["button", "escape", "escape in the frame", "backdrop", "close()", "destroy()", "paid"] {
            let form = open(browser, &shop).await?;
            // The first field has the focus by itself.
            form.wait_inside("return document.activeElement.id === 'number' && document.hasFocus()").await?;
            match way {
                "button" => form.part(".close").await?.click().await?,
                "escape" => {
                    // By Tab from the last field on.
                    form.field("name").await?.click().await?;
                    press(browser, Key::Tab).await?;
                    browser.enter_parent_frame().await?;
                    press(browser, Key::Escape).await?;
                }
                // The frame is gone before the key is up again, of which a driver may complain.
                "escape in the frame" => drop(press(browser, Key::Escape).await),
                "backdrop" => click_at(browser, (20., 300.), 1).await?,
                "close()" => {
                    assert_eq!(
                        browser.run("return OmiseCard.close(() => told.push('called back'))", vec![]).await?,
                        true
                    );
                }
                "destroy()" => drop(browser.run("OmiseCard.destroy()", vec![]).await?),
                _ => {
                    form.type_card(TestCard::VISA).await?;
                    form.pay().await?;
                }
            }
            form.gone().await?;
            browser.wait_for("return told.includes('closed')").await?;
            // Closing what is closed tells nothing.
            browser.run("OmiseCard.close()", vec![]).await?;
            let expected = match way {
                "close()" => "called back,closed",
                "paid" => "token,closed",
                _ => "closed",
            };
            assert_eq!(told().await?, expected, "{way}");
            assert_eq!(has_focus_back().await?, "checkoutButton", "{way}");
        }
        for removal in
            ["document.querySelector('[data-cardseal]').remove()", "document.body.replaceChildren()"]
        {
            open(browser, &shop).await?;
            browser.run(removal, vec![]).await?;
            browser.wait_for("return told.includes('closed')").await?;
            browser.run("OmiseCard.close()", vec![]).await?;
            assert_eq!(told().await?, "closed", "{removal}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_pop_up_keeps_the_focus_and_clicks_that_are_not_beside_it() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, &PAGES)?;
        let form = open(browser, &shop).await?;
        form.part(".label").await?.click().await?;
        for _ in 0..12 {
            press(browser, Key::Tab).await?;
            let outside = "return document.activeElement.id === 'checkoutButton'";
            assert_eq!(browser.run(outside, vec![]).await?, false);
        }
        assert_eq!(browser.run("return told.join()", vec![]).await?, "");
        // What is defined is what Omise.js defines, however often the script is there.
        assert_eq!(browser.run("return defined.join()", vec![]).await?, "Omise,OmiseCard");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn impatience_makes_one_token_and_one_pop_up() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, &PAGES)?;
        browser.goto(&format!("{}/listening", shop.url)).await?;
        let twice = "OmiseCard.open({ onFormClosed: () => told.push('first') });
            return OmiseCard.open({ amount: 100, currency: 'JPY' }, () => told.push('opened'));";
        assert_eq!(browser.run(twice, vec![]).await?, true);
        let form = CardForm::pop_up(browser).await?;
        form.type_card(TestCard::VISA).await?;
        let button = form.payable().await?;
        assert_eq!(button.text().await?, "Pay ¥100");
        let (x, y, width, height) = button.rectangle().await?;
        click_at(browser, ((x + width / 2.).round(), (y + height / 2.).round()), 3).await?;
        form.gone().await?;
        browser.wait_for("return told.includes('closed')").await?;
        assert_eq!(browser.run("return told.join()", vec![]).await?, "opened,token,closed");
        assert_eq!(tokens(stage), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn configured_buttons_send_their_forms() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, &PAGES)?;
        for (selector, label, headline, submit, received) in [
            ("#checkout-button-1", "Checkout one", "One", "PAY RIGHT NOW THB 995.00", "/charge submit="),
            (".checkout-button-2", "Pay it", "Two", "Pay THB 995.00", "/charge submit="),
            (
                "#checkout-button-3",
                "Pay with Omise",
                "Omise",
                "Pay",
                "/elsewhere order=7&omiseToken=tokn_test_",
            ),
        ] {
            browser.goto(&format!("{}/buttons", shop.url)).await?;
            let button = browser.find(Css(selector)).await?;
            assert_eq!(button.text().await?, label);
            button.click().await?;
            let form = CardForm::pop_up(browser).await?;
            assert_eq!(form.says(".label").await?, headline);
            form.type_card(TestCard::VISA).await?;
            assert_eq!(form.payable().await?.text().await?.replace('\u{a0}', " "), submit);
            form.pay().await?;
            browser.wait_for("return document.querySelector('#received') !== null").await?;
            assert!(shop.received().starts_with(received), "{}", shop.received());
            assert!(shop.received().contains("&omiseToken=tokn_test_"), "{}", shop.received());
        }
        browser.goto(&format!("{}/buttons", shop.url)).await?;
        browser.find(Css("#checkout-button-4")).await?.click().await?;
        let form = CardForm::pop_up(browser).await?;
        form.type_card(TestCard::VISA).await?;
        form.pay().await?;
        browser.wait_for("return window.told?.startsWith('tokn_test_')").await?;
        let put = "return document.querySelector('[name=omiseToken]').value === told";
        assert_eq!(browser.run(put, vec![]).await?, true, "the form has it and is not sent");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn fields_of_the_pages_own_become_a_token() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, &PAGES)?;
        browser.goto(&format!("{}/own-fields", shop.url)).await?;
        let number = browser.find(Css("[data-omise=number]")).await?;
        let submit = browser.find(Css("#create_token")).await?;
        submit.click().await?;
        let error = "return document.querySelector('#token_errors').textContent";
        browser.wait_for(error).await?;
        let blank = "400 invalid_card number can't be blank and brand not supported (unknown)";
        assert_eq!(browser.run(error, vec![]).await?, blank);
        number.send_keys("4242 4242 4242 4241").await?;
        submit.click().await?;
        browser.wait_for(&format!("{error} === '400 invalid_card number is invalid'")).await?;
        number.send_keys(&format!("{}2", char::from(Key::Backspace))).await?;
        submit.click().await?;
        browser.wait_for("return document.querySelector('#received') !== null").await?;
        assert!(shop.received().starts_with("/charge omise_token=tokn_test_"), "{}", shop.received());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_form_in_the_page_gives_a_token_when_it_is_asked() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, &PAGES)?;
        browser.goto(&format!("{}/secure-form", shop.url)).await?;
        let form = CardForm::in_page(browser).await?;
        form.ready().await?;
        let place_order = browser.find(Css("#place_order")).await?;
        place_order.click().await?;
        browser.wait_for("return told.length === 1").await?;
        assert_eq!(browser.run("return told[0]", vec![]).await?, "カード情報をご確認ください。");
        form.type_card(TestCard::VISA).await?;
        form.part("input[type=checkbox]").await?.click().await?;
        // Twice: the second finds it busy.
        browser.run("place_order.click(); place_order.click()", vec![]).await?;
        browser.wait_for("return told.length === 2").await?;
        let payload = browser.run("return told[1]", vec![]).await?;
        assert_eq!(payload["remember"], true);
        assert!(payload["token"].as_str().unwrap().starts_with("tokn_test_"), "{payload}");
        assert_eq!(tokens(stage), 1);
        form.field("number").await?;
        let looks = "const { color, fontSize } = getComputedStyle(document.querySelector('form'));
            const box = getComputedStyle(document.querySelector('.box'));
            return [color, fontSize, box.borderTopLeftRadius, box.backgroundColor]";
        // A text is not seen through: what the page asked for is white, mixed with the black of the box.
        let expected = json!(["rgb(204, 204, 204)", "18px", "4px", "rgb(0, 0, 0)"]);
        assert_eq!(browser.execute(looks, vec![]).await?, expected);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_words_and_may_be_tried_again() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, &PAGES)?;
        let form = open(browser, &shop).await?;
        form.type_card(TestCard { number: "4242424242424241", ..TestCard::VISA }).await?;
        form.pay().await?;
        // The form itself says what is wrong with a field.
        form.wait_inside(
            "return document.querySelector('#number-complaint').textContent.includes('card number')",
        )
        .await?;
        assert_eq!(form.part(".problem").await?.text().await?, "");
        form.field("number").await?.send_keys(&format!("{}2", char::from(Key::Backspace))).await?;
        stage.stop_vault();
        form.pay().await?;
        assert_eq!(form.says(".problem").await?, "The payment service did not answer. Please try again.");
        stage.start_vault()?;
        form.pay().await?;
        form.gone().await?;
        browser.wait_for("return told.join() === 'token,closed'").await?;

        browser.run("told.length = 0; OmiseCard.open({ publicKey: 'skey_test_1' })", vec![]).await?;
        let form = CardForm::pop_up(browser).await?;
        let broken = "Paying by card does not work here for now. Please tell the shop.";
        assert_eq!(form.says(".problem").await?, broken);
        form.part(".close").await?.click().await?;
        form.gone().await?;
        assert_eq!(browser.run("return told.join()", vec![]).await?, "closed");
        Ok(())
    })
    .await
}

/// The page that tells what happens, with its pop-up open.
async fn open<'a>(browser: &'a Browser, shop: &Shop) -> Result<CardForm<'a>> {
    browser.goto(&format!("{}/listening", shop.url)).await?;
    browser.find(Css("#checkoutButton")).await?.click().await?;
    let form = CardForm::pop_up(browser).await?;
    form.payable().await?;
    Ok(form)
}
