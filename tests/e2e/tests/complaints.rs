//! What people complain about with other card fields, one test for each of the twenty complaints in docs/complaints.md.
//! The number in a name is the complaint's. Where more is to be said of one than fits here, other tests say it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use cardseal_e2e::{CardField, Checkout, Page, Reply, Shown, TestCard, visit};
use fantoccini::Locator::Css;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use serde_json::{Value, json, to_value};

const TAB: char = '\u{E004}';
const SHIFT: char = '\u{E008}';
const ENTER: &str = "\u{E007}";
const BACKSPACE: &str = "\u{E003}";

/// A place for the form, between two inputs of the page's.
const BETWEEN: &str = "<!doctype html><meta charset=utf-8><title>Shop</title>
    <input id=before><div id=card></div><input id=after>";

/// The form's inputs, set as a password manager sets them: values and events, and the focus elsewhere.
const FILL: &str = "
    for (const [id, value] of arguments[1]) {
        const input = arguments[0].elements.namedItem(id);
        input.value = value;
        for (const name of ['input', 'change']) {
            input.dispatchEvent(new Event(name, { bubbles: true, composed: true }));
        }
    }";

fn shown(marked: &str) -> Shown {
    Shown { caret: marked.find('|').unwrap() as u64, text: marked.replace('|', "") }
}

fn is_token(token: &Value) -> bool {
    token["id"].as_str().is_some_and(|id| id.starts_with("tokn_test_"))
}

/// Does something to a form in the frame, then to one in the page.
async fn in_each_mode(html: &str, test: impl AsyncFn(&Page<'_>, &Checkout<'_>) -> Result<()>) -> Result<()> {
    visit(async |stage, browser| {
        for mode in ["hosted", "inline"] {
            let page = Page::open(stage, browser, Reply::page(html)).await?;
            let form = page.mount_as(mode, "{}").await?;
            test(&page, &form).await?;
        }
        Ok(())
    })
    .await
}

async fn fill(page: &Page<'_>, form: &Checkout<'_>, values: &[(&str, &str)]) -> Result<()> {
    let element = to_value(form.find("form").await?)?;
    page.browser.execute(FILL, vec![element, json!(values)]).await?;
    Ok(())
}

/// Runs a script where the form is, with the form's element as its argument.
async fn ask(page: &Page<'_>, form: &Checkout<'_>, script: &str) -> Result<Value> {
    let element = to_value(form.find("form").await?)?;
    Ok(page.browser.execute(&format!("const [form] = arguments; {script}"), vec![element]).await?)
}

/// The last change that the page was told of; asked for after the form has answered, so that none is on its way.
async fn state(page: &Page<'_>) -> Result<Value> {
    page.run("await card.update({ disabled: false }); return state").await
}

/// A file of the package's, as `cargo xtask build` made it.
fn package(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pkg").join(file)
}

fn integrity() -> Result<Vec<Value>> {
    let list: Value = serde_json::from_slice(&fs::read(package("integrity.json"))?)?;
    Ok(list["files"].as_array().unwrap().clone())
}

/// The fields are in one document, so a filler that reads one reads all. More fillers, writings and orders are in
/// `autofill`.
#[tokio::test]
async fn c01_autofill_fills_every_field_in_one_go() -> Result<()> {
    in_each_mode(Page::BARE, async |page, form| {
        let card = [
            ("number", "4242424242424242"),
            ("expiry", "12/30"),
            ("security_code", "123"),
            ("name", "A Person"),
        ];
        fill(page, form, &card).await?;
        assert_eq!(state(page).await?["complete"], true);
        assert!(is_token(&page.run("return card.tokenize()").await?));
        // What made Safari 18 refuse to fill others in.
        assert_eq!(ask(page, form, "return form.querySelectorAll('[pattern]').length").await?, 0);
        Ok(())
    })
    .await
}

/// More of it, year by year and filler by filler, is in `autofill`.
#[tokio::test]
async fn c02_a_year_of_four_digits_is_not_cut() -> Result<()> {
    in_each_mode(Page::BARE, async |page, form| {
        let rest = [("number", "4242424242424242"), ("security_code", "123"), ("name", "A Person")];
        fill(page, form, &rest).await?;
        for expiry in ["12/2030", "122030", "2030-12", "12/30"] {
            fill(page, form, &[("expiry", expiry)]).await?;
            let token = page.run("return card.tokenize()").await?;
            assert_eq!(token["card"]["expiration_year"], 2030, "{expiry}");
            assert_eq!(token["card"]["expiration_month"], 12, "{expiry}");
        }
        for year in ["2030", "30"] {
            fill(page, form, &[("expiry", year)]).await?;
            assert_eq!(form.shown(CardField::Expiry).await?.text, year);
            let error = page.run("return failure(card.tokenize())").await?;
            assert_eq!(
                (&error["code"], &error["field"]),
                (&json!("incomplete_card"), &json!("expiry")),
                "{year}"
            );
        }
        Ok(())
    })
    .await
}

