//! The whole chain: a page's script leads the keystrokes out of the number, into the name that the token would give back, and
//! finds the rest by asking the vault for cards that it guesses. Stopped by the frame, which leads the caret out of no entry
//! that is half way, by names that have no parts of numbers, and by a vault that tells a public key of no card anything by
//! which it is found again.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use cardseal_e2e::{CardField, TestCard, visit};
use serde_json::{Value, json};

use super::person::{Person, serve};

/// One whose digits tell where in the number they stand.
const CARD: TestCard = TestCard { number: "4988438843884305", ..TestCard::VISA };

#[tokio::test]
async fn a_page_that_does_all_it_may_in_ten_visits_has_the_scheme_and_the_last_four() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser)?;
        browser.goto(&page.site.url()).await?;
        let plans = browser.run("return thief.plans", vec![]).await?;
        let plans: Vec<String> = serde_json::from_value(plans)?;
        assert_eq!(plans.len(), 10, "a plan a visit");
        let mut learned = Learned::default();
        for plan in &plans {
            browser.goto(&page.site.url()).await?;
            page.mount().await?;
            let mut person = Person::at(&page);
            person.page("thief.start(card, given[0])", &[json!(plan)]).await?;
            person.type_into(CardField::Number, CARD.number).await.context(plan.clone())?;
            // Once the number has a digit, none that comes after it is anywhere else. Before the first, a page may lead to the
            // name, or disable the number; and what is typed into the name then is no name.
            let name = person.form.shown(CardField::Name).await?.text;
            let number = person.form.shown(CardField::Number).await?.text.replace(' ', "");
            let is_before = if number.is_empty() { CARD.number.contains(&name) } else { CARD.number.starts_with(&name) };
            assert!(is_before, "{plan}: keys of the number have come into the name: {name}, {number}");
            // The person has had enough of it, and the script lets them go on, so that it gets its token.
            person
                .page("thief.stop(); return card.update({ disabled: false, appearance: {}, texts: {}, locale: 'en' })", &[])
                .await?;
            // What the page wanted changed meanwhile happens when a field is left; so they look twice.
            for _ in 0..2 {
                for (field, shown, keys) in [
                    (CardField::Number, "4988 4388 4388 4305", CARD.number),
                    (CardField::Expiry, "12 / 30", CARD.expiry),
                    (CardField::SecurityCode, CARD.security_code, CARD.security_code),
                    (CardField::Name, CARD.name, CARD.name),
                ] {
                    person.set_right(field, shown, keys).await.context(plan.clone())?;
                }
            }
            let ports = plan != "goes to the field's place";
            if ports {
                let token = person.page("return card.tokenize()", &[]).await?;
                let id = token["id"].as_str().with_context(|| format!("{plan}: {token}"))?.to_owned();
                learned.take(plan, "token", &token);
                let ask = "return thief.ask(given[0], given[1], given[2])";
                let told = person.page(ask, &[json!(page.vault), json!(page.public_key), json!(id)]).await?;
                for told in told.as_array().context("answers")? {
                    learned.take(plan, told[0].as_str().unwrap_or_default(), &told[1]);
                }
            }
            let haul = person.page("return thief.haul", &[]).await?;
            for noted in haul.as_array().context("a haul")? {
                learned.take(plan, noted[0].as_str().unwrap_or_default(), &noted[1]);
            }
        }
        learned.is_scheme_and_last_four()
    })
    .await
}

/// What the page has, of all visits.
#[derive(Default)]
struct Learned {
    /// Texts in which there were digits of the number, by where they were.
    digits: BTreeSet<String>,
    brands: BTreeSet<String>,
    last: BTreeSet<String>,
    /// What the vault told of the right and of a wrong guess, but for what the page had put into it.
    guesses: [BTreeSet<String>; 2],
    events: usize,
}

impl Learned {
    fn take(&mut self, plan: &str, channel: &str, told: &Value) {
        self.events += 1;
        match channel {
            "the right guess" => drop(self.guesses[0].insert(shape(told))),
            "a wrong guess" => drop(self.guesses[1].insert(shape(told))),
            // Its own digits: how high a form is.
            "height" => {}
            _ => self.search(plan, channel, told),
        }
    }

    fn search(&mut self, plan: &str, channel: &str, told: &Value) {
        match told {
            Value::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), value) {
                        ("brand", Value::String(brand)) => drop(self.brands.insert(brand.to_lowercase())),
                        ("last_digits", Value::String(last)) => drop(self.last.insert(last.clone())),
                        // What the page knows, what is random, and what it was made for.
                        ("id" | "location" | "created_at" | "status" | "correlationId", _) => {}
                        ("expiration_month" | "expiration_year" | "object" | "livemode" | "used", _) => {}
                        _ => self.search(plan, &format!("{channel}, {name}"), value),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.search(plan, channel, value)),
            Value::String(text) if text.contains(|c: char| c.is_numeric()) => {
                self.digits.insert(format!("{plan}: {channel}: {text}"));
            }
            Value::Number(number) => drop(self.digits.insert(format!("{plan}: {channel}: {number}"))),
            Value::String(_) | Value::Null | Value::Bool(_) => {}
        }
    }

    fn is_scheme_and_last_four(&self) -> Result<()> {
        assert!(self.events > 200, "the page did listen: {}", self.events);
        assert_eq!(self.digits, BTreeSet::new(), "digits that the page was told");
        assert_eq!(self.brands, BTreeSet::from(["visa".to_owned()]));
        assert_eq!(
            self.last,
            BTreeSet::from([CARD.number[12..].to_owned()]),
            "of no shorter number there was a token"
        );
        let [right, wrong] = &self.guesses;
        assert!(!right.is_empty());
        assert_eq!(right, wrong, "a guess is told from another");
        Ok(())
    }
}

/// An answer without what differs from token to token, and without the four digits that the page itself has sent.
fn shape(answer: &Value) -> String {
    let mut answer = answer.clone();
    for pointer in ["/id", "/location", "/created_at", "/card/id", "/card/created_at", "/card/last_digits"] {
        if let Some(value) = answer.pointer_mut(pointer) {
            *value = Value::Null;
        }
    }
    answer.to_string()
}
