//! A page that infers digits, or how many there are, from what it is told and when: by events, by heights of complaints that it
//! words itself, by asking for tokens after each key. Stopped by what is told of a number that is being typed: that it was
//! begun, and that it is whole.

use anyhow::{Context as _, Result};
use cardseal_e2e::{CardField, Page, TestCard, visit};
use serde_json::{Value, json};

use super::person::{Person, serve};

const TAB: &str = "\u{E004}";

/// Published test numbers of brands that the first digit, two, four or six tell, of several lengths.
const NUMBERS: [(&str, &str, Told); 9] = [
    ("4242424242424242", "visa", Told::AtTheLastDigit),
    ("4571000000000001", "dankort", Told::AtTheLastDigit),
    ("5066991111111118", "elo", Told::AtTheLastDigit),
    ("5555555555554444", "mastercard", Told::AtTheLastDigit),
    ("378282246310005", "amex", Told::AtTheLastDigit),
    ("3530111333300000", "jcb", Told::AtTheLastDigit),
    // These may go on.
    ("6759649826438453", "maestro", Told::WhenItIsLeft),
    ("30569309025904", "diners", Told::WhenItIsLeft),
    ("4222222222222", "visa", Told::WhenItIsLeft),
];

#[derive(Clone, Copy, PartialEq)]
enum Told {
    AtTheLastDigit,
    WhenItIsLeft,
}

/// Everything that the page hears or sees, as it comes.
const RECORD: &str = "window.record = [];
    for (const name of ['change', 'focus', 'blur', 'submit', 'escape', 'error']) {
        card.on(name, (detail) => record.push([name, name === 'error' ? detail.code : detail]));
    }
    const iframe = document.querySelector('#card iframe');
    let { height } = iframe.style;
    new MutationObserver(() => {
        if (iframe.style.height !== height) record.push(['height', (height = iframe.style.height)]);
    }).observe(iframe, { attributes: true });";

/// What has been recorded since the last time, once all that was on its way is there.
async fn recorded(page: &Page<'_>) -> Result<Value> {
    page.run("await card.update({}); await new Promise(requestAnimationFrame); return record.splice(0)").await
}

#[tokio::test]
async fn of_a_number_that_is_typed_a_page_hears_when_it_is_begun_and_when_it_is_whole() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser)?;
        for (number, brand, when) in NUMBERS {
            browser.goto(&page.site.url()).await?;
            page.mount().await?;
            let person = Person::at(&page);
            // Complaints of different heights, to tell them by.
            page.run(
                "await card.update({ texts: { number_incomplete: '', number_invalid: 'wrong '.repeat(300),
                    number_unknown_brand: 'unknown '.repeat(600), security_code_invalid: 'wrong '.repeat(900),
                    security_code_incomplete: 'short '.repeat(1200) } })",
            )
            .await?;
            // A code that fits some brands, left, so that it may be complained about.
            person.form.type_into(CardField::SecurityCode, "123").await?;
            person.form.press(TAB).await?;
            page.run(RECORD).await?;
            person.form.input(CardField::Number).await?.click().await?;
            recorded(&page).await?;
            let state = |number: Value, brand: Option<&str>| {
                let mut state = json!({
                    "complete": false, "empty": false,
                    "fields": {
                        "number": number, "expiry": { "status": "empty" },
                        "security_code": { "status": "valid" }, "name": { "status": "empty" },
                    },
                });
                if let Some(brand) = brand {
                    state["brand"] = brand.into();
                }
                json!(["change", state])
            };
            let begun = state(json!({ "status": "incomplete" }), None);
            for (at, key) in number.chars().enumerate() {
                person.form.find("body").await?;
                person.form.press(&key.to_string()).await?;
                let heard = recorded(&page).await?;
                if at == 0 {
                    assert_eq!(heard, json!([begun]), "{number}");
                } else if at + 1 < number.len() || when == Told::WhenItIsLeft {
                    assert_eq!(heard, json!([]), "{number}: key {at}");
                } else {
                    let heard = heard.as_array().context("a list")?;
                    assert_eq!(heard[0][1]["fields"]["number"], json!({ "status": "valid" }), "{number}");
                    assert_eq!(heard[0][1]["brand"], brand, "{number}");
                }
            }
            person.form.find("body").await?;
            person.form.press(TAB).await?;
            let heard = recorded(&page).await?;
            if when == Told::WhenItIsLeft {
                assert_eq!(
                    heard[0][1]["fields"]["number"],
                    json!({ "status": "valid" }),
                    "{number}: {heard}"
                );
                assert_eq!(heard[0][1]["brand"], brand, "{number}: {heard}");
            }
        }
        Ok(())
    })
    .await
}

/// A submit is the page's to ask for. Of a number that may go on, it would make the token of another, with its last four.
#[tokio::test]
async fn a_page_that_submits_after_each_key_gets_no_token_of_a_shorter_number() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser)?;
        for number in ["4222222222222", "6759649826438453", "4242424242424242"] {
            browser.goto(&page.site.url()).await?;
            page.mount_as("hosted", "{ fields: ['expiry', 'security_code', 'name', 'number'] }").await?;
            let person = Person::at(&page);
            for (field, keys) in [
                (CardField::Expiry, TestCard::VISA.expiry),
                (CardField::SecurityCode, TestCard::VISA.security_code),
                (CardField::Name, TestCard::VISA.name),
            ] {
                person.form.type_into(field, keys).await?;
            }
            person.form.input(CardField::Number).await?.click().await?;
            let ask = "const { code, field, reason } = (await failure(card.tokenize())) ?? {};
                return [code, field, reason, await card.reportValidity(), state.brand]";
            for (at, key) in number.chars().enumerate() {
                person.form.find("body").await?;
                person.form.press(&key.to_string()).await?;
                if at + 1 == number.len() && number.starts_with("4242") {
                    continue;
                }
                let told = page.run(ask).await?;
                assert_eq!(
                    told,
                    json!(["incomplete_card", "number", null, false, null]),
                    "{number}: key {at}"
                );
                assert_eq!(person.caret().await?.as_deref(), Some("number"), "{number}: key {at}");
            }
            // Enter is the person's word for it.
            person.form.find("body").await?;
            person.form.press("\u{E007}").await?;
            let token = page.run("return card.tokenize()").await?;
            assert_eq!(token["card"]["last_digits"], number[number.len() - 4..], "{token}");
        }
        Ok(())
    })
    .await
}

/// Nor of one that was taken away from the person half way.
#[tokio::test]
async fn a_page_that_takes_the_focus_at_each_key_hears_no_more() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser)?;
        for number in ["4222222222222", "9999999999999", "5066991111111118"] {
            browser.goto(&page.site.url()).await?;
            page.mount().await?;
            let person = Person::at(&page);
            page.run(RECORD).await?;
            let mut told = Vec::new();
            for key in number.chars().take(13) {
                person.form.input(CardField::Number).await?.click().await?;
                person.form.press("\u{E010}").await?;
                person.form.press(&key.to_string()).await?;
                page.run("document.querySelector('#own').focus()").await?;
                browser.wait_for("return document.activeElement.id === 'own'").await?;
                let all = recorded(&page).await?;
                told.extend(
                    all.as_array().context("a list")?.iter().filter(|each| each[0] == "change").cloned(),
                );
            }
            assert_eq!(told.len(), 1, "{number}: {told:?}");
            assert_eq!(told[0][1]["fields"]["number"], json!({ "status": "incomplete" }));
            assert_eq!(told[0][1].get("brand"), None);
        }
        Ok(())
    })
    .await
}