/// There is no Android here. What its keyboards do is played: they compose digits too, and set the caret once the text
/// has changed, so a form that formats before the composition is over moves it from under them.
#[tokio::test]
async fn c03_the_caret_stays_and_digits_keep_their_order() -> Result<()> {
    in_each_mode(Page::BARE, async |page, form| {
        let number = CardField::Number;
        form.type_into(number, "42424242").await?;
        form.select(number, 2, 2).await?;
        form.press("357").await?;
        assert_eq!(form.shown(number).await?, shown("4235 7|424 242"));
        form.press(BACKSPACE).await?;
        assert_eq!(form.shown(number).await?, shown("4235| 4242 42"));

        // While somebody types, nothing is cleared.
        form.press("\u{E004}").await?;
        page.run("card.clear(); await card.update({ disabled: false })").await?;
        form.select(number, 0, 0).await?;
        let compose = "
            const input = form.elements.namedItem('number');
            const compose = (name, data) => input.dispatchEvent(
                new CompositionEvent(name, { bubbles: true, composed: true, data }));
            const type = (digit, at) => {
                compose('compositionstart', '');
                input.value = input.value.slice(0, at) + digit + input.value.slice(at);
                input.setSelectionRange(at + 1, at + 1);
                const init = { bubbles: true, composed: true, inputType: 'insertCompositionText', data: digit };
                input.dispatchEvent(new InputEvent('input', { ...init, isComposing: true }));
                // What the keyboard believes is there, until it says that it is done.
                const [seen, caret] = [input.value, input.selectionStart];
                compose('compositionend', digit);
                return seen[caret - 1] === digit;
            };
            let kept = true;
            for (const digit of '37828224') kept &&= type(digit, input.selectionStart);
            const typed = [input.value, input.selectionStart];
            input.setSelectionRange(2, 2);
            for (const digit of '915') kept &&= type(digit, input.selectionStart);
            return { kept, typed, inserted: [input.value, input.selectionStart] };";
        let told = ask(page, form, compose).await?;
        assert_eq!(
            told,
            json!({ "kept": true, "typed": ["3782 8224", 9], "inserted": ["3791 582822 4", 6] })
        );
        Ok(())
    })
    .await
}

/// There is no iPhone here. Its keyboard's arrows lead from input to input of one document, which all fields are in,
/// and no input beside them; it zooms in on text below 16 pixels; and setting the caret of an input without the focus
/// moves the focus there.
#[tokio::test]
async fn c04_fields_are_inputs_of_one_document_and_only_the_focused_one_has_its_caret_set() -> Result<()> {
    in_each_mode(BETWEEN, async |page, form| {
        let inputs = ask(
            page,
            form,
            "const stops = form.getRootNode().querySelectorAll('input, select, textarea, button, [tabindex]');
            return [...stops].map((input) => ({
                id: input.id,
                keyboard: input.inputMode,
                large: parseFloat(getComputedStyle(input).fontSize) >= 16,
                free: !input.hasAttribute('maxlength') && input.tabIndex === 0 && input.form === form,
            }))",
        );
        let expected =
            [("number", "numeric"), ("expiry", "numeric"), ("security_code", "numeric"), ("name", "text")]
                .map(|(id, keyboard)| json!({ "id": id, "keyboard": keyboard, "large": true, "free": true }));
        assert_eq!(inputs.await?, json!(expected));

        let count = "
            const { setSelectionRange } = HTMLInputElement.prototype;
            window.carets = [];
            HTMLInputElement.prototype.setSelectionRange = function (...range) {
                carets.push(this.id);
                return setSelectionRange.apply(this, range);
            };";
        ask(page, form, count).await?;
        let carets = "const told = [...new Set(carets)]; carets.length = 0; return told";
        let card = [("number", "4242424242424242"), ("expiry", "12/30"), ("security_code", "123")];
        fill(page, form, &card).await?;
        assert_eq!(ask(page, form, carets).await?, json!([]), "the focus was never there");
        form.type_into(CardField::Number, "1").await?;
        assert_eq!(ask(page, form, carets).await?, json!(["number"]));
        page.browser.find(Css("#after")).await?.click().await?;
        fill(page, form, &card).await?;
        assert_eq!(ask(page, form, carets).await?, json!([]), "the focus has gone");
        assert_eq!(page.run("return document.activeElement.id").await?, "after");
        Ok(())
    })
    .await
}

