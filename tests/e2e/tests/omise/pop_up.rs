//! OmiseCard's pop-up, as a person uses it.

use std::time::Duration;

use anyhow::{Context, Result};
use cardseal_e2e::{Browser, TestCard};
use fantoccini::Locator::Css;
use fantoccini::actions::{
    InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction,
};
use fantoccini::elements::{Element, ShadowRoot};

/// A card form of omise.js's, in the pop-up or in an element of the page. It stands in a closed shadow root, which a driver
/// may enter and a page may not.
pub(crate) struct CardForm<'a> {
    browser: &'a Browser,
    root: ShadowRoot,
}

impl<'a> CardForm<'a> {
    /// The pop-up that is opening.
    pub(crate) async fn pop_up(browser: &'a Browser) -> Result<Self> {
        Self::find(browser, "popup").await
    }

    /// The form in an element of the page.
    pub(crate) async fn in_page(browser: &'a Browser) -> Result<Self> {
        Self::find(browser, "form").await
    }

    async fn find(browser: &'a Browser, kind: &str) -> Result<Self> {
        let selector = format!("[data-cardseal={kind}]");
        browser.wait_for(&format!("return document.querySelectorAll('{selector}').length === 1")).await?;
        Ok(Self { browser, root: browser.find(Css(&selector)).await?.shadow_root().await? })
    }

    /// Something of it, but for what is in the frame.
    pub(crate) async fn part(&self, selector: &str) -> Result<Element> {
        self.browser.enter_parent_frame().await?;
        self.root.find(Css(selector)).await.with_context(|| format!("no {selector}"))
    }

    /// What a part of it says, once it says something.
    pub(crate) async fn says(&self, selector: &str) -> Result<String> {
        eventually(
            async || Ok(Some(self.part(selector).await?.text().await?).filter(|text| !text.is_empty())),
        )
        .await
    }

    /// Waits until the form can be typed into.
    pub(crate) async fn ready(&self) -> Result<()> {
        self.wait_inside("return document.querySelector('#number') !== null").await
    }

    /// Waits until a script in the frame returns true.
    pub(crate) async fn wait_inside(&self, script: &str) -> Result<()> {
        eventually(async || {
            self.part("iframe").await?.enter_frame().await?;
            Ok((self.browser.execute(script, vec![]).await? == true).then_some(()))
        })
        .await
        .with_context(|| format!("for {script}"))
    }

    /// Waits until the button that pays can be pressed.
    pub(crate) async fn payable(&self) -> Result<Element> {
        eventually(async || {
            let button = self.part(".pay").await?;
            Ok((button.attr("aria-disabled").await?.as_deref() == Some("false")).then_some(button))
        })
        .await
    }

    /// A field, in the frame, where the browser stands from here on.
    pub(crate) async fn field(&self, id: &str) -> Result<Element> {
        self.part("iframe").await?.enter_frame().await?;
        Ok((**self.browser).find(Css(&format!("#{id}"))).await?)
    }

    /// Types a whole card.
    pub(crate) async fn type_card(&self, card: TestCard) -> Result<()> {
        self.ready().await?;
        let typed = [
            ("number", card.number),
            ("expiry", card.expiry),
            ("security_code", card.security_code),
            ("name", card.name),
        ];
        for (id, text) in typed {
            let field = self.field(id).await?;
            // As a person gets there: a number that is not whole is not left by a script.
            field.click().await?;
            field.send_keys(text).await?;
        }
        Ok(())
    }

    /// Presses the button that pays.
    pub(crate) async fn pay(&self) -> Result<()> {
        Ok(self.payable().await?.click().await?)
    }

    /// Waits until the pop-up has gone.
    pub(crate) async fn gone(&self) -> Result<()> {
        // The driver may stand in a frame that has gone, too.
        self.browser.switch_to_window(self.browser.window().await?).await?;
        self.browser.wait_for("return !document.querySelector('[data-cardseal=popup]')").await?;
        Ok(())
    }
}

/// Presses a key, wherever the focus is.
pub(crate) async fn press(browser: &Browser, key: fantoccini::key::Key) -> Result<()> {
    let value = key.into();
    let keys =
        KeyActions::new("keyboard".into()).then(KeyAction::Down { value }).then(KeyAction::Up { value });
    Ok(browser.perform_actions(keys).await?)
}

/// Clicks somewhere in the window, as often as is said, without a pause.
pub(crate) async fn click_at(browser: &Browser, (x, y): (f64, f64), times: u8) -> Result<()> {
    browser.enter_parent_frame().await?;
    let button = MOUSE_BUTTON_LEFT;
    let mut mouse = MouseActions::new("mouse".into()).then(PointerAction::MoveTo { duration: None, x, y });
    for _ in 0..times {
        mouse = mouse.then(PointerAction::Down { button }).then(PointerAction::Up { button });
    }
    Ok(browser.perform_actions(mouse).await?)
}

/// Waits until there is something.
pub(crate) async fn eventually<T>(look: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
    let looking = async {
        loop {
            // What is just changing has nothing to say.
            if let Ok(Some(found)) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), looking).await.context("waited in vain")
}
