//! Paying on a page, wherever its card fields stand.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use cardseal_e2e::{Browser, TestCard};
use fantoccini::Locator::Css;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;

/// Where a page's card fields stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// In a frame in the element `<cardseal-card>`.
    Element,
    /// In a frame in the page.
    Frame,
    /// In a closed shadow root in the page.
    Inline,
    /// In a frame in an element that OmiseCard has filled.
    OmiseForm,
    /// In the page: they are its own.
    OwnFields,
    /// In a frame in OmiseCard's pop-up.
    PopUp,
}

/// A card, field by field: the id of the form's input, the `autocomplete` of a page's own, and what is typed.
const CARD: [(&str, &str, &str); 6] = [
    ("number", "cc-number", TestCard::VISA.number),
    ("expiry", "cc-exp", TestCard::VISA.expiry),
    ("", "cc-exp-month", "12"),
    ("", "cc-exp-year", "2030"),
    ("security_code", "cc-csc", TestCard::VISA.security_code),
    ("name", "cc-name", TestCard::VISA.name),
];

impl Way {
    pub(crate) fn parse(word: &str) -> Result<Self> {
        Ok(match word {
            "element" => Self::Element,
            "frame" => Self::Frame,
            "inline" => Self::Inline,
            "omise-form" => Self::OmiseForm,
            "own-fields" => Self::OwnFields,
            "pop-up" => Self::PopUp,
            _ => bail!("`{word}` is no place for card fields"),
        })
    }

    /// Types a card, and presses the button that pays.
    pub(crate) async fn pay(self, browser: &Browser) -> Result<()> {
        if self == Self::PopUp {
            press_button(browser).await?;
        }
        self.type_card(browser).await?;
        if self != Self::PopUp {
            return press_button(browser).await;
        }
        let pay =
            browser.find(Css("[data-cardseal=popup]")).await?.shadow_root().await?.find(Css(".pay")).await?;
        eventually("the pop-up's button", async || {
            pay.attr("aria-disabled").await.is_ok_and(|disabled| disabled.as_deref() == Some("false"))
        })
        .await?;
        Ok(pay.click().await?)
    }

    /// Types a card, once there are fields for it.
    pub(crate) async fn type_card(self, browser: &Browser) -> Result<()> {
        eventually("the card fields", async || self.input("number", "cc-number").find(browser).await.is_ok())
            .await?;
        for (id, autocomplete, text) in CARD {
            // Not every form has every field.
            if let Ok(input) = self.input(id, autocomplete).find(browser).await {
                input.click().await?;
                type_keys(browser, text).await?;
            }
        }
        Ok(browser.enter_parent_frame().await?)
    }

    const fn input<'a>(self, id: &'a str, autocomplete: &'a str) -> Input<'a> {
        Input { way: self, id, autocomplete }
    }
}

/// An input for a card.
struct Input<'a> {
    way: Way,
    id: &'a str,
    autocomplete: &'a str,
}

impl Input<'_> {
    /// Finds it, and leaves the browser in the frame that it stands in.
    async fn find(&self, browser: &Browser) -> Result<Element> {
        let root = async |host: &str| anyhow::Ok(browser.find(Css(host)).await?.shadow_root().await?);
        let frame = match self.way {
            Way::Element => root("cardseal-card").await?.find(Css("iframe")).await?,
            Way::Frame => browser.find(Css("iframe")).await?,
            Way::OmiseForm => root("[data-cardseal=form]").await?.find(Css("iframe")).await?,
            Way::PopUp => root("[data-cardseal=popup]").await?.find(Css("iframe")).await?,
            Way::Inline => return Ok(root("#card > div").await?.find(Css(&format!("#{}", self.id))).await?),
            Way::OwnFields => {
                return browser.find(Css(&format!("[autocomplete={}]", self.autocomplete))).await;
            }
        };
        frame.enter_frame().await?;
        Ok((**browser).find(Css(&format!("#{}", self.id))).await?)
    }
}

async fn press_button(browser: &Browser) -> Result<()> {
    browser.wait_for("return document.querySelector('form button')?.disabled === false").await?;
    Ok(browser.find(Css("form button")).await?.click().await?)
}

async fn type_keys(browser: &Browser, text: &str) -> Result<()> {
    let keys = text.chars().flat_map(|value| [KeyAction::Down { value }, KeyAction::Up { value }]);
    Ok(browser.perform_actions(keys.fold(KeyActions::new("keyboard".into()), KeyActions::then)).await?)
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, is: impl AsyncFn() -> bool) -> Result<()> {
    let look = async {
        while !is().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), look)
        .await
        .with_context(|| format!("waited in vain for {what}"))
}
