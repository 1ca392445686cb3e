//! A person who types a card, and looks at the form before each key, as people do: not at the keyboard for good, and not at
//! every message.

use anyhow::{Context as _, Result};
use cardseal_e2e::{Browser, CardField, Checkout, Page, Reply, Stage};
use serde_json::Value;

/// The page, with a thief's script in it.
pub(crate) const HTML: &str =
    "<!doctype html><meta charset=utf-8><title>Shop</title><link rel=icon href=data:,>
    <script src=/thief.js></script><div id=card></div><input id=own><button id=button>Pay</button>";

/// Serves it, on another site than the vault, as in life.
pub(crate) fn serve<'a>(stage: &Stage, browser: &'a Browser) -> Result<Page<'a>> {
    let mut page = Page::serve(stage, browser, |request| match request.file() {
        "/" => Some(Reply::page(HTML)),
        "/thief.js" => Some(Reply::script(include_str!("../../pages/thief.js"))),
        _ => Some(Reply::page("").status(404)),
    })?;
    page.vault = page.vault.replace("127.0.0.1", "localhost");
    Ok(page)
}

/// Somebody at a form in the page's first frame.
pub(crate) struct Person<'a> {
    pub(crate) page: &'a Page<'a>,
    pub(crate) form: Checkout<'a>,
    /// How often they had to put the caret back into the field.
    pub(crate) returns: usize,
}

impl<'a> Person<'a> {
    pub(crate) fn at(page: &'a Page<'a>) -> Self {
        Self { page, form: Checkout::in_frame(page.browser, 0), returns: 0 }
    }

    /// Which field of the form has the caret; none, when the form has lost the focus to the page.
    pub(crate) async fn caret(&self) -> Result<Option<String>> {
        let of_page = "return document.activeElement?.tagName === 'IFRAME'";
        if self.page.browser.run(of_page, vec![]).await? != true {
            return Ok(None);
        }
        self.form.find("body").await?;
        let id = self.page.browser.execute("return document.activeElement.id", vec![]).await?;
        Ok(id.as_str().filter(|id| !id.is_empty()).map(str::to_owned))
    }

    /// Types a text into a field. Before each key they look: if the form has lost the caret, they click into the field again.
    /// If it is in another field of the form, they take that for what forms do, and type on.
    pub(crate) async fn type_into(&mut self, field: CardField, keys: &str) -> Result<()> {
        self.form.input(field).await?.click().await?;
        for key in keys.chars() {
            // The page is quick: between two keys, it does what it wants. Quicker than a look and the key after it, it would
            // have the key; see `focus`.
            self.page("return window.thief.act?.()", &[]).await?;
            if self.caret().await?.is_none() {
                self.returns += 1;
                self.form.input(field).await?.click().await?;
                // Behind what is there.
                self.form.press("\u{E010}").await?;
            }
            self.form.find("body").await?;
            self.form.press(&key.to_string()).await?;
        }
        Ok(())
    }

    /// Sets a field right that does not show what it should, as somebody does who checks before paying.
    pub(crate) async fn set_right(&mut self, field: CardField, shown: &str, keys: &str) -> Result<()> {
        for _ in 0..5 {
            if self.form.shown(field).await?.text == shown {
                return Ok(());
            }
            self.form.input(field).await?.click().await?;
            self.form.press_with_control('a').await?;
            self.form.press(keys).await?;
        }
        let now = self.form.shown(field).await?.text;
        anyhow::bail!("{field:?} shows {now:?}, whatever is typed, and not {shown:?}")
    }

    /// Runs a script of the page's, and returns what it returns.
    pub(crate) async fn page(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        // As text: a driver has meanings of its own for members such as `status`.
        let text = format!(
            "const given = arguments;
            return Promise.resolve((() => {{ {script} }})()).then((value) => JSON.stringify(value ?? null),
                (error) => JSON.stringify({{ thrown: {{ ...error, message: error.message }} }}))"
        );
        let told = self.page.browser.run(&text, arguments.to_vec()).await?;
        Ok(serde_json::from_str(told.as_str().context("a text")?)?)
    }
}