/// There is no Safari here. The second Tab is the one into the next frame, and there is one frame.
#[tokio::test]
async fn c05_one_tab_leads_to_the_next_field_in_and_out_and_back() -> Result<()> {
    in_each_mode(BETWEEN, async |page, form| {
        page.run(
            "window.told = [];
            card.on('focus', ({ field }) => told.push(field));
            for (const id of ['before', 'after']) document.getElementById(id).onfocus = () => told.push(id);",
        )
        .await?;
        let stops = ["before", "number", "expiry", "security_code", "name", "after"];
        page.browser.find(Css("#before")).await?.click().await?;
        for _ in 1..stops.len() {
            form.press(&TAB.to_string()).await?;
        }
        let wait = |count: usize| format!("return told.length >= {count}");
        // What a frame tells comes a moment after what happens in the page, so each has an order of its own.
        let told = "const own = told.filter((id) => /before|after/.test(id));
            const other = told.filter((id) => !own.includes(id));
            return [other, own, document.activeElement.id]";
        page.browser.wait_for(&wait(stops.len())).await?;
        assert_eq!(page.run(told).await?, json!([stops[1..5], ["before", "after"], "after"]));

        page.run("told.length = 0").await?;
        let backwards = [KeyAction::Down { value: SHIFT }]
            .into_iter()
            .chain(
                (1..stops.len()).flat_map(|_| [KeyAction::Down { value: TAB }, KeyAction::Up { value: TAB }]),
            )
            .chain([KeyAction::Up { value: SHIFT }])
            .fold(KeyActions::new("keyboard".into()), KeyActions::then);
        page.browser.perform_actions(backwards).await?;
        page.browser.wait_for(&wait(stops.len() - 1)).await?;
        let back: Vec<_> = stops[1..5].iter().rev().collect();
        assert_eq!(page.run(told).await?, json!([back, ["before"], "before"]));
        Ok(())
    })
    .await
}

/// The lines to paste, and what each source of theirs is for, are tested in `docs::policy`.
#[tokio::test]
async fn c06_no_policy_needs_unsafe_inline_or_unsafe_eval_or_a_nonce() -> Result<()> {
    visit(async |stage, browser| {
        let vault = stage.vault_url();
        let policy = format!(
            "default-src 'none'; script-src {vault}; frame-src {vault}; require-trusted-types-for 'script'; \
             trusted-types 'none'"
        );
        let reply = Reply::page(Page::BARE).with("Content-Security-Policy", &policy);
        let page = Page::open(stage, browser, reply).await?;
        page.run(
            "window.violations = [];
            addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective))",
        )
        .await?;
        let form = page.mount().await?;
        assert!(is_token(&page.tokenize(&form, TestCard::VISA, "card").await?));
        assert_eq!(page.run("return violations").await?, json!([]));

        // The frame's own.
        let frame = ask(&page, &form, "return location.href").await?;
        browser.goto(frame.as_str().unwrap()).await?;
        let own = browser
            .run(
                "return fetch(location.href).then(({ headers }) => headers.get('content-security-policy'))",
                vec![],
            )
            .await?;
        let own = own.as_str().unwrap();
        assert!(
            own.contains("default-src 'none'") && own.contains("script-src 'self' 'wasm-unsafe-eval'"),
            "{own}"
        );
        for loose in ["'unsafe-inline'", "'unsafe-eval'", "'nonce-", "*", "data:", "blob:"] {
            assert!(!own.contains(loose), "{own}");
        }
        Ok(())
    })
    .await
}

