//! The projects in tests/consumers, as `cargo xtask test` built them: a person types a card, the page has a token.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cardseal_e2e::{Browser, CardField, Checkout, Reply, Request, Site, Stage, TestCard, visit};
use serde_json::Value;

/// A project's folder, served at an origin of its own.
struct Shop<'a> {
    stage: &'a Stage,
    browser: &'a Browser,
    site: Site,
}

impl<'a> Shop<'a> {
    /// Serves what was built of a project, with the policy that cardseal asks for.
    fn open(stage: &'a Stage, browser: &'a Browser, project: &str) -> Result<Self> {
        let (folder, vault) = (built(project, "dist")?, stage.vault_url().to_owned());
        Self::serve(stage, browser, move |request| {
            let reply = Reply::file(&file_in(&folder, request))?;
            Some(reply.with("Content-Security-Policy", &policy(request, &vault)))
        })
    }

    fn serve(
        stage: &'a Stage,
        browser: &'a Browser,
        page: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> Result<Self> {
        let site = Site::open(move |request| match &*request.method {
            "POST" => Some(thanks(request)),
            _ => page(request).or_else(|| Some(Reply::page("").status(404))),
        })?;
        stage.register(&[&site.url()])?;
        Ok(Self { stage, browser, site })
    }

    async fn enter(&self, page: &str, mode: &str) -> Result<()> {
        let Self { stage, browser, site } = self;
        let (vault, key) = (stage.vault_url(), stage.public_key());
        let address = format!("{}/{page}?vault={vault}&key={key}&mode={mode}", site.url());
        Ok(browser.goto(&address).await?)
    }

    /// Types a card, pays, and waits for a token. Returns what the page has loaded until it paid.
    async fn buy(&self, form: Checkout<'_>) -> Result<Loaded> {
        until_shown(&form).await?;
        form.type_card(TestCard::VISA).await?;
        let loaded = Loaded::by(self).await?;
        form.pay().await?;
        let script = "return document.querySelector('#token, [role=alert]:not(:empty)')?.textContent";
        let told = self.browser.wait_for(script).await?;
        assert!(told.as_str().unwrap().starts_with("tokn_test_"), "{told}");
        Ok(loaded)
    }
}

/// What a page has loaded, without queries. What a frame in it loads is not among that.
#[derive(Debug)]
struct Loaded {
    /// From its own origin.
    shop: BTreeSet<String>,
    /// From the vault's.
    vault: BTreeSet<String>,
}

impl Loaded {
    async fn by(shop: &Shop<'_>) -> Result<Self> {
        let script = "return performance.getEntriesByType('resource').map(({ name }) => name)";
        let names = shop.browser.run(script, vec![]).await?;
        let names: Vec<&str> = names.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let of = |origin: &str| {
            let paths = names.iter().filter_map(|name| name.strip_prefix(origin));
            let files = paths.map(|path| path.split('?').next().unwrap_or_default().to_owned());
            // A browser asks for that one by itself.
            files.filter(|file| file != "/favicon.ico").collect()
        };
        Ok(Self { shop: of(&shop.site.url()), vault: of(shop.stage.vault_url()) })
    }

    fn ending(&self, extension: &str) -> BTreeSet<&str> {
        self.shop.iter().map(String::as_str).filter(|path| path.ends_with(extension)).collect()
    }

    /// Hosted, a page has neither the wasm nor the texts, nor the scripts that inline mode adds, and of the vault's the
    /// frame alone.
    fn assert_hosted(&self, inline: &Self) {
        for extension in [".wasm", ".json"] {
            assert!(self.ending(extension).is_empty(), "{self:?}");
        }
        assert_eq!(self.vault, BTreeSet::from(["/frame".to_owned()]));
        assert_eq!(inline.ending(".wasm").len(), 1, "{inline:?}");
        assert!(inline.vault.iter().all(|path| !path.starts_with("/v1/")), "{inline:?}");
        let (few, many) = (self.ending(".js"), inline.ending(".js"));
        assert!(few.is_subset(&many) && few.len() < many.len(), "{self:?}, {inline:?}");
    }
}

#[tokio::test]
async fn vite_with_react() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, browser, "vite")?;
        hosted_and_inline(&shop).await
    })
    .await
}

#[tokio::test]
async fn webpack_with_vue() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, browser, "webpack")?;
        hosted_and_inline(&shop).await
    })
    .await
}

#[tokio::test]
async fn next_with_react() -> Result<()> {
    visit(async |stage, browser| {
        // Its pages have scripts in their HTML, which no policy of files allows.
        let folder = built("next", "out")?;
        let shop = Shop::serve(stage, browser, move |request| Reply::file(&file_in(&folder, request)))?;
        hosted_and_inline(&shop).await
    })
    .await
}

/// In a page that has the mode in its query, and the component in a form.
async fn hosted_and_inline(shop: &Shop<'_>) -> Result<()> {
    shop.enter("", "hosted").await?;
    let hosted = shop.buy(Checkout::in_frame(shop.browser, 0)).await?;
    shop.enter("", "inline").await?;
    let inline = shop.buy(Checkout::in_page(shop.browser, "form > div > div").await?).await?;
    hosted.assert_hosted(&inline);
    Ok(())
}

