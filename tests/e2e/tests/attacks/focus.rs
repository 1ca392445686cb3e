//! A page that wants keys elsewhere than where the person means them: it leads the caret out of a field, changes the field under
//! their hands, or takes the focus for itself. Stopped by the frame, which lets the page lead only where the person is not, and
//! says so when an entry has lost the focus half way. That it loses it, nothing stops.

use anyhow::Result;
use cardseal_e2e::{CardField, TestCard, visit};
use fantoccini::Locator::Css;
use serde_json::json;

use super::person::{Person, serve};

const TAB: &str = "\u{E004}";

/// What is said of the number, and whether it is marked as wrong.
async fn told(person: &Person<'_>) -> Result<(String, bool)> {
    let complaint = person.form.complaint(CardField::Number).await?;
    let invalid = person.form.input(CardField::Number).await?.attr("aria-invalid").await?;
    Ok((complaint, invalid.as_deref() == Some("true")))
}

#[tokio::test]
async fn half_a_number_that_lost_the_focus_says_so_and_is_marked_when_it_comes_back() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser)?;
        for (locale, words) in [
            ("en", include_str!("../../../../www/locales/en.json")),
            ("ja", include_str!("../../../../www/locales/ja.json")),
            ("th", include_str!("../../../../www/locales/th.json")),
        ] {
            browser.goto(&page.site.url()).await?;
            page.mount().await?;
            let words: serde_json::Value = serde_json::from_str(words)?;
            let mut person = Person::at(&page);
            // The page has no words of its own for it, whatever it says.
            let update = format!(
                "return card.update({{ locale: '{locale}', texts: {{ number_incomplete: 'Fine!' }} }})"
            );
            person.page(&update, &[]).await?;
            let hushed = "return card.update({ texts: { interrupted: '' } }).catch(() => {})";
            person.page(hushed, &[]).await?;

            person.type_into(CardField::Number, "4242").await?;
            assert_eq!(told(&person).await?, (String::new(), false));
            person.page("document.querySelector('#own').focus()", &[]).await?;
            browser.wait_for("return document.activeElement.id === 'own'").await?;
            let interrupted = words["interrupted"].as_str().unwrap().to_owned();
            assert_eq!(told(&person).await?, (interrupted.clone(), true), "{locale}");
            let region = person.form.find("#number-complaint").await?;
            assert_eq!(region.attr("aria-live").await?.as_deref(), Some("polite"));

            // Nowhere else, and there it is still marked.
            person.page("card.focus('name')", &[]).await?;
            assert_ne!(person.caret().await?.as_deref(), Some("name"));
            person.page("card.focus('number')", &[]).await?;
            while person.caret().await?.as_deref() != Some("number") {}
            assert_eq!(told(&person).await?, (interrupted, true), "{locale}");
            person.form.find("body").await?;
            person.form.press("424242424242").await?;
            assert_eq!(person.form.shown(CardField::Number).await?.text, "4242 4242 4242 4242");
            assert_eq!(told(&person).await?, (String::new(), false));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn whoever_leaves_half_a_number_themselves_hears_what_it_lacks() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser)?;
        browser.goto(&page.site.url()).await?;
        page.mount().await?;
        let mut person = Person::at(&page);
        person.type_into(CardField::Number, "4242").await?;
        person.form.press(TAB).await?;
        assert_eq!(told(&person).await?, ("Your card number is incomplete.".into(), true));
        person.form.input(CardField::Number).await?.click().await?;
        person.form.find("label[for=expiry]").await?.click().await?;
        assert_eq!(told(&person).await?, ("Your card number is incomplete.".into(), true));
        assert_eq!(person.caret().await?.as_deref(), Some("expiry"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_field_that_is_typed_into_is_not_changed_until_it_is_left() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser)?;
        browser.goto(&page.site.url()).await?;
        page.mount().await?;
        let mut person = Person::at(&page);
        person.type_into(CardField::Number, "42424").await?;
        let changes = "card.clear();
            return card.update({ disabled: true, appearance: { fontSize: 32 }, locale: 'ja', texts: { number_label: 'X' } })";
        person.page(changes, &[]).await?;
        let number = person.form.input(CardField::Number).await?;
        assert!(number.is_enabled().await?);
        assert_eq!(number.css_value("font-size").await?, "16px");
        assert_eq!(person.form.find("label").await?.text().await?, "Card number");
        person.form.press("2").await?;
        assert_eq!(person.form.shown(CardField::Number).await?.text, "4242 42");
        person.form.press(TAB).await?;
        while person.form.find("label").await?.text().await? != "X" {}
        let number = person.form.input(CardField::Number).await?;
        assert!(!number.is_enabled().await?);
        assert_eq!(number.css_value("font-size").await?, "32px");
        assert_eq!(person.form.shown(CardField::Number).await?.text, "");
        Ok(())
    })
    .await
}

/// Not in Firefox, where a page cannot give a frame back a focus that it lost to a click.
#[tokio::test]
async fn a_click_on_the_page_leads_where_the_page_says() -> Result<()> {
    visit(async |stage, browser| {
        if std::env::var("BROWSER").is_ok_and(|name| name == "firefox") {
            return Ok(());
        }
        let page = serve(stage, browser)?;
        browser.goto(&page.site.url()).await?;
        page.mount().await?;
        let mut person = Person::at(&page);
        for field in ["number", "expiry", "name", "number"] {
            person
                .page(
                    &format!("document.querySelector('#button').onclick = () => card.focus('{field}')"),
                    &[],
                )
                .await?;
            browser.find(Css("#button")).await?.click().await?;
            while person.caret().await?.as_deref() != Some(field) {}
        }
        // From a field that is whole, too.
        person.type_into(CardField::Number, TestCard::VISA.number).await?;
        person.page("document.querySelector('#button').onclick = () => card.focus('name')", &[]).await?;
        browser.find(Css("#button")).await?.click().await?;
        while person.caret().await?.as_deref() != Some("name") {}
        Ok(())
    })
    .await
}

/// What is not stopped: a page can take the focus, and then the keys are its own, until the person looks. What was typed before
/// stays in the form, and the form says what has happened.
#[tokio::test]
async fn a_page_that_takes_the_focus_has_the_keys_of_whoever_does_not_look() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser)?;
        browser.goto(&page.site.url()).await?;
        page.mount().await?;
        let mut person = Person::at(&page);
        person.type_into(CardField::Number, "42424242").await?;
        person.page("document.querySelector('#own').focus()", &[]).await?;
        // Without a look: where the focus is, the keys go.
        browser.enter_parent_frame().await?;
        person.form.press("4242").await?;
        assert_eq!(person.page("return document.querySelector('#own').value", &[]).await?, json!("4242"));
        assert_eq!(person.form.shown(CardField::Number).await?.text, "4242 4242");
        assert!(told(&person).await?.1, "and says so");
        // With one, they go on where they were.
        person.type_into(CardField::Number, "\u{E010}42424242").await?;
        assert_eq!(person.form.shown(CardField::Number).await?.text, "4242 4242 4242 4242");
        Ok(())
    })
    .await
}
