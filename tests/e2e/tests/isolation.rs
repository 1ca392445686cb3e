//! A page that is after the card, with everything that a script may do, learns no digit of it.
//!
//! What it tried and what came of it is written to `target/e2e/isolation-<browser>.txt`, and printed with `--nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use cardseal_e2e::{CardField, Checkout, Page, Reply, TestCard, evidence, visit};
use fantoccini::Locator::Css;
use serde_json::{Value, json};

const TAB: &str = "\u{E004}";
const BACKSPACE: &str = "\u{E003}";

const PAGE: &str = "<!doctype html><meta charset=utf-8><title>Shop</title><link rel=icon href=data:,>
    <script src=/hostile.js></script>
    <form id=checkout onsubmit='return false'><div id=card></div>
    <p><input id=own name=own autocomplete=off><textarea id=more name=more></textarea></form>";

/// Two cards that differ in all that is typed, and in nothing that a page may know: the same brand, the same length.
const CARDS: [TestCard; 2] = [
    TestCard { number: "4988438843884305", expiry: "1230", security_code: "123", name: "Somchai Prasert" },
    TestCard { number: "4646464646464644", expiry: "0931", security_code: "987", name: "Hanako Yamamoto" },
];

/// What the page wrote down, by where it looked.
type Traces = BTreeMap<String, Vec<String>>;

/// A page that is after the card, with a form in it.
struct Spy<'a> {
    page: &'a Page<'a>,
    form: Checkout<'a>,
}

impl<'a> Spy<'a> {
    async fn open(page: &'a Page<'a>) -> Result<Self> {
        page.browser.goto(&page.site.url()).await?;
        let mount = "window.card = (await load()).card();

            for (const name of ['ready', 'change', 'focus', 'blur', 'submit', 'escape', 'error']) {
                card.on(name, (detail) => spy.write(`card.on('${name}')`, detail));
            }
            const loaded = ready(card);
            card.mount('#card');
            spy.watch(document.querySelector('#card iframe'));
            spy.address = spy.iframe.src;
            await loaded";
        page.run(mount).await.context("mounting the form")?;
        Ok(Self { page, form: Checkout::in_frame(page.browser, 0) })
    }

    /// Lets the page look, once everything that has been done so far has had its effect.
    async fn look(&self, name: &str) -> Result<()> {
        self.form.find("body").await?;
        let painted = "return new Promise((resolve) =>
            requestAnimationFrame(() => requestAnimationFrame(() => resolve(true))))";
        self.page.browser.execute(painted, vec![]).await?;
        let step = self.page.browser.run("return spy.step(arguments[0])", vec![json!(name)]).await;
        step.with_context(|| format!("looking after: {name}"))?;
        Ok(())
    }

    /// Presses keys in the field that has the focus, and lets the page look after each.
    async fn press(&self, keys: &str, name: &str) -> Result<()> {
        for (index, key) in keys.chars().enumerate() {
            self.form.find("body").await?;
            self.form.press(&key.to_string()).await?;
            self.look(&format!("{name}, key {index}")).await?;
        }
        Ok(())
    }

    async fn press_with_control(&self, keys: &str, name: &str) -> Result<()> {
        for key in keys.chars() {
            self.form.find("body").await?;
            self.form.press_with_control(key).await?;
            self.look(&format!("{name}: Control and {key}")).await?;
        }
        Ok(())
    }

    /// A whole life of a form: typed, mistyped, complained about, copied, pasted, filled in, refused, tokenized, wrecked.
    async fn suffer(&self, card: TestCard) -> Result<()> {
        let browser = self.page.browser;
        self.look("there").await?;
        self.form.input(CardField::Number).await?.click().await?;
        self.look("a click").await?;

        // With a slip in the last digit.
        let (beginning, last) = card.number.split_at(card.number.len() - 1);
        let slip = (last.parse::<u8>()? + 1) % 10;
        self.press(&format!("{beginning}{slip}"), "a number with a slip").await?;
        self.press(TAB, "on, to a complaint").await?;
        self.form.select(CardField::Number, 19, 19).await?;
        self.press(&format!("{BACKSPACE}{last}"), "the number, mended").await?;
        self.press_with_control("acvaxv", "the clipboard").await?;
        for call in ["tokenize", "reportValidity"] {
            browser
                .run("return card[arguments[0]]().catch(() => null).then(() => true)", vec![json!(call)])
                .await
                .context(call)?;
            self.look(&format!("{call}() on half a card")).await?;
        }
        self.form.input(CardField::Expiry).await?.click().await?;
        self.press(card.expiry, "the expiry").await?;
        self.press(TAB, "on").await?;
        self.press(card.security_code, "the security code").await?;
        self.press(TAB, "on").await?;
        self.press(card.name, "the name").await?;
        browser
            .run(
                "return spy.ask(arguments[0])",
                vec![json!(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])],
            )
            .await
            .context("asking")?;
        self.look("asked everything").await?;
        assert_eq!(self.form.shown(CardField::Number).await?.text.replace(' ', ""), card.number);
        self.tokenize("typed").await?;

        browser.run("card.clear()", vec![]).await?;
        self.look("cleared").await?;
        // As browsers fill in a card: each value whole, with its events, all in one go.
        self.form.find("body").await?;
        let fill = "for (const [id, value] of Object.entries(arguments[0])) {
                const input = document.getElementById(id);
                input.focus();
                input.value = value;
                input.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertReplacementText' }));
                input.dispatchEvent(new Event('change', { bubbles: true }));
            }";
        let expiry = format!("{} / 20{}", &card.expiry[..2], &card.expiry[2..]);
        let values = json!({ "name": card.name, "number": card.number, "expiry": expiry, "security_code": card.security_code });
        browser.execute(fill, vec![values]).await?;
        self.look("filled in").await?;
        self.tokenize("filled in").await?;
        browser.run("return spy.wreck()", vec![]).await.context("wrecking")?;
        Ok(())
    }

    async fn tokenize(&self, name: &str) -> Result<()> {
        let token = self.page.browser.run(
            "return card.tokenize().then((token) => void spy.tokens.push(token)).then(() => true)",
            vec![],
        );
        assert_eq!(token.await.context("tokenizing")?, true);
        self.look(&format!("a token of the card that was {name}")).await?;
        Ok(())
    }

    /// Everything that the page has learned.
    async fn confess(&self) -> Result<Confession> {
        // The way back to the driver is the page's, too, and not to be taken for a find.
        let script = "spy.quiet = true; return JSON.stringify([spy.traces, spy.tried, spy.tokens])";
        let told = self.page.browser.run(script, vec![]).await?;
        let (traces, tried, tokens) = serde_json::from_str(told.as_str().context("a text")?)?;
        Ok(Confession { traces, tried, tokens })
    }
}

