//! A merchant's page that a test writes, and scripts that run in it.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{Browser, Checkout, Reply, Request, Site, Stage, TestCard};

/// A merchant's page, which the browser shows.
#[derive(Debug)]
pub struct Page<'a> {
    /// The browser that shows it.
    pub browser: &'a Browser,
    /// Where its files come from.
    pub site: Site,
    /// The vault's address, as the page's scripts have it.
    pub vault: String,
    /// The merchant's public key, as they have it.
    pub public_key: String,
}

impl<'a> Page<'a> {
    /// A page with a place for the card form, `#card`, and nothing else.
    pub const BARE: &'static str =
        "<!doctype html><meta charset=utf-8><title>Shop</title><div id=card></div>";

    /// Serves a page, registers its origin with the vault, and goes there.
    ///
    /// # Errors
    /// When the page cannot be shown.
    pub async fn open(stage: &Stage, browser: &'a Browser, page: Reply) -> Result<Self> {
        let page = Self::serve(stage, browser, move |request| {
            (request.file() == "/").then(|| page.clone()).or_else(|| Some(Reply::page("").status(404)))
        });
        let page = page?;
        browser.goto(&page.site.url()).await?;
        Ok(page)
    }

    /// Registers an origin that answers as a test likes. The browser shows nothing of it yet.
    ///
    /// # Errors
    /// When there is no port to serve it on.
    pub fn serve(
        stage: &Stage,
        browser: &'a Browser,
        answer: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> Result<Self> {
        let site = Site::open(answer)?;
        stage.register(&[&site.url()])?;
        let (vault, public_key) = (stage.vault_url().to_owned(), stage.public_key().to_owned());
        Ok(Self { browser, site, vault, public_key })
    }

    /// Runs the body of an async function in the page, which has at hand:
    ///
    /// - `publicKey`, `vault`, and `load(options)`, which loads the vault's loader, or for inline mode its `inline.js`
    /// - `ready(card)`, a promise of its being ready, or of what kept it from that
    /// - `failure(promise)`, the error that a promise ends with
    ///
    /// # Errors
    /// When it throws.
    pub async fn run(&self, body: &str) -> Result<Value> {
        let whole = format!(
            "const [publicKey, vault] = arguments;
            const load = async (options) => {{
                const script = options?.mode === 'inline' ? 'inline' : 'cardseal';
                const {{ loadCardseal }} = await import(window.loader ?? `${{vault}}/v1/${{script}}.js`);
                return loadCardseal({{ publicKey, vault, locale: 'en', ...options }});
            }};
            const ready = (card) => new Promise((resolve, reject) => {{
                card.on('ready', resolve);
                card.on('error', reject);
            }});
            const plain = (error) => ({{ ...error, name: error.name, message: error.message }});
            const failure = async (promise) => {{
                try {{ await promise; return null; }} catch (error) {{ return plain(error); }}
            }};
            return (async () => {{ {body} }})()
                .then((value) => JSON.stringify({{ value: value ?? null }}),
                      (error) => JSON.stringify({{ thrown: plain(error) }}))"
        );
        // As text: a driver has meanings of its own for members such as `status`.
        let text = self.browser.run(&whole, vec![json!(self.public_key), json!(self.vault)]).await?;
        let mut answer: Value = serde_json::from_str(text.as_str().context("a text")?)?;
        anyhow::ensure!(answer["thrown"].is_null(), "{body}: {}", answer["thrown"]);
        Ok(answer["value"].take())
    }

    /// Mounts a card form into `#card`, waits until it is ready, and leaves it in the page as `card`.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn mount(&self) -> Result<Checkout<'a>> {
        self.run(
            "window.card = (await load()).card(); const loaded = ready(card); card.mount('#card'); await loaded",
        )
        .await?;
        Ok(Checkout::in_frame(self.browser, 0))
    }

    /// The same in one of the two modes, from options as JavaScript writes them. `state` is what the form told of itself
    /// last.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn mount_as(&self, mode: &str, options: &str) -> Result<Checkout<'a>> {
        let mount = format!(
            "window.card = (await load({{ mode: '{mode}' }})).card({options});
            window.state = null;
            card.on('change', (told) => (window.state = told));
            const loaded = ready(card);
            card.mount('#card');
            await loaded"
        );
        self.run(&mount).await?;
        match mode {
            "hosted" => Ok(Checkout::in_frame(self.browser, 0)),
            _ => Checkout::in_page(self.browser, "#card > div").await,
        }
    }

    /// Types a card into a form and returns the token that it makes, where the page's script has it under this name.
    ///
    /// # Errors
    /// When there is no token.
    pub async fn tokenize(&self, form: &Checkout<'_>, card: TestCard, name: &str) -> Result<Value> {
        form.type_card(card).await?;
        self.run(&format!("return {name}.tokenize()")).await
    }
}
