//! A shop that serves one example at a time.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, ensure};
use cardseal_e2e::{Browser, Reply, Request, Site, Stage};

use crate::pay::{Way, eventually};

/// A shop, whose origin is registered with the vault. `/cardseal/` is the folder pkg/.
pub(crate) struct Shop {
    pub(crate) site: Site,
    shown: Arc<Mutex<Example>>,
    received: Arc<Mutex<Received>>,
}

/// A page, ready to be served.
#[derive(Clone, Debug, Default)]
pub(crate) struct Example {
    /// What the page consists of.
    pub(crate) html: String,
    /// Its scripts, as `/script-0.js` and so on.
    pub(crate) scripts: Vec<String>,
    /// The headers that it is sent with.
    pub(crate) headers: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default)]
struct Received {
    posts: Vec<String>,
    violations: Vec<String>,
}

impl Shop {
    /// Opens it.
    pub(crate) fn open(stage: &Stage) -> Result<Self> {
        let shown = Arc::<Mutex<Example>>::default();
        let received = Arc::<Mutex<Received>>::default();
        let (example, kept) = (Arc::clone(&shown), Arc::clone(&received));
        let vault = stage.vault_url().to_owned();
        let site = Site::open(move |request| {
            let example = example.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Some(answer(&vault, &example, request, &mut kept.lock().unwrap_or_else(PoisonError::into_inner)))
        })?;
        stage.register(&[&site.url()])?;
        Ok(Self { site, shown, received })
    }

    /// Shows an example in the browser.
    pub(crate) async fn show(&self, browser: &Browser, example: Example) -> Result<()> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = example;
        // Whatever the page before has still to say, it says it now.
        browser.goto("about:blank").await?;
        *self.received.lock().unwrap_or_else(PoisonError::into_inner) = Received::default();
        Ok(browser.goto(&self.site.url()).await?)
    }

    /// Pays with an example: one post reaches the shop, and has a token, or a sealed card, under this name.
    pub(crate) async fn sells(
        &self,
        browser: &Browser,
        example: Example,
        way: Way,
        member: &str,
    ) -> Result<()> {
        self.show(browser, example).await?;
        way.pay(browser).await?;
        eventually("a post to the shop", async || !self.posts().is_empty()).await?;
        let posts = self.posts();
        let beginning = if member == "sealed_card" { "eyJ" } else { "tokn_test_" };
        let has =
            |post: &String| post.split('&').any(|pair| pair.starts_with(&format!("{member}={beginning}")));
        ensure!(posts.len() == 1 && posts.iter().all(has), "the shop received {posts:?}");
        ensure!(self.violations().is_empty(), "the browser reported {:?}", self.violations());
        Ok(())
    }

    /// The bodies of all posts since the example was shown.
    pub(crate) fn posts(&self) -> Vec<String> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).posts.clone()
    }

    /// What the browser reported to have kept the page from, since it was shown.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).violations.clone()
    }
}

impl Example {
    /// A page, with its scripts where they stand in it.
    pub(crate) fn page(body: &str) -> Self {
        Self {
            html: format!("<!doctype html>\n<meta charset=\"utf-8\"><title>Shop</title>\n{body}"),
            ..Self::default()
        }
    }

    /// A page that ends with a module.
    pub(crate) fn with_module(body: &str, module: String) -> Self {
        let mut example =
            Self::page(&format!("{body}\n<script type=\"module\" src=\"/script-0.js\"></script>\n"));
        example.scripts.push(module);
        example
    }

    /// The same with the scripts that stand in the page moved into files.
    pub(crate) fn in_files(mut self) -> Self {
        let mut html = String::new();
        let mut rest = self.html.as_str();
        while let Some((before, tag, script, after)) = next_script(rest) {
            html.push_str(before);
            if tag.contains("src=") {
                html.push_str(&format!("{tag}{script}</script>"));
            } else {
                let kind = tag.trim_end_matches('>');
                html.push_str(&format!("{kind} src=\"/script-{}.js\"></script>", self.scripts.len()));
                self.scripts.push(script.to_owned());
            }
            rest = after;
        }
        html.push_str(rest);
        Self { html, ..self }
    }

    /// The same with these headers.
    pub(crate) fn with_headers(mut self, headers: &[(String, String)]) -> Self {
        self.headers = headers.to_vec();
        self
    }
}

/// What stands before the first script, its tag, what is in it, and what stands after it.
fn next_script(html: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, rest) = html.split_at(html.find("<script")?);
    let (tag, rest) = rest.split_at(rest.find('>')? + 1);
    let (script, after) = rest.split_once("</script>")?;
    Some((before, tag, script, after))
}

fn answer(vault: &str, example: &Example, request: &Request, received: &mut Received) -> Reply {
    let body = || String::from_utf8_lossy(&request.body).into_owned();
    match request.file() {
        "/violations" => {
            // Firefox looks for an icon that nobody has asked for.
            let report = body();
            if !report.contains("/favicon.ico") {
                received.violations.push(report);
            }
            Reply::page("").status(204)
        }
        _ if request.method == "POST" => {
            received.posts.push(body());
            Reply::page("<title>Shop</title><p>Thank you")
        }
        "/" => {
            let page = Reply::page(&*example.html);
            example.headers.iter().fold(page, |page, (name, value)| page.with(name, value))
        }
        file => script(example, file)
            .or_else(|| Reply::from(vault, &package_file(file.strip_prefix("/cardseal/")?)))
            .unwrap_or_else(|| Reply::page("").status(404)),
    }
}

fn script(example: &Example, file: &str) -> Option<Reply> {
    let number: usize = file.strip_prefix("/script-")?.strip_suffix(".js")?.parse().ok()?;
    Some(Reply::script(example.scripts.get(number)?))
}

/// The vault serves the same files.
fn package_file(name: &str) -> Request {
    Request { method: "GET".into(), path: format!("/v1/{name}"), ..Request::default() }
}