/// Everything that a page has learned.
struct Confession {
    traces: Traces,
    /// What it has tried, by name, and what came of it.
    tried: BTreeMap<String, String>,
    tokens: Vec<Value>,
}

/// Looks for a number in what a page wrote down.
struct Search {
    number: &'static str,
    /// Addresses and keys, which the page has had from the beginning. Their digits are by chance.
    known: Vec<String>,
}

impl Search {
    fn new(page: &Page<'_>, number: &'static str) -> Self {
        let port = |url: &str| url.rsplit(':').next().unwrap().to_owned();
        Self { number, known: vec![page.public_key.clone(), port(&page.vault), port(&page.site.url())] }
    }

    /// Four or more digits of it in a row, or the number in one of the forms that bytes of it take.
    fn find(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for known in &self.known {
            text = text.replace(known, "");
        }
        let run = (0..=self.number.len() - 4)
            .map(|from| &self.number[from..from + 4])
            .find(|run| text.contains(run));
        run.map(str::to_owned).or_else(|| {
            let traces = evidence::search(self.number, "a trace", text.as_bytes());
            traces.first().map(|trace| trace.form.to_owned())
        })
    }

    /// The channels in which the number shows, whole, in part, or one digit after another.
    fn channels(&self, traces: &Traces) -> BTreeSet<String> {
        let shows = |texts: &Vec<String>| {
            let singles: String = texts.iter().filter_map(|text| single_digit(text)).collect();
            texts.iter().any(|text| self.find(text).is_some()) || self.find(&singles).is_some()
        };
        traces.iter().filter(|(_, texts)| shows(texts)).map(|(channel, _)| channel.clone()).collect()
    }
}

/// The first digit that stands alone in a text of JSON, as those of `"key":"4"` and `"code":"Digit4"` do.
fn single_digit(text: &str) -> Option<char> {
    text.split(':').find_map(|part| {
        let value = part.strip_prefix('"')?.split('"').next()?;
        let mut characters = value.strip_prefix("Digit").unwrap_or(value).chars();
        characters.next().filter(|first| first.is_ascii_digit() && characters.next().is_none())
    })
}