/// That a live vault serves what was released is what `cardseal-vault verify` finds out (`verify`), and that changed
/// files never run is tested in `failures`.
#[tokio::test]
async fn c07_every_script_has_a_digest_and_a_version_of_its_own() -> Result<()> {
    visit(async |stage, browser| {
        let page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
        let files = integrity()?;
        for file in &files {
            assert!(file["integrity"].as_str().unwrap().starts_with("sha384-"), "{file}");
            assert!(!file["purpose"].as_str().unwrap().is_empty(), "{file}: PCI DSS 6.4.3 asks what it is for");
        }
        let loader = files.iter().find(|file| file["path"] == "cardseal.js").unwrap();
        let digest = loader["integrity"].as_str().unwrap();
        let include = |integrity: &str| {
            format!(
                "const script = document.createElement('script');
                const attributes = {{ type: 'module', crossOrigin: 'anonymous', integrity: '{integrity}' }};
                Object.assign(script, attributes, {{ src: `${{vault}}/v1/cardseal.js` }});
                return new Promise((resolve) => {{
                    script.onload = script.onerror = (event) => resolve(event.type);
                    document.head.append(script);
                }})"
            )
        };
        // The wrong one first: once it has been loaded, a module is not looked at again.
        let wrong = format!("sha384-{}", "A".repeat(64));
        assert_eq!(page.run(&include(&wrong)).await?, "error");
        browser.refresh().await?;
        assert_eq!(page.run(&include(digest)).await?, "load");

        let form = page.mount().await?;
        let scripts = ask(
            &page,
            &form,
            "return [...document.scripts].map(({ src, integrity, textContent }) => [src, integrity, textContent])",
        );
        let scripts = scripts.await?;
        assert!(!scripts.as_array().unwrap().is_empty());
        for script in scripts.as_array().unwrap() {
            let [src, integrity] = [&script[0], &script[1]].map(|text| text.as_str().unwrap());
            let path = src.strip_prefix(stage.vault_url()).unwrap();
            let hash = path.strip_suffix(".js").and_then(|path| path.rsplit('-').next()).unwrap();
            assert!(hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit()), "{src}");
            assert!(files.iter().any(|file| file["integrity"] == *integrity), "{src} {integrity}");
            assert_eq!(script[2], "", "and no script within the page");
            let caching = format!("return (await fetch('{src}')).headers.get('cache-control')");
            let caching = page.run(&caching).await?;
            assert!(caching.as_str().unwrap().contains("immutable"), "{caching}");
        }
        Ok(())
    })
    .await
}

/// Everything that goes over the network from the page's first script to the token, and everything that is kept.
#[tokio::test]
async fn c08_there_are_no_cookies_no_storage_and_no_requests_but_those_for_the_token() -> Result<()> {
    visit(async |stage, browser| {
        let page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
        // From before there is any of it, so that a beacon would be in it too.
        let requests = "return performance.getEntriesByType('resource')
            .map(({ name }) => name.replace(/\\?.*/, '').replace(/-[0-9a-f]{16}\\./, '-HASH.'))
            .filter((name) => !name.endsWith('/favicon.ico'))";
        let form = page.mount().await?;
        assert!(is_token(&page.tokenize(&form, TestCard::VISA, "card").await?));
        // Nor after it: whoever reports at the end of a visit does it when the page is hidden or left.
        page.run(
            "document.dispatchEvent(new Event('visibilitychange')); dispatchEvent(new Event('pagehide'))",
        )
        .await?;
        let vault = stage.vault_url();
        let at_vault =
            |paths: &[&str]| paths.iter().map(|path| format!("{vault}{path}")).collect::<BTreeSet<_>>();
        let told = |list: Value| serde_json::from_value::<Vec<String>>(list);
        let of_page = told(page.run(requests).await?)?;
        assert_eq!(
            of_page.iter().cloned().collect::<BTreeSet<_>>(),
            at_vault(&["/v1/cardseal.js", "/frame"])
        );
        assert_eq!(of_page.len(), 2, "each of them once: {of_page:?}");
        let of_frame = told(ask(&page, &form, requests).await?)?;
        assert_eq!(
            of_frame.iter().cloned().collect::<BTreeSet<_>>(),
            at_vault(&[
                "/v1/frame-HASH.js",
                "/v1/cardseal_bg-HASH.wasm",
                "/v1/locales/en-HASH.json",
                "/tokens",
            ])
        );
        // A file that is preloaded is told of as a link's, and again as it is fetched.
        let posts = of_frame.iter().filter(|name| name.ends_with("/tokens")).count();
        assert_eq!(posts, 1, "{of_frame:?}");

        let kept = "return (async () => [
            document.cookie,
            localStorage.length,
            sessionStorage.length,
            (await indexedDB.databases()).length,
            // What is not there in an insecure context keeps nothing.
            globalThis.caches ? (await caches.keys()).length : 0,
            navigator.serviceWorker ? (await navigator.serviceWorker.getRegistrations()).length : 0,
        ])()";
        let nothing = json!(["", 0, 0, 0, 0, 0]);
        assert_eq!(page.run(kept).await?, nothing, "in the page");
        assert_eq!(ask(&page, &form, kept).await?, nothing, "in the frame");
        // Those that no script sees, too.
        browser.enter_parent_frame().await?;
        assert!(browser.get_all_cookies().await?.is_empty());
        browser.goto(&format!("{vault}/livez")).await?;
        assert!(browser.get_all_cookies().await?.is_empty());
        Ok(())
    })
    .await
}

