//! `cardseal/react` and `cardseal/vue`, in pages that render them again and again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cardseal_e2e::{Browser, Reply, Site, Stage, TestCard, visit};
use fantoccini::Locator::Css;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use serde_json::{Value, json};

/// A checkout that does what should not matter: in every render it loads cardseal and writes its options out anew.
const REACT: &str = "
    import { createElement as h, StrictMode, useRef, useState } from 'react';
    import { createRoot } from 'react-dom/client';
    import { loadCardseal } from 'cardseal';
    import { CardFields } from 'cardseal/react';
    window.load = (publicKey) => loadCardseal({ publicKey, vault: 'VAULT' });
    function Checkout() {
        const [{ isGone, ...props }, set] = useState({});
        const card = useRef(null);
        window.set = (changes) => set((state) => ({ ...state, ...changes }));
        window.card = () => card.current;
        if (isGone) return null;
        return h('form', { onSubmit: (event) => (event.preventDefault(), hear('form')()) }, h(CardFields, {
            ref: card,
            cardseal: load('KEY'),
            fields: ['number', 'expiry', 'security_code', 'name'],
            appearance: { radius: 4 },
            onReady: hear('ready'),
            onChange: ({ complete }) => complete && hear('complete')(),
            onFocus: ({ field }) => hear(`focus ${field}`)(),
            onBlur: ({ field }) => hear(`blur ${field}`)(),
            onEscape: hear('escape'),
            onError: ({ code }) => hear(code)(),
            ...props,
        }));
    }
    createRoot(document.querySelector('#root')).render(h(StrictMode, null, h(Checkout)));
";

/// The same, with everything in what Vue makes of objects: proxies.
const VUE: &str = "
    import { createApp, h, reactive, ref } from 'vue';
    import { loadCardseal } from 'cardseal';
    import { CardFields } from 'cardseal/vue';
    window.load = (publicKey) => loadCardseal({ publicKey, vault: 'VAULT' });
    const state = reactive({ isGone: false });
    const cardseal = ref(load('KEY'));
    const appearance = reactive({ radius: 4 });
    let card = null;
    window.set = (changes) => Object.assign(state, changes);
    window.card = () => card;
    createApp({
        render() {
            const { isGone, ...props } = state;
            if (isGone) return null;
            return h('form', { onSubmit: (event) => (event.preventDefault(), hear('form')()) }, h(CardFields, {
                ref: (instance) => (card = instance),
                cardseal: cardseal.value,
                fields: ['number', 'expiry', 'security_code', 'name'],
                appearance,
                onReady: hear('ready'),
                onChange: ({ complete }) => complete && hear('complete')(),
                onFocus: ({ field }) => hear(`focus ${field}`)(),
                onBlur: ({ field }) => hear(`blur ${field}`)(),
                onEscape: hear('escape'),
                onError: ({ code }) => hear(code)(),
                ...props,
            }));
        },
    }).mount('#root');
";

/// Counts every frame that ever was, too.
const PAGE: &str = "<!doctype html><meta charset=utf-8><title>Shop</title><div id=root></div>
    <script>
        var heard = [], frames_ever = new Set;
        var hear = (name) => () => heard.push(name);
        new MutationObserver(() => document.querySelectorAll('iframe').forEach((frame) => frames_ever.add(frame)))
            .observe(document, { childList: true, subtree: true });
    </script>
    <script type=module src=/app.js></script>";

/// What a bundler makes of a script; the package is found by its name, through its `exports`.
fn bundle(script: &str) -> Result<String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut esbuild = Command::new(top.join("node_modules/.bin/esbuild"));
    esbuild.args([
        "--bundle",
        "--format=esm",
        "--log-level=error",
        "--define:process.env.NODE_ENV=\"development\"",
    ]);
    esbuild.args(
        ["__VUE_OPTIONS_API__", "__VUE_PROD_DEVTOOLS__", "__VUE_PROD_HYDRATION_MISMATCH_DETAILS__"]
            .map(|flag| format!("--define:{flag}=true")),
    );
    let mut running =
        esbuild.current_dir(top).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("esbuild")?;
    running.stdin.take().context("a pipe")?.write_all(script.as_bytes())?;
    let output = running.wait_with_output()?;
    ensure!(output.status.success(), "esbuild failed");
    Ok(String::from_utf8(output.stdout)?)
}

async fn enter(browser: &Browser, stage: &Stage, script: &str) -> Result<Site> {
    let app = bundle(&script.replace("KEY", stage.public_key()).replace("VAULT", stage.vault_url()))?;
    let site = Site::open(move |request| {
        Some(if request.path == "/app.js" { Reply::script(app.clone()) } else { Reply::page(PAGE) })
    })?;
    stage.register(&[&site.url()])?;
    browser.goto(&site.url()).await?;
    hears(browser, "ready").await?;
    Ok(site)
}

/// Waits until the page has heard of something, and forgets what it has heard.
async fn hears(browser: &Browser, name: &str) -> Result<()> {
    browser.wait_for(&format!("return heard.includes('{name}')")).await?;
    browser.run("heard.length = 0", vec![]).await?;
    Ok(())
}

async fn ask(browser: &Browser, expression: &str) -> Result<Value> {
    browser.run(&format!("return {expression}"), vec![]).await
}

async fn press(browser: &Browser, keys: &str) -> Result<()> {
    let actions = keys.chars().flat_map(|value| [KeyAction::Down { value }, KeyAction::Up { value }]);
    Ok(browser.perform_actions(actions.fold(KeyActions::new("keys".into()), KeyActions::then)).await?)
}