#[tokio::test]
async fn a_page_that_tries_everything_learns_no_digit() -> Result<()> {
    visit(async |stage, browser| {
        let mut page = Page::serve(stage, browser, |request| match request.file() {
            "/" => Some(Reply::page(PAGE)),
            "/hostile.js" => Some(Reply::script(include_str!("../pages/hostile.js"))),
            "/worker.js" => Some(Reply::script(include_str!("../pages/worker.js"))),
            "/empty" => Some(Reply::page("<!doctype html><title>Mine</title>")),
            _ => Some(Reply::page("").status(404)),
        })?;
        // Another site altogether, as in life.
        page.vault = page.vault.replace("127.0.0.1", "localhost");

        // Its service worker has hold of the page from the second time on.
        browser.goto(&page.site.url()).await?;
        browser.wait_for("return navigator.serviceWorker.controller !== null").await?;
        let mut all = Vec::new();
        for card in CARDS {
            let spy = Spy::open(&page).await?;
            spy.suffer(card).await?;
            all.push(spy.confess().await?);
        }
        let control = control(&page, CARDS[0]).await?.traces;

        let search = Search::new(&page, CARDS[0].number);
        let found = search.channels(&control);
        report(&all[0], &found)?;
        // A search that finds nothing where everything is would mean nothing.
        for channel in [
            "the window hears keydown",
            "the window hears input",
            "the window hears paste",
            "what a look at the page shows",
        ] {
            assert!(found.contains(channel), "{channel} is not in {found:?}");
        }
        for (card, Confession { traces, tried, tokens }) in CARDS.into_iter().zip(&all) {
            let search = Search::new(&page, card.number);
            assert!(traces["the loader's port"].len() > 50, "the page did listen");
            assert!(tried.len() > 90, "{}", tried.len());
            assert_eq!(search.channels(traces), BTreeSet::new(), "{}", card.number);
            for (name, outcome) in tried {
                assert_eq!(search.find(outcome), None, "{name}: {outcome}");
            }
            // What a page is given has the last four digits, which anyone may see (PCI DSS 3.4.1), and no others.
            assert_eq!(tokens.len(), 2);
            for token in tokens {
                let last = &card.number[12..];
                assert_eq!(token["card"]["last_digits"], last);
                assert_eq!(search.find(&token.to_string().replacen(last, "", 1)), None, "{token}");
            }
        }
        assert_same(&all[0].traces, &all[1].traces);
        Ok(())
    })
    .await
}

/// The page's own input, with the same card: what it hears, it writes down.
async fn control(page: &Page<'_>, card: TestCard) -> Result<Confession> {
    let spy = Spy::open(page).await?;
    let own = page.browser.find(Css("#own")).await?;
    own.click().await?;
    for key in card.number.chars() {
        spy.form.press(&key.to_string()).await?;
    }
    for key in ['a', 'c', 'v'] {
        spy.form.press_with_control(key).await?;
    }
    spy.look("its own input").await?;
    spy.confess().await
}

/// Message for message, height for height, look for look.
fn assert_same(one: &Traces, other: &Traces) {
    // What comes at a time of its own, and not at a step: it is searched, and not compared.
    let untimed = |channel: &str| {
        ["performance:", "calls of", "a service worker", "afterwards,"]
            .iter()
            .any(|name| channel.starts_with(name))
    };
    let names: BTreeSet<_> = one.keys().chain(other.keys()).filter(|name| !untimed(name)).collect();
    let nothing = Vec::new();
    let mut differences = String::new();
    for name in names {
        let (one, other) = (one.get(name).unwrap_or(&nothing), other.get(name).unwrap_or(&nothing));
        let differing = one.iter().zip(other).position(|(one, other)| one != other);
        if one.len() != other.len() || differing.is_some() {
            let at = differing.unwrap_or(one.len().min(other.len()));
            let _ = write!(
                differences,
                "{name}: {} and {} entries, from {at} on:\n  {:?}\n  {:?}\n",
                one.len(),
                other.len(),
                one.get(at),
                other.get(at)
            );
        }
    }
    assert!(differences.is_empty(), "two cards that nobody may tell apart can be told apart:\n{differences}");
}

/// Writes down what was tried.
fn report(Confession { traces, tried, .. }: &Confession, control: &BTreeSet<String>) -> Result<()> {
    let mut text = String::from("What a page tried to learn of a card in the frame, and what came of it\n\n");
    for (name, outcome) in tried {
        let outcome: String = outcome.chars().take(160).collect();
        writeln!(text, "- {name}{}{outcome}", if outcome.is_empty() { "" } else { ": " })?;
    }
    writeln!(text, "\nWhere it wrote down what it saw and heard; none of it has a digit of the card\n")?;
    for (channel, entries) in traces.iter().filter(|(channel, _)| !channel.starts_with("tried: ")) {
        writeln!(text, "- {channel}: {} entries", entries.len())?;
    }
    writeln!(
        text,
        "\nWhere the same search finds the same card when it is typed into an input of the page's own\n"
    )?;
    for channel in control {
        writeln!(text, "- {channel}")?;
    }
    print(&text);
    let name = env::var("BROWSER").unwrap_or_else(|_| "chromium".into());
    let folder = env::current_exe()?.ancestors().nth(3).unwrap().join("e2e");
    std::fs::write(folder.join(format!("isolation-{name}.txt")), text)?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what was tried is what this test has to tell")]
fn print(text: &str) {
    println!("{text}");
}
