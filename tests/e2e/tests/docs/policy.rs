//! The headers in the documentation: with them the examples work, and nothing in them is superfluous.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use cardseal_e2e::{Browser, Stage, visit};

use crate::pay::{Way, eventually};
use crate::project::succeeds;
use crate::scripts;
use crate::shop::{Example, Shop};
use crate::snippets::{Kind, Snippet};
use crate::values::Values;

const CSP: &str = "Content-Security-Policy";

/// Directives that only ever forbid: without them a page works as well, and worse things may.
const RESTRICTIONS: [&str; 4] = ["base-uri", "default-src", "frame-ancestors", "require-trusted-types-for"];

#[tokio::test]
async fn with_exactly_these_headers_a_page_sells_and_with_one_source_less_it_does_not() -> Result<()> {
    visit(async |stage, browser| {
        let values = Values::of(stage)?;
        let (project, sources) = scripts::project(stage, &values)?;
        let shop = Shop::open(stage)?;
        let snippets = Snippet::all()?;
        let mut tried = 0;
        for snippet in &snippets {
            let Kind::Headers(examples) = &snippet.kind else { continue };
            let headers = parse(&values.fill(&snippet.text)?)?;
            for (example, number) in examples.iter().zip(1..) {
                let place = || format!("{} for {}:{}", snippet.place(), example.page, example.number);
                let pages = snippets
                    .iter()
                    .filter(|other| other.page == example.page && matches!(other.kind, Kind::Page(..)));
                let (page, way, member) = match pages.clone().nth(example.number - 1) {
                    Some(Snippet { kind: Kind::Page(way, member), text, .. }) => {
                        (Example::page(&values.fill(text)?).in_files(), *way, member.as_str())
                    }
                    _ => {
                        let mut scripts = sources.iter().filter(|source| source.is_of(&example.page));
                        let source = scripts.nth(example.number - 1).with_context(place)?;
                        (source.example(&project)?, Way::Frame, "card_token")
                    }
                };
                tried += 1;
                let whole = page.clone().with_headers(&reporting(&headers));
                shop.sells(browser, whole, way, member).await.with_context(place)?;
                // What is superfluous is so in the first example already.
                let policy = headers.iter().find(|(name, _)| name == CSP && number == 1);
                for (what, weaker) in policy.map(|(_, policy)| weakened(policy)).unwrap_or_default() {
                    let weaker = page.clone().with_headers(&reporting(&[(CSP.into(), weaker)]));
                    let needed = needs(&shop, browser, weaker, way).await;
                    needed.with_context(|| format!("{} without {what}", place()))?;
                }
            }
        }
        assert!(tried >= 10, "only {tried} pages have headers");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_frame_sends_what_is_said_of_it() -> Result<()> {
    let stage = Stage::set()?;
    let values = Values::of_new_merchant(&stage)?;
    let snippets = Snippet::all()?;
    let said =
        snippets.iter().find(|snippet| snippet.kind == Kind::FrameHeaders).context("csp.md says it")?;
    let address = values.fill("https://vault.example/frame?key=pkey_test_…&origin=https://shop.example")?;
    let sent =
        succeeds(Command::new("curl").args(["--silent", "--fail", "--head", &address]))?.to_lowercase();
    for (name, value) in parse(&said.text)? {
        let line = format!("\n{name}: {value}\r").to_lowercase();
        assert!(sent.contains(&line), "{}: {name}: {value} is not in:\n{sent}", said.place());
    }
    Ok(())
}

/// The headers as pairs.
fn parse(text: &str) -> Result<Vec<(String, String)>> {
    let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    text.lines().map(|line| pair(line).with_context(|| format!("{line} is no header"))).collect()
}

/// The same, with a word to the shop about everything that the browser forbids.
fn reporting(headers: &[(String, String)]) -> Vec<(String, String)> {
    let report = |(name, value): &(String, String)| match name.as_str() {
        CSP => (name.clone(), format!("{value}; report-uri /violations")),
        _ => (name.clone(), value.clone()),
    };
    headers.iter().map(report).collect()
}

/// Every source that a policy allows something from, and the policy without it.
fn weakened(policy: &str) -> Vec<(String, String)> {
    let directives: Vec<Vec<&str>> =
        policy.split(';').map(|directive| directive.split_whitespace().collect()).collect();
    let mut weakened = Vec::new();
    for (number, directive) in directives.iter().enumerate() {
        let Some((name, sources)) = directive.split_first() else { continue };
        if RESTRICTIONS.contains(name) {
            continue;
        }
        for source in sources.iter().filter(|source| **source != "'none'") {
            let mut fewer = directives.clone();
            fewer[number].retain(|word| word != source);
            if fewer[number].len() == 1 {
                fewer[number].push("'none'");
            }
            let policy: Vec<_> = fewer.iter().map(|directive| directive.join(" ")).collect();
            weakened.push((format!("{name} {source}"), policy.join("; ")));
        }
    }
    weakened
}

/// The browser forbids something on the page before it is paid with.
async fn needs(shop: &Shop, browser: &Browser, example: Example, way: Way) -> Result<()> {
    shop.show(browser, example).await?;
    // Some things come to light only when somebody pays; on a page that is broken, paying takes for ever.
    tokio::select! {
        forbidden = eventually("a report", async || !shop.violations().is_empty()) => forbidden?,
        Err(_) | Ok(()) = way.pay(browser) => {
            eventually("a post or a report", async || !shop.violations().is_empty() || !shop.posts().is_empty()).await?;
        }
    }
    ensure!(shop.posts().is_empty(), "the page sells all the same");
    if shop.violations().is_empty() {
        bail!("nothing was forbidden");
    }
    Ok(())
}