/// The bytes that go over the network, brotli, by what `pkg/integrity.json` says, which `tests/npm/package.test.mjs`
/// holds against the files.
#[test]
fn c09_the_bundle_stays_within_its_budget() -> Result<()> {
    /// Three kilobytes on the merchant's page.
    const LOADER: u64 = 3 * 1024;
    /// All of it, in bytes: what it weighs, and a little. Most is the wasm.
    const EVERYTHING: u64 = 70_500;
    let files = integrity()?;
    let bytes = |path: &str| {
        let file = files.iter().find(|file| file["path"] == path).unwrap();
        file["encodings"]["br"]["bytes"].as_u64().unwrap()
    };
    assert!(bytes("cardseal.js") <= LOADER, "{}", bytes("cardseal.js"));
    for locale in ["en", "ja", "th"] {
        let everything = bytes("cardseal.js")
            + bytes("frame.js")
            + bytes("cardseal_bg.wasm")
            + bytes(&format!("locales/{locale}.json"));
        assert!(everything <= EVERYTHING, "{locale}: {everything}");
    }
    Ok(())
}

/// Each of the causes by its code is in `failures`.
#[tokio::test]
async fn c10_what_does_not_load_is_an_error_and_words_and_the_next_call_loads_it() -> Result<()> {
    visit(async |stage, browser| {
        let page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
        let wrong = "return failure(load({ mode: 'inline', wasm: '/nothing.wasm' }))";
        let error = page.run(wrong).await?;
        assert_eq!((&error["code"], &error["retryable"]), (&json!("load_failed"), &json!(true)), "{error}");
        page.run("await load({ mode: 'inline' })").await?;

        page.run("window.card = (await load()).card()").await?;
        stage.stop_vault();
        let error = page
            .run(
                "const { setTimeout } = window;
                // Nobody waits for a vault that is not there.
                window.setTimeout = (work) => setTimeout(work, 0);
                const failed = new Promise((resolve) => card.on('error', resolve));
                card.mount('#card');
                const error = await failed;
                window.setTimeout = setTimeout;
                return plain(error)",
            )
            .await?;
        assert_eq!((&error["code"], &error["retryable"]), (&json!("load_failed"), &json!(true)), "{error}");
        let words = page.run("return document.querySelector('#card [role=alert]').textContent").await?;
        assert!(words.as_str().unwrap().starts_with("The card form could not be loaded."), "{words}");
        stage.start_vault()?;
        page.run("const loaded = ready(card); card.mount('#card'); await loaded").await?;
        let form = Checkout::in_frame(browser, 0);
        assert!(is_token(&page.tokenize(&form, TestCard::VISA, "card").await?));
        Ok(())
    })
    .await
}

