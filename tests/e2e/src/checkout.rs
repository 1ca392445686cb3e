//! The shop's checkout page, as a person uses it.

use anyhow::{Context, Result};
use fantoccini::Locator::Css;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::{Element, ShadowRoot};
use fantoccini::key::Key;
use serde_json::{json, to_value};

use crate::Browser;

/// A published test card (the vendor's list of them names each).
#[derive(Clone, Copy, Debug)]
pub struct TestCard {
    /// Its number, as a person types it.
    pub number: &'static str,
    /// Month and year, as a person types them.
    pub expiry: &'static str,
    /// The security code.
    pub security_code: &'static str,
    /// The name on it.
    pub name: &'static str,
}

impl TestCard {
    /// A Visa whose charge succeeds.
    pub const VISA: Self =
        Self { number: "4242424242424242", expiry: "1230", security_code: "123", name: "Somchai Prasert" };
    /// A JCB whose charge succeeds.
    pub const JCB: Self = Self { number: "3530111333300000", ..Self::VISA };
    /// A Visa whose charge fails for lack of funds.
    pub const POOR: Self = Self { number: "4111111111140011", ..Self::VISA };
}

/// A field of the card form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardField {
    /// The card number.
    Number,
    /// The expiry.
    Expiry,
    /// The security code.
    SecurityCode,
    /// The name on the card.
    Name,
}

impl CardField {
    /// All four, in the order of the form.
    pub const ALL: [Self; 4] = [Self::Number, Self::Expiry, Self::SecurityCode, Self::Name];

    const fn selector(self) -> &'static str {
        match self {
            Self::Number => "#number",
            Self::Expiry => "#expiry",
            Self::SecurityCode => "#security_code",
            Self::Name => "#name",
        }
    }
}

/// What an input shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its text.
    pub text: String,
    /// Where the caret stands.
    pub caret: u64,
}

/// The checkout page with something in the cart.
#[derive(Debug)]
pub struct Checkout<'a> {
    browser: &'a Browser,
    form: Form,
}

/// Where the card form stands.
#[derive(Debug)]
enum Form {
    /// In a frame of the vault's, the one of this index in the page.
    Frame(u16),
    /// In a frame in the shadow root of what a selector finds; such frames are not among the page's.
    ShadowFrame(&'static str),
    /// In a closed shadow root, which a driver may enter and a page may not.
    Page(ShadowRoot),
}

impl<'a> Checkout<'a> {
    /// Puts something into the cart, goes to the checkout and fills in everything but the card.
    ///
    /// # Errors
    /// When the page is not as it should be.
    pub async fn open(browser: &'a Browser, shop: &str) -> Result<Self> {
        Self::fill_cart(browser, shop).await?;
        Self::enter(browser, &format!("{shop}/checkout")).await
    }

    async fn fill_cart(browser: &Browser, shop: &str) -> Result<()> {
        browser.goto(&format!("{shop}/")).await?;
        browser.find(Css("#add-sencha")).await?.click().await?;
        // Going on at once would cancel the request that fills the cart.
        browser.wait_for("return Number(document.querySelector('#cart-count')?.textContent) > 0").await?;
        Ok(())
    }

    /// The same, with the token of another maker than the vault.
    ///
    /// # Errors
    /// When the page is not as it should be.
    pub async fn open_for(browser: &'a Browser, shop: &str, profile: &str) -> Result<Self> {
        Self::fill_cart(browser, shop).await?;
        Self::enter(browser, &format!("{shop}/checkout?profile={profile}")).await
    }

    /// The checkout page at an address.
    ///
    /// # Errors
    /// When the page is not as it should be.
    pub async fn enter(browser: &'a Browser, address: &str) -> Result<Self> {
        browser.goto(address).await?;
        for (id, text) in [
            ("email", "somchai@example.com"),
            ("name", "Somchai Prasert"),
            ("postal_code", "1600022"),
            ("state", "Tokyo"),
            ("city", "Shinjuku-ku"),
            ("street1", "1-2-3 Shinjuku"),
            ("phone_number", "0312345678"),
        ] {
            let input = browser.find(Css(&format!("#{id}"))).await?;
            input.clear().await?;
            input.send_keys(text).await?;
        }
        browser.run("document.querySelector('#country').value = 'JP'", vec![]).await?;
        browser.wait_for("return !document.querySelector('#pay').disabled").await?;
        let in_frame = browser.run("return document.querySelector('#card iframe') !== null", vec![]).await?;
        let form = if in_frame == true {
            Form::Frame(0)
        } else {
            Form::Page(browser.find(Css("#card > div")).await?.shadow_root().await?)
        };
        Ok(Self { browser, form })
    }

    /// The card form in a frame of whatever page the browser shows, by its place among the page's frames.
    #[must_use]
    pub const fn in_frame(browser: &'a Browser, index: u16) -> Self {
        Self { browser, form: Form::Frame(index) }
    }

    /// The card form in the frame in an element's shadow root.
    #[must_use]
    pub const fn in_shadow_of(browser: &'a Browser, host: &'static str) -> Self {
        Self { browser, form: Form::ShadowFrame(host) }
    }