/// Waits until a condition holds in the frame.
async fn in_frame(browser: &Browser, condition: &str) -> Result<()> {
    let look = async {
        loop {
            // A frame that is just changing has nothing to say.
            if let Ok(frame) = browser.find(Css("iframe")).await
                && frame.enter_frame().await.is_ok()
                && matches!(
                    browser.execute(&format!("return {condition}"), vec![]).await,
                    Ok(Value::Bool(true))
                )
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), look)
        .await
        .with_context(|| format!("waited in vain for {condition}"))
}

async fn a_component_is_one_form(script: &str) -> Result<()> {
    visit(async |stage, browser| {
        let _site = enter(browser, stage, script).await?;
        let frames = "[frames_ever.size, document.querySelectorAll('iframe').length]";
        assert_eq!(ask(browser, frames).await?, json!([1, 1]), "StrictMode mounts twice");

        browser.run("card().focus('expiry')", vec![]).await?;
        hears(browser, "focus expiry").await?;
        browser.run("card().focus()", vec![]).await?;
        hears(browser, "focus number").await?;
        let TestCard { number, expiry, security_code, name } = TestCard::VISA;
        press(browser, &[number, expiry, security_code, name].join("\u{E004}")).await?;
        hears(browser, "complete").await?;
        let paid = "return card().tokenize({ email: 'somchai@example.com' }).then(({ id }) => id)";
        let token = browser.run(paid, vec![]).await?;
        assert!(token.as_str().unwrap().starts_with("tokn_test_"), "{token}");

        // Other options change the form that stands; what was typed stays in it.
        browser.run("set({ locale: 'ja', texts: { name_label: 'お名前' }, disabled: true })", vec![]).await?;
        in_frame(browser, "document.querySelector('label').textContent === 'カード番号'").await?;
        in_frame(browser, "document.querySelector('[for=name]').textContent === 'お名前'").await?;
        in_frame(browser, "document.querySelector('#number').disabled").await?;
        browser.run("set({ disabled: false, appearance: { radius: 0 } })", vec![]).await?;
        in_frame(browser, "!document.querySelector('#number').disabled").await?;
        in_frame(browser, "document.querySelector('#number').value === '4242 4242 4242 4242'").await?;
        browser.run("set({ appearance: { radius: 99 } })", vec![]).await?;
        hears(browser, "invalid_options").await?;
        assert_eq!(ask(browser, frames).await?, json!([1, 1]));

        // Enter is the form's, unless the component is listened to.
        browser.run("card().focus('name')", vec![]).await?;
        hears(browser, "focus name").await?;
        press(browser, "\u{E007}").await?;
        hears(browser, "form").await?;
        browser.run("set({ onSubmit: hear('submit') })", vec![]).await?;
        press(browser, "\u{E007}").await?;
        browser.wait_for("return heard.includes('submit')").await?;
        assert_eq!(ask(browser, "heard.includes('form')").await?, false);
        press(browser, "\u{E00C}").await?;
        hears(browser, "escape").await?;

        browser.run("card().clear()", vec![]).await?;
        in_frame(browser, "document.querySelector('#number').value === ''").await?;
        let checked = browser.run("return card().reportValidity()", vec![]).await?;
        assert_eq!(checked, false);
        in_frame(browser, "document.querySelector('#number-complaint').textContent !== ''").await?;

        // Other fields are another form, and no component is none.
        browser.run("set({ appearance: {}, fields: ['number', 'expiry'] })", vec![]).await?;
        hears(browser, "ready").await?;
        in_frame(browser, "document.querySelectorAll('input').length === 2").await?;
        assert_eq!(ask(browser, frames).await?, json!([2, 1]));
        browser.run("set({ isGone: true })", vec![]).await?;
        browser.wait_for("return document.querySelector('iframe') === null").await?;
        browser.run("set({ isGone: false })", vec![]).await?;
        hears(browser, "ready").await?;
        assert_eq!(ask(browser, frames).await?, json!([3, 1]));
        Ok(())
    })
    .await
}

async fn a_component_tells_what_is_wrong(script: &str) -> Result<()> {
    visit(async |stage, browser| {
        let _site = enter(browser, stage, script).await?;
        let begin_anew = async |cardseal: &str| {
            browser.run("set({ isGone: true })", vec![]).await?;
            browser.wait_for("return document.querySelector('form') === null").await?;
            browser
                .run(&format!("heard.length = 0; set({{ isGone: false, cardseal: {cardseal} }})"), vec![])
                .await
        };
        begin_anew("null").await?;
        browser.wait_for("return card()").await?;
        let early = "return card().tokenize().catch((error) => error.code)";
        assert_eq!(browser.run(early, vec![]).await?, "not_ready");
        browser.run("set({ cardseal: load('skey_test_1') })", vec![]).await?;
        hears(browser, "invalid_public_key").await?;
        begin_anew("load('pkey_test_unknown')").await?;
        hears(browser, "authentication_failure").await?;
        // What cardseal was loaded as comes late, and as a promise or not.
        begin_anew("null").await?;
        let load = format!("return load('{}').then((cardseal) => set({{ cardseal }}))", stage.public_key());
        browser.run(&load, vec![]).await?;
        hears(browser, "ready").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn react_shows_one_form_however_often_it_renders() -> Result<()> {
    a_component_is_one_form(REACT).await
}

#[tokio::test]
async fn vue_shows_one_form_however_often_it_renders() -> Result<()> {
    a_component_is_one_form(VUE).await
}

#[tokio::test]
async fn react_waits_for_cardseal_and_tells_what_is_wrong() -> Result<()> {
    a_component_tells_what_is_wrong(REACT).await
}

#[tokio::test]
async fn vue_waits_for_cardseal_and_tells_what_is_wrong() -> Result<()> {
    a_component_tells_what_is_wrong(VUE).await
}
