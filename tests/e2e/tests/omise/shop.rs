//! A shop that was made for Omise.js: a few pages, and a server that keeps what is posted to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use cardseal_e2e::{Reply, Site, Stage};

/// The shop, whose pages are the merchant's at a stage's vault.
pub(crate) struct Shop {
    pub(crate) url: String,
    posts: Arc<Mutex<Vec<String>>>,
    _site: Site,
}

impl Shop {
    /// Opens it. In the pages, `VAULT` stands for the vault's address and `KEY` for the merchant's public key. A path that
    /// is no page's answers with what was posted to it.
    pub(crate) fn open(stage: &Stage, pages: &[(&str, &str)]) -> Result<Self> {
        let filled = |page: &str| page.replace("VAULT", stage.vault_url()).replace("KEY", stage.public_key());
        let pages: HashMap<_, _> =
            pages.iter().map(|(path, page)| ((*path).to_owned(), filled(page))).collect();
        let policy = policy(stage.vault_url());
        let posts = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&posts);
        let site = Site::open(move |request| {
            let path = request.file();
            let page = pages.get(path).cloned().unwrap_or_else(|| {
                let body = String::from_utf8_lossy(&request.body);
                kept.lock().unwrap().push(format!("{path} {body}"));
                format!("<title>Shop</title><p id=received>{body}</p>")
            });
            Some(Reply::page(page).with("Content-Security-Policy", &policy))
        })?;
        stage.register(&[&site.url()])?;
        Ok(Self { url: site.url(), posts, _site: site })
    }

    /// What was posted last, after its path and a space.
    pub(crate) fn received(&self) -> String {
        self.posts.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

/// What the shop's pages allow: their own scripts and the vault, no style that is not in a file, no markup from text.
fn policy(vault: &str) -> String {
    format!(
        "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' {vault}; connect-src {vault}; \
         frame-src {vault}; img-src data:; form-action 'self'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    )
}