#[tokio::test]
async fn esbuild_with_the_element_and_inline() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, browser, "esbuild")?;
        shop.enter("element.html", "hosted").await?;
        let hosted = shop.buy(Checkout::in_shadow_of(browser, "cardseal-card")).await?;
        assert_eq!(hosted.shop, BTreeSet::from(["/element.js".to_owned()]));

        shop.enter("inline.html", "inline").await?;
        let inline = shop.buy(Checkout::in_page(browser, "#card > div").await?).await?;
        assert_eq!(inline.ending(".wasm"), BTreeSet::from(["/cardseal_bg.wasm"]));
        assert_eq!(inline.ending(".json").len(), 1, "one language: {inline:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn script_tags_without_a_build() -> Result<()> {
    visit(async |stage, browser| {
        let folder = workspace().join("tests/consumers/script");
        let names = names(stage)?;
        let shop = Shop::serve(stage, browser, move |request| {
            let page = fs::read_to_string(file_in(&folder, request)).ok()?;
            Some(Reply::page(names.iter().fold(page, |page, (name, value)| page.replace(name, value))))
        })?;
        for (page, form, script) in [
            ("", Checkout::in_frame(browser, 0), "cardseal"),
            ("element.html", Checkout::in_shadow_of(browser, "cardseal-card"), "element"),
        ] {
            shop.enter(page, "hosted").await?;
            let loaded = shop.buy(form).await?;
            assert_eq!(loaded.shop, BTreeSet::new());
            // The script under its hashed name, once, and the frame.
            let [frame, hashed] = &*loaded.vault.iter().collect::<Vec<_>>() else { panic!("{loaded:?}") };
            assert_eq!(*frame, "/frame");
            assert!(hashed.starts_with(&format!("/v1/{script}-")) && hashed.ends_with(".js"), "{hashed}");
        }
        Ok(())
    })
    .await
}

/// What stands in double braces in a page, and what it stands for. A script's hashed name is made from its digest.
fn names(stage: &Stage) -> Result<Vec<(String, String)>> {
    let pkg = workspace().join("pkg");
    let integrity: Value = serde_json::from_slice(&fs::read(pkg.join("integrity.json"))?)?;
    let mut names = vec![
        ("{{vault}}".to_owned(), stage.vault_url().to_owned()),
        ("{{key}}".to_owned(), stage.public_key().to_owned()),
    ];
    for path in ["cardseal.js", "element.js"] {
        let files = integrity["files"].as_array().context("integrity.json has files")?;
        let file = files.iter().find(|file| file["path"] == path).context("integrity.json has the script")?;
        let digest = file["integrity"].as_str().context("a digest")?;
        let hashed = format!("{}-{}.js", path.trim_end_matches(".js"), hash(digest)?);
        names.push((format!("{{{{{path}}}}}"), hashed));
        names.push((format!("{{{{{path} integrity}}}}"), digest.to_owned()));
    }
    Ok(names)
}

/// The first 16 hexadecimal digits of a digest.
fn hash(integrity: &str) -> Result<String> {
    use base64ct::{Base64, Encoding};
    let digest = integrity.strip_prefix("sha384-").context("SHA-384")?;
    let bytes = Base64::decode_vec(digest)?;
    Ok(bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// The policy of docs/csp.md for the npm package, or for inline mode but for Trusted Types: the scripts that load parts of a
/// bundle have no use for them.
fn policy(request: &Request, vault: &str) -> String {
    let needed = if request.path.contains("mode=inline") {
        format!("script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' {vault}")
    } else {
        format!(
            "script-src 'self'; frame-src {vault}; require-trusted-types-for 'script'; trusted-types 'none'"
        )
    };
    format!("default-src 'none'; {needed}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
}

/// A page that has the token that was posted.
fn thanks(request: &Request) -> Reply {
    let body = String::from_utf8_lossy(&request.body);
    let token = body.split('&').find_map(|pair| pair.strip_prefix("card_token=")).unwrap_or_default();
    Reply::page(format!("<!doctype html><title>Thank you</title><output id=token>{token}</output>"))
}

/// The file that an address means.
fn file_in(folder: &Path, request: &Request) -> PathBuf {
    let path = request.file().trim_start_matches('/');
    folder.join(if path.is_empty() { "index.html" } else { path })
}

/// Waits until there is a field to type into.
async fn until_shown(form: &Checkout<'_>) -> Result<()> {
    let look = async {
        while form.input(CardField::Number).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), look).await.context("no field for the number in a minute")
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What was built of a project: in cargo's target folder, in which this program lies too.
fn built(project: &str, folder: &str) -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let debug = program.ancestors().find(|folder| folder.ends_with("debug")).context("a debug build")?;
    let built = debug.with_file_name("consumers").join(project).join(folder);
    ensure!(built.is_dir(), "{} is not built; `cargo xtask test` builds it", built.display());
    Ok(built)
}