/// React itself, StrictMode and all, and Vue are in `wrappers`.
#[tokio::test]
async fn c11_mounting_twice_makes_one_form_and_rendering_again_empties_nothing() -> Result<()> {
    in_each_mode(Page::BARE, async |page, form| {
        // What StrictMode makes of an effect: set up, clean up, set up.
        page.run("const loaded = ready(card); card.mount('#card'); card.unmount(); card.mount('#card'); await loaded")
            .await?;
        assert_eq!(page.run("return document.querySelector('#card').childElementCount").await?, 1);
        form.type_card(TestCard::VISA).await?;
        // What a component does when it renders with new properties.
        page.run("await card.update({ appearance: { radius: 2 } }); await card.update({ texts: {} })").await?;
        assert_eq!(form.shown(CardField::Number).await?.text, "4242 4242 4242 4242");
        assert!(is_token(&page.run("return card.tokenize()").await?));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn c12_a_web_component_may_hold_the_form() -> Result<()> {
    visit(async |stage, browser| {
        for mode in ["hosted", "inline"] {
            let (vault, key) = (stage.vault_url(), stage.public_key());
            let script = if mode == "inline" { "inline" } else { "cardseal" };
            let component = format!(
                "<pay-box></pay-box><script type=module>
                import {{ loadCardseal }} from '{vault}/v1/{script}.js';
                const cardseal = await loadCardseal({{ publicKey: '{key}', vault: '{vault}', mode: '{mode}' }});
                customElements.define('pay-box', class extends HTMLElement {{
                    constructor() {{
                        super();
                        this.place = this.attachShadow({{ mode: 'closed' }}).appendChild(document.createElement('div'));
                    }}
                    connectedCallback() {{
                        window.card = cardseal.card();
                        card.on('ready', () => (this.dataset.is = 'ready'));
                        card.mount(this.place);
                    }}
                }});
                </script>"
            );
            let html = Page::BARE.replace("<div id=card></div>", &component);
            let page = Page::open(stage, browser, Reply::page(html)).await?;
            browser.wait_for("return document.querySelector('pay-box[data-is=ready]') !== null").await?;
            if mode == "hosted" {
                let form = Checkout::in_shadow_of(browser, "pay-box");
                assert!(is_token(&page.tokenize(&form, TestCard::VISA, "card").await?));
            } else {
                // The form's own root is within the component's.
                page.run("card.focus()").await?;
                let (tab, card) = (TAB.to_string(), TestCard::VISA);
                let keys = [card.number, card.expiry, card.security_code, card.name].join(&tab);
                Checkout::in_frame(browser, 0).press(&keys).await?;
                assert!(is_token(&page.run("return card.tokenize()").await?));
            }
        }
        Ok(())
    })
    .await
}

/// Role and name are those that the browser works out for screen readers.
#[tokio::test]
async fn c13_a_screen_reader_hears_names_and_complaints() -> Result<()> {
    in_each_mode(Page::BARE, async |page, form| {
        let accessible = async |selector: &str| page.browser.accessible(&form.find(selector).await?).await;
        let is = |role: &str, name: &str| (role.to_owned(), name.to_owned());
        assert_eq!(accessible("form").await?, is("form", "Card details"));
        for (field, name) in [
            ("#number", "Card number"),
            ("#expiry", "Expiry date"),
            ("#security_code", "Security code"),
            ("#name", "Name on card"),
        ] {
            assert_eq!(accessible(field).await?, is("textbox", name));
        }
        if let Ok(frame) = page.browser.find(Css("#card iframe")).await {
            assert_eq!(page.browser.accessible(&frame).await?.1, "Card details");
        }

        // The regions that speak are there from the beginning, and stay the same ones.
        let regions = "return [...form.querySelectorAll('input')].map((input) => {
            const region = input.getRootNode().getElementById(input.getAttribute('aria-describedby'));
            region.seen ??= input.id;
            const invalid = input.getAttribute('aria-invalid');
            return [region.getAttribute('aria-live'), region.seen, region.textContent, invalid];
        })";
        let fields = ["number", "expiry", "security_code", "name"];
        let silent = fields.map(|field| json!(["polite", field, "", null]));
        assert_eq!(ask(page, form, regions).await?, json!(silent));
        assert_eq!(page.run("return card.reportValidity()").await?, false);
        let told = ask(page, form, regions).await?;
        for (at, field) in fields.iter().enumerate() {
            let words = told[at][2].as_str().unwrap();
            assert!(words.ends_with('.'), "{told}");
            assert_eq!(told[at], json!(["polite", field, words, "true"]));
        }
        form.press("4242424242424242").await?;
        let mended = ask(page, form, regions).await?;
        assert_eq!(mended[0], json!(["polite", "number", "", "false"]), "the focus was led to it");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn c14_enter_presses_the_forms_button_if_that_can_be_pressed() -> Result<()> {
    let html = "<!doctype html><meta charset=utf-8><title>Shop</title>
        <form><div id=card></div><button type=button>Not this</button><button name=pay value=now>Pay</button></form>";
    in_each_mode(html, async |page, form| {
        page.run(
            "window.told = [];
            document.forms[0].onsubmit = (event) => {
                event.preventDefault();
                told.push(event.submitter?.value ?? 'nobody');
            };
            window.pay = document.querySelector('[name=pay]')",
        )
        .await?;
        form.type_into(CardField::Number, ENTER).await?;
        page.browser.wait_for("return told.length > 0").await?;
        assert_eq!(page.run("return told").await?, json!(["now"]), "once, and by the button");

        // The events that follow come after the one that is not to come.
        page.run("told.length = 0; pay.disabled = true; card.on('escape', () => told.push('escape'))")
            .await?;
        form.type_into(CardField::Name, ENTER).await?;
        form.press("\u{E00C}").await?;
        page.browser.wait_for("return told.length > 0").await?;
        assert_eq!(page.run("return told").await?, json!(["escape"]), "a disabled button cannot be pressed");

        page.run("told.length = 0; pay.remove()").await?;
        form.type_into(CardField::Expiry, ENTER).await?;
        page.browser.wait_for("return told.length > 0").await?;
        assert_eq!(page.run("return told").await?, json!(["nobody"]), "a form without a button is submitted");

        page.run("told.length = 0; card.on('submit', () => told.push('listener'))").await?;
        form.type_into(CardField::SecurityCode, ENTER).await?;
        page.browser.wait_for("return told.length > 0").await?;
        assert_eq!(page.run("return told").await?, json!(["listener"]), "the page does what it likes");
        Ok(())
    })
    .await
}

/// A font of the page's is refused for a reason: it can show other digits than those that were typed, and tell its
/// server which were asked for.
#[tokio::test]
async fn c15_a_typeface_of_the_list_is_taken_and_a_font_of_the_pages_is_not() -> Result<()> {
    in_each_mode(Page::BARE, async |page, form| {
        let family = "return getComputedStyle(form.elements.namedItem('number')).fontFamily";
        for (name, stack) in
            [("georgia", "Georgia, serif"), ("noto-sans-thai", "\"Noto Sans Thai\", sans-serif")]
        {
            page.run(&format!("await card.update({{ appearance: {{ fontFamily: '{name}' }} }})")).await?;
            assert_eq!(ask(page, form, family).await?, stack);
        }
        for font in ["Shop Sans", "url(https://shop.example/font.woff2)", "serif;color:red", "GEORGIA", ""] {
            let update = format!("return failure(card.update({{ appearance: {{ fontFamily: '{font}' }} }}))");
            assert_eq!(page.run(&update).await?["code"], "invalid_options", "{font}");
        }
        assert_eq!(
            ask(page, form, family).await?,
            "\"Noto Sans Thai\", sans-serif",
            "what was refused changed nothing"
        );
        assert_eq!(ask(page, form, "return document.fonts.size").await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn c16_every_text_and_the_language_can_be_the_pages_own() -> Result<()> {
    visit(async |stage, browser| {
        for mode in ["hosted", "inline"] {
            let page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
            let options = "{ texts: { number_label: 'Kartennummer', number_placeholder: 'Ziffern',
                number_incomplete: 'Zu kurz.' } }";
            let form = page.mount_as(mode, options).await?;
            let seen = "return [...form.querySelectorAll('input')].slice(0, 2)
                    .map((input) => [input.labels[0].textContent, input.placeholder])";
            let english = json!([["Kartennummer", "Ziffern"], ["Expiry date", "MM / YY"]]);
            assert_eq!(ask(&page, &form, seen).await?, english, "{mode}");
            form.type_into(CardField::Number, "42").await?;
            form.press(&TAB.to_string()).await?;
            assert_eq!(form.complaint(CardField::Number).await?, "Zu kurz.");

            page.run("await card.update({ locale: 'ja' })").await?;
            let japanese = json!([["Kartennummer", "Ziffern"], ["有効期限", "MM / YY"]]);
            let told = ask(&page, &form, seen).await?;
            assert_eq!((&told[0], &told[1][0]), (&japanese[0], &japanese[1][0]), "{mode}: {told}");
            page.run("await card.update({ texts: {} })").await?;
            assert_eq!(ask(&page, &form, seen).await?[0][0], "カード番号", "{mode}");
            assert_eq!(form.shown(CardField::Number).await?.text, "42", "what was typed is still there");
        }
        Ok(())
    })
    .await
}

/// Other widths and appearances are in `hosted`.
#[tokio::test]
async fn c17_nothing_moves_while_the_frame_loads() -> Result<()> {
    visit(async |stage, browser| {
        let page = Page::open(stage, browser, Reply::page(BETWEEN)).await?;
        page.run(
            "window.card = (await load()).card();
            const after = document.querySelector('#after');
            window.places = new Set();
            // At every frame that is painted.
            const look = () => { places.add(after.getBoundingClientRect().top); requestAnimationFrame(look); };
            const loaded = ready(card);
            card.mount('#card');
            look();
            await loaded",
        )
        .await?;
        let form = Checkout::in_frame(browser, 0);
        form.type_card(TestCard::VISA).await?;
        assert_eq!(page.run("return places.size").await?, 1, "the input below stayed where it was");
        // The frame is not one of those that browsers put off until they are in sight.
        assert_ne!(page.run("return document.querySelector('iframe').loading").await?, "lazy");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn c18_what_is_pasted_is_neither_cut_nor_refused() -> Result<()> {
    in_each_mode(BETWEEN, async |page, form| {
        let number = CardField::Number;
        for (there, pasted, seen, status) in [
            ("", " 4242 4242 4242 4242 ", "4242 4242 4242 4242", "valid"),
            ("", "4242-4242-4242-4242", "4242 4242 4242 4242", "valid"),
            // A longer number over a shorter one.
            ("378282246310005", "4242424242424242", "4242 4242 4242 4242", "valid"),
            ("36021042000004", "5555 5555 5555 4444", "5555 5555 5555 4444", "valid"),
            ("4242424242424242", "6447032400000000001", "6447 0324 0000 0000 001", "valid"),
            // 19 digits, in groups.
            ("", "6205 5000 0000 0000 004", "6205 5000 0000 0000 004", "valid"),
            // One that is too long is shown as it is, and told.
            ("", "378282246310005123", "3782 822463 10005123", "invalid"),
        ] {
            // Copied the way a person does it.
            let before = page.browser.find(Css("#before")).await?;
            page.run(&format!("document.querySelector('#before').value = '{pasted}'")).await?;
            before.click().await?;
            form.press_with_control('a').await?;
            form.press_with_control('c').await?;
            page.run("card.clear(); await card.update({ disabled: false })").await?;
            form.type_into(number, there).await?;
            form.press_with_control('a').await?;
            form.press_with_control('v').await?;
            assert_eq!(form.shown(number).await?.text, seen, "{pasted:?} over {there:?}");
            assert_eq!(state(page).await?["fields"]["number"]["status"], status, "{pasted:?}");
        }
        // Between digits that stay.
        page.run("card.clear(); document.querySelector('#before').value = ' 55 '").await?;
        page.browser.find(Css("#before")).await?.click().await?;
        form.press_with_control('a').await?;
        form.press_with_control('c').await?;
        form.type_into(number, "42424242").await?;
        form.select(number, 2, 2).await?;
        form.press_with_control('v').await?;
        assert_eq!(form.shown(number).await?, shown("4255 |4242 42"));
        Ok(())
    })
    .await
}

/// The tables are held to hundreds of numbers in `card::brand` and `card::number`. A number on which two brands' marks
/// stand belongs to the one that its own range says; the cardholder is not asked which of the two to pay with (Regulation
/// (EU) 2015/751, article 8), as no connector of the vault's could pass the answer on.
#[tokio::test]
async fn c19_each_number_has_its_brand_once_it_is_whole() -> Result<()> {
    in_each_mode(Page::BARE, async |page, form| {
        for (digits, brand, status) in [
            ("5066991111111118", "elo", "valid"),
            ("6362970000457013", "elo", "valid"),
            ("6759649826438453", "maestro", "valid"),
            ("5000550000000029", "maestro", "valid"),
            ("6000070736169237003", "maestro", "valid"),
            ("5555555555554444", "mastercard", "valid"),
            ("2223003122003222", "mastercard", "valid"),
            ("6200000000000005", "unionpay", "valid"),
            ("6205500000000000004", "unionpay", "valid"),
            ("8171999900000000021", "unionpay", "valid"),
            ("3530111333300000", "jcb", "valid"),
            ("3088000000000017", "jcb", "valid"),
            // Made from the one above: 19 digits of JCB, of which nobody publishes one that begins so.
            ("3530111333300000001", "jcb", "valid"),
            // Both marks are on these: Dankort and Visa, Bancontact and Maestro.
            ("4571000000000001", "dankort", "valid"),
            ("6703444444444449", "bancontact", "valid"),
            ("3530", "", "incomplete"),
            ("6", "", "incomplete"),
        ] {
            fill(page, form, &[("number", digits)]).await?;
            let told = state(page).await?;
            assert_eq!(told["brand"].as_str().unwrap_or_default(), brand, "{digits}");
            assert_eq!(told["fields"]["number"]["status"], status, "{digits}");
        }
        Ok(())
    })
    .await
}

/// Every entry of the package is imported on a server in `tests/npm/server.test.mjs`. That a form can be driven is what
/// all tests here live by: with an ordinary WebDriver, from page to frame and back.
#[tokio::test]
async fn c20_a_server_imports_it_digits_run_from_left_to_right_and_a_driver_types_into_it() -> Result<()> {
    let script = format!(
        "const {{ loadCardseal }} = await import({});
        const cardseal = await loadCardseal({{ publicKey: 'pkey_test_1', vault: 'https://vault.example' }});
        try {{ cardseal.card(); }} catch (error) {{ console.log(error.code); }}",
        json!(format!("file://{}", package("cardseal.mjs").canonicalize()?.display()))
    );
    let server = Command::new("node").args(["--input-type=module", "--eval", &script]).output()?;
    assert_eq!(String::from_utf8_lossy(&server.stdout).trim(), "no_document", "{server:?}");

    let html = Page::BARE.replace("<!doctype html>", "<!doctype html><html dir=rtl lang=ar>");
    in_each_mode(&html, async |page, form| {
        assert_eq!(page.run("return getComputedStyle(document.body).direction").await?, "rtl");
        form.type_card(TestCard::VISA).await?;
        assert_eq!(form.shown(CardField::Number).await?, shown("4242 4242 4242 4242|"));
        let directions =
            "return [...form.querySelectorAll('input')].map((input) => getComputedStyle(input).direction)";
        let told = ask(page, form, directions).await?;
        for at in 0..3 {
            assert_eq!(told[at], "ltr", "{told}");
        }
        // Arabic digits are digits.
        fill(page, form, &[("number", "٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢"), ("expiry", "١٢/٣٠")]).await?;
        assert_eq!(form.shown(CardField::Number).await?.text, "4242 4242 4242 4242");
        assert_eq!(form.shown(CardField::Expiry).await?.text, "12 / 30");
        assert!(is_token(&page.run("return card.tokenize()").await?));
        Ok(())
    })
    .await
}