    /// The card form in the page itself, in the closed shadow root of what a selector finds, once that is there.
    ///
    /// # Errors
    /// When it never is.
    pub async fn in_page(browser: &'a Browser, host: &str) -> Result<Self> {
        browser.wait_for(&format!("return document.querySelector('{host}') !== null")).await?;
        Ok(Self { browser, form: Form::Page(browser.find(Css(host)).await?.shadow_root().await?) })
    }

    /// An element of the card form. The browser stands in the form's frame from here on, until it is told otherwise.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn find(&self, selector: &str) -> Result<Element> {
        self.browser.enter_parent_frame().await?;
        let found = match &self.form {
            Form::Frame(index) => {
                self.browser.enter_frame(*index).await?;
                (**self.browser).find(Css(selector)).await
            }
            Form::ShadowFrame(host) => {
                let root = (**self.browser).find(Css(host)).await?.shadow_root().await?;
                root.find(Css("iframe")).await?.enter_frame().await?;
                (**self.browser).find(Css(selector)).await
            }
            Form::Page(root) => root.find(Css(selector)).await,
        };
        found.with_context(|| format!("no {selector} in the card form"))
    }

    /// An input of the card form.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn input(&self, field: CardField) -> Result<Element> {
        self.find(field.selector()).await
    }

    /// Types a whole card, each field after a click into it.
    ///
    /// # Errors
    /// When a field cannot be typed into.
    pub async fn type_card(&self, card: TestCard) -> Result<()> {
        self.type_into(CardField::Number, card.number).await?;
        self.type_into(CardField::Expiry, card.expiry).await?;
        self.type_into(CardField::SecurityCode, card.security_code).await?;
        self.type_into(CardField::Name, card.name).await
    }

    /// Types number and expiry: all that a form has whose seal has nothing else.
    ///
    /// # Errors
    /// When a field cannot be typed into.
    pub async fn type_number_and_expiry(&self, card: TestCard) -> Result<()> {
        self.type_into(CardField::Number, card.number).await?;
        self.type_into(CardField::Expiry, card.expiry).await
    }

    /// Clicks into a field and presses keys.
    ///
    /// # Errors
    /// When the field cannot be typed into.
    pub async fn type_into(&self, field: CardField, keys: &str) -> Result<()> {
        self.input(field).await?.click().await?;
        self.press(keys).await
    }

    /// Presses keys, wherever the focus is. Keys that type nothing are in [`fantoccini::key::Key`].
    ///
    /// # Errors
    /// When the browser does not take them.
    pub async fn press(&self, keys: &str) -> Result<()> {
        self.perform(keys.chars().flat_map(|value| [KeyAction::Down { value }, KeyAction::Up { value }]))
            .await
    }

    /// Presses a key while Control is held.
    ///
    /// # Errors
    /// When the browser does not take them.
    pub async fn press_with_control(&self, value: char) -> Result<()> {
        let control: char = Key::Control.into();
        let (down, up) = (KeyAction::Down { value: control }, KeyAction::Up { value: control });
        self.perform([down, KeyAction::Down { value }, KeyAction::Up { value }, up]).await
    }

    async fn perform(&self, keys: impl IntoIterator<Item = KeyAction>) -> Result<()> {
        let actions = keys.into_iter().fold(KeyActions::new("keyboard".into()), KeyActions::then);
        Ok(self.browser.perform_actions(actions).await?)
    }

    /// What a field shows.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn shown(&self, field: CardField) -> Result<Shown> {
        let input = self.input(field).await?;
        let script = "const [input] = arguments; return [input.value, input.selectionStart];";
        let shown = self.browser.execute(script, vec![to_value(input)?]).await?;
        let text = shown[0].as_str().context("an input has a value")?.to_owned();
        Ok(Shown { text, caret: shown[1].as_u64().context("an input of type text has a caret")? })
    }

    /// Puts the caret into a field, before the character with this index, or selects a range.
    ///
    /// # Errors
    /// When the field does not take it.
    pub async fn select(&self, field: CardField, from: u64, to: u64) -> Result<()> {
        let script = "const [input, from, to] = arguments; input.focus(); input.setSelectionRange(from, to);";
        let input = to_value(self.input(field).await?)?;
        self.browser.execute(script, vec![input, json!(from), json!(to)]).await?;
        Ok(())
    }

    /// What is said to be wrong with a field; empty when nothing is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn complaint(&self, field: CardField) -> Result<String> {
        let selector = format!("{}-complaint", field.selector());
        Ok(self.find(&selector).await?.text().await?)
    }

    /// The brand that is shown beside the number.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn brand(&self) -> Result<String> {
        Ok(self.find(".brand").await?.text().await?)
    }

    /// Presses the button that pays.
    ///
    /// # Errors
    /// When it cannot be pressed.
    pub async fn pay(&self) -> Result<()> {
        Ok(self.browser.find(Css("#pay")).await?.click().await?)
    }

    /// Waits for the receipt and returns the order's status, such as `paid`.
    ///
    /// # Errors
    /// When no receipt comes.
    pub async fn receipt(&self) -> Result<String> {
        let status =
            self.browser.wait_for("return document.querySelector('#order-status')?.dataset.status").await?;
        Ok(status.as_str().unwrap_or_default().to_owned())
    }
}
