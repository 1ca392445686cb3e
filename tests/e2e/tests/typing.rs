//! What the fields do under a person's fingers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use anyhow::Result;
use cardseal_e2e::{CardField, Checkout, Shown, TestCard, visit};
use fantoccini::Locator::Css;

const BACKSPACE: &str = "\u{E003}";
const DELETE: &str = "\u{E017}";
const TAB: &str = "\u{E004}";

fn shown(marked: &str) -> Shown {
    Shown { caret: marked.find('|').unwrap() as u64, text: marked.replace('|', "") }
}

#[tokio::test]
async fn the_caret_stays_where_the_person_left_it() -> Result<()> {
    visit(async |stage, browser| {
        for shop in stage.shops()? {
            let checkout = Checkout::open(browser, &shop).await?;
            let number = CardField::Number;

            checkout.type_into(number, "42424242").await?;
            assert_eq!(checkout.shown(number).await?, shown("4242 4242|"));
            assert_eq!(checkout.brand().await?, "Visa");

            checkout.select(number, 2, 2).await?;
            checkout.press("99").await?;
            assert_eq!(
                checkout.shown(number).await?,
                shown("4299 |4242 42"),
                "inserted in the middle, up to a gap"
            );
            checkout.press(BACKSPACE).await?;
            assert_eq!(checkout.shown(number).await?, shown("429|4 2424 2"), "deleted over the gap");
            checkout.press(BACKSPACE).await?;
            assert_eq!(checkout.shown(number).await?, shown("42|42 4242"));

            checkout.select(number, 4, 4).await?;
            checkout.press(DELETE).await?;
            assert_eq!(checkout.shown(number).await?, shown("4242| 242"), "deleted forward over the gap");

            checkout.select(number, 0, 6).await?;
            checkout.press("5").await?;
            assert_eq!(checkout.shown(number).await?, shown("5|42"), "typed over a selection");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pasted_number_replaces_the_selection() -> Result<()> {
    visit(async |stage, browser| {
        for shop in stage.shops()? {
            let checkout = Checkout::open(browser, &shop).await?;
            let number = CardField::Number;

            // Copied the way a person does it: from another field.
            let email = browser.find(Css("#email")).await?;
            email.click().await?;
            checkout.press_with_control('a').await?;
            checkout.press(" 3782-822463-10005 ").await?;
            checkout.press_with_control('a').await?;
            checkout.press_with_control('c').await?;

            checkout.type_into(number, "4242 4242 4242 4242").await?;
            checkout.press_with_control('a').await?;
            checkout.press_with_control('v').await?;
            assert_eq!(checkout.shown(number).await?, shown("3782 822463 10005|"));
            assert_eq!(checkout.brand().await?, "American Express");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_expiry_takes_shape_as_it_is_typed() -> Result<()> {
    visit(async |stage, browser| {
        for shop in stage.shops()? {
            let checkout = Checkout::open(browser, &shop).await?;
            let expiry = CardField::Expiry;
            for (keys, marked) in [
                ("4", "04 / |"),
                ("1/", "01 / |"),
                ("13", "01 / 3|"),
                ("12", "12 / |"),
                ("1230", "12 / 30|"),
                ("12/2030", "12 / 2030|"),
                ("１２３０", "12 / 30|"),
            ] {
                checkout.select(expiry, 0, 99).await?;
                checkout.press(BACKSPACE).await?;
                checkout.press(keys).await?;
                assert_eq!(checkout.shown(expiry).await?, shown(marked), "{keys}");
            }
            checkout.select(expiry, 0, 99).await?;
            checkout.press(BACKSPACE).await?;
            checkout.press("12").await?;
            checkout.press(BACKSPACE).await?;
            assert_eq!(checkout.shown(expiry).await?, shown("1|"));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn tab_goes_through_the_fields_in_order_and_back() -> Result<()> {
    visit(async |stage, browser| {
        for shop in stage.shops()? {
            let checkout = Checkout::open(browser, &shop).await?;
            let card = TestCard::VISA;
            checkout.type_into(CardField::Number, card.number).await?;
            for keys in [card.expiry, card.security_code, card.name] {
                checkout.press(TAB).await?;
                checkout.press(keys).await?;
            }
            let texts = ["4242 4242 4242 4242", "12 / 30", "123", card.name];
            for (field, text) in CardField::ALL.into_iter().zip(texts) {
                assert_eq!(checkout.shown(field).await?.text, text, "{field:?}");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_mistake_is_told_after_the_field_is_left_and_taken_back_when_it_is_mended() -> Result<()> {
    visit(async |stage, browser| {
        for shop in stage.shops()? {
            let checkout = Checkout::open(browser, &shop).await?;
            let number = CardField::Number;

            checkout.type_into(number, "4242424242424241").await?;
            assert_eq!(checkout.complaint(number).await?, "", "not while the person is typing");
            checkout.press(TAB).await?;
            assert_eq!(checkout.complaint(number).await?, "Your card number is not right. Please check it.");
            let input = checkout.input(number).await?;
            assert_eq!(input.attr("aria-invalid").await?.as_deref(), Some("true"));
            let described_by = input.attr("aria-describedby").await?.unwrap();
            assert_eq!(described_by, "number-complaint", "a screen reader finds the complaint");

            checkout.input(number).await?.click().await?;
            checkout.select(number, 19, 19).await?;
            checkout.press(BACKSPACE).await?;
            checkout.press("2").await?;
            assert_eq!(checkout.complaint(number).await?, "", "gone as soon as it is right");
            assert_eq!(checkout.input(number).await?.attr("aria-invalid").await?.as_deref(), Some("false"));

            checkout.type_into(CardField::Name, "4242 4242 4242 4242").await?;
            checkout.press(TAB).await?;
            assert!(
                checkout.complaint(CardField::Name).await?.contains("card number"),
                "a number in the wrong field"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn passing_through_empty_fields_is_no_mistake() -> Result<()> {
    visit(async |stage, browser| {
        for shop in stage.shops()? {
            let checkout = Checkout::open(browser, &shop).await?;
            checkout.input(CardField::Number).await?.click().await?;
            for _ in 0..4 {
                checkout.press(TAB).await?;
            }
            for field in CardField::ALL {
                assert_eq!(checkout.complaint(field).await?, "", "{field:?}");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_form_tells_browsers_and_telephones_what_each_field_is() -> Result<()> {
    visit(async |stage, browser| {
        for shop in stage.shops()? {
            let checkout = Checkout::open(browser, &shop).await?;
            for (field, autocomplete, inputmode) in [
                (CardField::Number, "cc-number", "numeric"),
                (CardField::Expiry, "cc-exp", "numeric"),
                (CardField::SecurityCode, "cc-csc", "numeric"),
                (CardField::Name, "cc-name", "text"),
            ] {
                let input = checkout.input(field).await?;
                assert_eq!(input.attr("autocomplete").await?.as_deref(), Some(autocomplete));
                assert_eq!(input.attr("inputmode").await?.as_deref(), Some(inputmode));
                assert_eq!(
                    input.attr("name").await?,
                    None,
                    "an input without a name is part of no form's data"
                );
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_page_cannot_reach_what_was_typed_into_it() -> Result<()> {
    visit(async |stage, browser| {
    let checkout = Checkout::open(browser, &stage.inline_shop_url()?).await?;
    checkout.type_card(TestCard::VISA).await?;
    let script = "
        const host = document.querySelector('#card > div');
        const data = [...new FormData(document.querySelector('#checkout'))].flat().join(' ');
        return [host.shadowRoot, document.activeElement === host, data + document.documentElement.innerHTML];";
    let seen = browser.run(script, vec![]).await?;
    assert!(seen[0].is_null(), "the shadow root is closed");
    assert_eq!(seen[1], true, "the focused element is the host, from outside");
    // The page itself lists the number among its test cards, in groups; typed it has none.
    assert!(!seen[2].as_str().unwrap().contains(TestCard::VISA.number));
        Ok(())
    }).await
}

#[tokio::test]
async fn no_listener_of_the_page_hears_a_digit_by_accident() -> Result<()> {
    visit(async |stage, browser| {
        for shop in stage.shops()? {
 let checkout = Checkout::open(browser, &shop).await?;
        let listen = "
            document.activeElement.blur();  // The page's own field has its change now, not when it is left.
            window.heard = [];
            for (const name of ['beforeinput', 'input', 'keydown', 'keypress', 'keyup', 'paste', 'copy', 'change']) {
                document.addEventListener(name, (event) => heard.push(event.key ?? event.data ?? name));
            }";
        browser.run(listen, vec![]).await?;
        checkout.type_into(CardField::Number, TestCard::VISA.number).await?;
        checkout.press_with_control('a').await?;
        checkout.press_with_control('c').await?;
        checkout.press_with_control('v').await?;
        checkout.press(TAB).await?;
        let heard = browser.run("return heard.join(' ')", vec![]).await?;
        let heard = heard.as_str().unwrap();
        // Of a form in a frame the page hears nothing at all.
            let in_page = shop == stage.inline_shop_url()?;
            assert_eq!(heard.contains("Tab"), in_page, "the page may know of Tab, and does listen: {heard:?}");
            assert_eq!(heard.is_empty(), !in_page, "{heard:?}");
        assert!(!heard.contains(|c: char| c.is_ascii_digit()), "{heard:?}");
        assert!(!heard.contains("paste") && !heard.contains("input"), "{heard:?}");
        }
Ok(())
    })
    .await
}

#[tokio::test]
async fn a_japanese_cardholder_reads_japanese_and_types_full_width_digits() -> Result<()> {
    visit(async |stage, browser| {
        let shop = stage.shop_url()?;
        browser.goto(&format!("{shop}/?lang=ja")).await?;
        let checkout = Checkout::open(browser, &shop).await?;
        checkout.type_into(CardField::Number, "４２４２４２４２４２４２４２４１").await?;
        assert_eq!(checkout.shown(CardField::Number).await?, shown("4242 4242 4242 4241|"));
        checkout.press(TAB).await?;
        assert_eq!(
            checkout.complaint(CardField::Number).await?,
            "カード番号が正しくありません。もう一度ご確認ください。"
        );
        Ok(())
    })
    .await
}
