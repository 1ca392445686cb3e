//! A form in a frame, through everything that pages do to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use anyhow::{Context as _, Result};
use base64ct::{Base64, Encoding as _};
use cardseal_e2e::{CardField, Checkout, Page, Reply, TestCard, visit};
use fantoccini::Locator::Css;
use serde_json::{Value, json};

const TAB: &str = "\u{E004}";

fn assert_token(token: &Value, card: TestCard) {
    assert!(token["id"].as_str().is_some_and(|id| id.starts_with("tokn_test_")), "{token}");
    assert_eq!(token["card"]["last_digits"], card.number[12..], "{token}");
}

#[tokio::test]
async fn two_forms_in_one_page_are_two_cards() -> Result<()> {
    visit(async |stage, browser| {
        let html = format!("{}<div id=other></div>", Page::BARE);
        let page = Page::open(stage, browser, Reply::page(html)).await?;
        page.run(
            "const cardseal = await load();
            window.one = cardseal.card();
            window.other = cardseal.card({ fields: ['expiry', 'number', 'security_code', 'name'] });
            window.heard = { one: [], other: [] };
            for (const name of ['one', 'other']) window[name].on('change', ({ brand }) => brand && heard[name].push(brand));
            const both = Promise.all([ready(one), ready(other)]);
            one.mount('#card');
            other.mount('#other');
            await both",
        )
        .await?;
        let forms = [Checkout::in_frame(browser, 0), Checkout::in_frame(browser, 1)];
        forms[0].type_card(TestCard::VISA).await?;
        assert_eq!(forms[1].shown(CardField::Number).await?.text, "");
        let token = page.tokenize(&forms[1], TestCard::JCB, "other").await?;
        assert_token(&token, TestCard::JCB);
        assert_token(&page.run("return one.tokenize()").await?, TestCard::VISA);
        let heard = page.run("return [new Set(heard.one), new Set(heard.other)].map((set) => [...set])").await?;
        assert_eq!(heard, json!([["visa"], ["jcb"]]));

        page.run("one.destroy(); other.clear()").await?;
        let left = Checkout::in_frame(browser, 0);
        assert_eq!(left.shown(CardField::Number).await?.text, "");
        assert_token(&page.tokenize(&left, TestCard::VISA, "other").await?, TestCard::VISA);
        Ok(())
    })
    .await
}

/// As frameworks do it, React's StrictMode for one.
#[tokio::test]
async fn a_form_that_comes_and_goes_is_one_form() -> Result<()> {
    visit(async |stage, browser| {
        let page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
        page.run(
            "window.card = (await load()).card();
            window.told = [];
            for (const name of ['ready', 'error']) card.on(name, () => told.push(name));
            window.count = () => document.querySelectorAll('iframe').length;",
        )
        .await?;
        for script in [
            "card.mount('#card')",
            "card.mount('#card').mount('#card')",
            "card.mount('#card'); card.unmount(); card.mount('#card')",
            "card.unmount(); card.unmount(); card.mount(document.querySelector('#card'))",
        ] {
            let mount = format!(
                "told.length = 0; const loaded = ready(card); {script}; await loaded; return [told, count()]"
            );
            assert_eq!(page.run(&mount).await?, json!([["ready"], 1]), "{script}");
            let form = Checkout::in_frame(browser, 0);
            assert_eq!(
                form.shown(CardField::Number).await?.text,
                "",
                "{script}: a frame's document ends with it"
            );
            assert_token(&page.tokenize(&form, TestCard::VISA, "card").await?, TestCard::VISA);
        }
        let left =
            page.run("card.unmount(); return [count(), document.querySelector('#card').childElementCount]");
        assert_eq!(left.await?, json!([0, 0]));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_form_stands_in_shadow_roots() -> Result<()> {
    visit(async |stage, browser| {
        let page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
        for mode in ["open", "closed"] {
            page.run(&format!(
                "document.querySelector('#card').replaceWith(
                    Object.assign(document.createElement('div'), {{ id: 'card' }}));
                const root = document.querySelector('#card').attachShadow({{ mode: '{mode}' }});
                root.innerHTML = '<form><div></div></form>';
                window.card = (await load()).card();
                window.submitted = 0;
                root.querySelector('form').onsubmit = (event) => {{ event.preventDefault(); window.submitted++; }};
                const loaded = ready(card);
                card.mount(root.querySelector('div'));
                await loaded"
            ))
            .await?;
            let form = Checkout::in_shadow_of(browser, "#card");
            assert_token(&page.tokenize(&form, TestCard::VISA, "card").await?, TestCard::VISA);
            // Where the caret is: a click might open a list of the browser's own, which takes the key.
            form.find("body").await?;
            form.press("\u{E007}").await?;
            let submitted = browser.wait_for("return submitted").await.context(mode)?;
            assert_eq!(submitted, 1, "{mode}");
            page.run("card.destroy()").await?;
        }
        Ok(())
    })
    .await
}

/// The heights of the form's iframe in the page, and of its content.
async fn heights(page: &Page<'_>, form: &Checkout<'_>) -> Result<(f64, f64)> {
    let outside =
        page.run("return document.querySelector('#card iframe').getBoundingClientRect().height").await?;
    form.find("body").await?;
    let script = "return document.body.getBoundingClientRect().height";
    let inside = page.browser.execute(script, vec![]).await?;
    Ok((outside.as_f64().unwrap(), inside.as_f64().unwrap()))
}

/// Waits until the iframe is as high as what is in it.
async fn wait_for_height(page: &Page<'_>, form: &Checkout<'_>) -> Result<f64> {
    loop {
        let (outside, inside) = heights(page, form).await?;
        if (outside - inside).abs() < 0.5 && inside > 0.0 {
            return Ok(inside);
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_form_in_what_is_not_shown_or_not_there_yet_is_right_once_it_is() -> Result<()> {
    visit(async |stage, browser| {
        let html = format!("{}<div id=elsewhere></div>", Page::BARE);
        let page = Page::open(stage, browser, Reply::page(html)).await?;
        let form = Checkout::in_frame(browser, 0);

        page.run("document.querySelector('#card').style.display = 'none'").await?;
        page.mount().await?;
        page.run("document.querySelector('#card').style.display = ''").await?;
        let height = wait_for_height(&page, &form).await?;
        assert!(height > 200.0, "{height}");
        assert_token(&page.tokenize(&form, TestCard::VISA, "card").await?, TestCard::VISA);

        // Out of the page nothing loads; then everything does.
        let later = "card.destroy();
            const place = document.createElement('div');
            window.card = (await load()).card().mount(place);
            await card.update({ locale: 'ja' });
            const early = await failure(card.tokenize());
            const loaded = ready(card);
            document.querySelector('#card').append(place);
            await loaded;
            return early.code";
        assert_eq!(page.run(later).await?, "not_ready");
        assert_eq!(form.find("label").await?.text().await?, "カード番号");
        assert!((wait_for_height(&page, &form).await? - height).abs() < 1.0);

        // A frame that is moved loads anew. What waits for an answer is told, and does not wait for ever.
        form.type_into(CardField::Number, "4242").await?;
        let moved = "const loaded = ready(card);
            const waiting = failure(card.reportValidity());
            document.querySelector('#elsewhere').append(document.querySelector('#card'));
            await loaded;
            return [(await waiting)?.code ?? 'answered', document.querySelectorAll('iframe').length]";
        let moved = page.run(moved).await?;
        assert!(["not_ready", "answered"].contains(&moved[0].as_str().unwrap()), "{moved}");
        assert_eq!(moved[1], 1);
        assert_eq!(form.find("label").await?.text().await?, "カード番号");
        assert_eq!(form.shown(CardField::Number).await?.text, "");
        assert!((wait_for_height(&page, &form).await? - height).abs() < 1.0);
        assert_token(&page.tokenize(&form, TestCard::VISA, "card").await?, TestCard::VISA);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_form_is_there_when_the_person_comes_back() -> Result<()> {
    visit(async |stage, browser| {
        let (vault, key) = (stage.vault_url(), stage.public_key());
        let html = format!(
            "{}<script type=module>
                import {{ loadCardseal }} from '{vault}/v1/cardseal.js';
                const cardseal = await loadCardseal({{ publicKey: '{key}', vault: '{vault}' }});
                window.card = cardseal.card();
                card.on('ready', () => (window.isReady = true));
                card.mount('#card');
            </script>",
            Page::BARE
        );
        let page = Page::open(stage, browser, Reply::page(html)).await?;
        browser.wait_for("return window.isReady").await?;
        browser.goto(&stage.shop_url()?).await?;
        for _ in 0..2 {
            browser.back().await?;
            browser.wait_for("return window.isReady").await?;
            let form = Checkout::in_frame(browser, 0);
            form.find("#number").await?.clear().await?;
            assert_eq!(page.run("return document.querySelectorAll('iframe').length").await?, 1);
            page.run("card.clear()").await?;
            assert_token(&page.tokenize(&form, TestCard::VISA, "card").await?, TestCard::VISA);
            browser.enter_parent_frame().await?;
            browser.forward().await?;
            browser.wait_for("return !window.card").await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn strict_pages_and_old_ones_have_a_form() -> Result<()> {
    visit(async |stage, browser| {
        let vault = stage.vault_url();
        let csp = format!(
            "default-src 'none'; script-src {vault}; frame-src {vault}; connect-src {vault}; base-uri 'none'; \
             form-action 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
        );
        // Without connect-src too: that is only asked for when something has gone wrong.
        let least = format!("default-src 'none'; script-src {vault}; frame-src {vault}");
        let bare = || Reply::page(Page::BARE);
        let quirks = Page::BARE.replace("<!doctype html>", "");
        for (name, reply) in [
            ("CSP and Trusted Types", bare().with("Content-Security-Policy", &csp)),
            ("the least CSP", bare().with("Content-Security-Policy", &least)),
            (
                "cross-origin isolation",
                bare()
                    .with("Cross-Origin-Embedder-Policy", "require-corp")
                    .with("Cross-Origin-Opener-Policy", "same-origin"),
            ),
            ("no referrer", bare().with("Referrer-Policy", "no-referrer")),
            ("no permissions", bare().with("Permissions-Policy", "payment=(), autoplay=(), clipboard-read=()")),
            ("quirks mode", Reply::page(quirks)),
        ] {
            let page = Page::open(stage, browser, reply).await?;
            page.run(
                "window.violations = [];
                addEventListener('securitypolicyviolation', ({ blockedURI, effectiveDirective: directive }) =>
                    violations.push(`${directive} ${blockedURI}`))",
            )
            .await?;
            let form = page.mount().await?;
            assert_token(&page.tokenize(&form, TestCard::VISA, "card").await?, TestCard::VISA);
            wait_for_height(&page, &form).await?;
            let state = page.run("return [violations, crossOriginIsolated, document.compatMode]").await?;
            assert_eq!(state[0], json!([]), "{name}");
            assert_eq!(state[1], name == "cross-origin isolation");
            assert_eq!(state[2] == "BackCompat", name == "quirks mode");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_frame_is_as_dark_as_its_page() -> Result<()> {
    visit(async |stage, browser| {
        let html = format!("{}<style>html {{ background: #336699 }}</style>", Page::BARE);
        let page = Page::open(stage, browser, Reply::page(html)).await?;
        let form = page.mount().await?;
        for (scheme, field) in
            [("dark", "23, 28, 38"), ("only light", "255, 255, 255"), ("normal", "255, 255, 255")]
        {
            page.run(&format!(
                "document.documentElement.style.colorScheme = '{scheme}'; await card.update({{}})"
            ))
            .await?;
            // The edge of the frame shows the page's colour: a frame of another scheme than its page's is opaque.
            let picture = browser.find(Css("#card iframe")).await?.screenshot().await?;
            let read = "const image = new Image();
                image.src = `data:image/png;base64,${arguments[0]}`;
                return image.decode().then(() => {
                    const canvas = document.createElement('canvas').getContext('2d');
                    canvas.drawImage(image, 0, 0);
                    return [...canvas.getImageData(1, 1, 1, 1).data].join();
                })";
            let pixel = browser.run(read, vec![json!(Base64::encode_string(&picture))]).await?;
            assert_eq!(pixel, "51,102,153,255", "{scheme}");
            let color = form.find(".box").await?.css_value("background-color").await?;
            assert!(color.contains(field), "{scheme}: {color}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_page_changes_holds_whenever_it_is_said() -> Result<()> {
    visit(async |stage, browser| {
        let page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
        let changes = "{ appearance: { colorText: '#123456', fontSize: 20 }, locale: 'th', disabled: true,
            texts: { number_label: 'Your card' } }";
        let moments = [
            format!("await card.update({changes}); card.mount('#card'); await ready(card)"),
            format!("card.mount('#card'); await card.update({changes}); await ready(card)"),
            // As soon as the frame has its port, and before it has a form.
            format!(
                "card.mount('#card'); const loaded = ready(card);
                await new Promise((resolve) => document.querySelector('iframe').addEventListener('load', resolve));
                await Promise.all([loaded, card.update({changes})])"
            ),
            format!("card.mount('#card'); await ready(card); await card.update({changes})"),
            format!("card.mount('#card'); await ready(card); await card.update({changes}); card.mount('#card'); await ready(card)"),
        ];
        for moment in moments {
            page.run(&format!("window.card.destroy?.(); window.card = (await load()).card(); {moment}")).await?;
            let form = Checkout::in_frame(browser, 0);
            assert_eq!(form.find("label").await?.text().await?, "Your card", "{moment}");
            assert_eq!(form.find("[for=expiry]").await?.text().await?, "วันหมดอายุ");
            let style = form.find("form").await?;
            assert_eq!(style.css_value("font-size").await?, "20px");
            let color = style.css_value("color").await?;
            assert!(color.contains("18, 52, 86"), "{color}");
            assert!(!form.input(CardField::Number).await?.is_enabled().await?);
            wait_for_height(&page, &form).await?;
            let title = page.run("return document.querySelector('iframe').title").await?;
            assert!(title.as_str().is_some_and(|title| !title.is_empty()));
        }
        // What the form does not take changes nothing of it.
        let wrong = page
            .run(
                "const errors = [];
                for (const change of [{ appearance: { radius: 99 } }, { appearance: { colorText: 'red;}' } },
                    { texts: { label: 'Card' } }, { locale: 'tlh' }, { colour: 'red' }]) {
                    errors.push((await failure(card.update(change)))?.code);
                }
                card.focus('cvv');
                await card.update({ disabled: false });
                return errors",
            )
            .await?;
        assert_eq!(wrong, json!(["invalid_options"].repeat(5)));
        let form = Checkout::in_frame(browser, 0);
        assert_token(&page.tokenize(&form, TestCard::VISA, "card").await?, TestCard::VISA);
        Ok(())
    })
    .await
}

/// A click on a button of the page's moves the focus, by way of the browser, and asks the form, over its port: the frame may
/// hear of the focus last. Not in Firefox, where a page cannot give a frame back a focus that was lost so.
#[tokio::test]
async fn the_field_that_needs_the_person_has_the_focus_whatever_the_frame_hears_first() -> Result<()> {
    visit(async |stage, browser| {
        if std::env::var("BROWSER").is_ok_and(|name| name == "firefox") {
            return Ok(());
        }
        let html = format!("{}<button id=pay>Pay</button>", Page::BARE);
        let page = Page::open(stage, browser, Reply::page(html)).await?;
        // On another site than the vault, as in life: browsers then give the frame a process of its own.
        let elsewhere = page.site.url().replace("127.0.0.1", "localhost");
        stage.register(&[&elsewhere])?;
        browser.goto(&elsewhere).await?;
        let form = page.mount().await?;
        page.run(
            "window.asks = [() => card.tokenize().catch(() => {}), () => card.reportValidity()];
            const frame = document.querySelector('iframe');
            let caret;
            window.has = (field) => caret === field && document.activeElement === frame;
            card.on('focus', ({ field }) => (caret = field));
            card.on('blur', () => (caret = undefined));",
        )
        .await?;
        form.type_into(CardField::Number, TestCard::VISA.number).await?;
        for ask in 0..2 {
            form.input(CardField::Number).await?.click().await?;
            browser.wait_for("return has('number')").await?;
            page.run(&format!("pay.onclick = asks[{ask}]")).await?;
            browser.find(Css("#pay")).await?.click().await?;
            browser.wait_for("return has('expiry')").await?;
        }
        page.run(
            "const until = async (field) => {
                while (!has(field)) await new Promise((next) => setTimeout(next));
            };
            for (const ask of asks) {
                card.focus('number');
                await until('number');
                ask();
                // The frame's answer waits until this page has time for it; the frame has enough to get there first.
                for (const begun = Date.now(); Date.now() < begun + 300; );
                pay.focus();
                await until('expiry');
            }",
        )
        .await?;
        // Where the driver stands is where its keys go.
        form.input(CardField::Expiry).await?;
        form.press("1230").await?;
        assert_eq!(form.shown(CardField::Expiry).await?.text, "12 / 30");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nothing_moves_when_the_form_takes_over_from_its_skeleton() -> Result<()> {
    visit(async |stage, browser| {
        let page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
        page.run("window.cardseal = await load()").await?;
        let fields = ["number,expiry,security_code,name", "number,expiry", "expiry,security_code,number", "name,number,expiry"];
        let mut shifts = Vec::new();
        for width in [280, 320, 375, 600, 900] {
            for (locale, size, gap) in [("en", 16, 14), ("ja", 16, 0), ("th", 16, 14), ("en", 12, 48), ("ja", 32, 14), ("th", 32, 0), ("en", 32, 48), ("th", 12, 14)] {
                // All at once, as their frames load much faster together.
                let body = format!(
                    "const holder = document.querySelector('#card');
                    const forms = {fields:?}.map((fields) => {{
                        const place = holder.appendChild(document.createElement('div'));
                        place.style.width = '{width}px';
                        const card = cardseal.card({{ fields: fields.split(','), appearance: {{ fontSize: {size}, gap: {gap} }} }});
                        card.update({{ locale: '{locale}' }});
                        const loaded = ready(card);
                        card.mount(place);
                        return {{ card, place, loaded, before: place.getBoundingClientRect().height, fields }};
                    }});
                    const shifts = [];
                    for (const {{ place, loaded, before, fields }} of forms) {{
                        await loaded;
                        const after = place.getBoundingClientRect().height;
                        if (Math.abs(before - after) >= 0.5) {{
                            shifts.push(`{locale}, {size} px, gap {gap}, {width} wide, ${{fields}}: ${{before}} to ${{after}}`);
                        }}
                    }}
                    forms.forEach(({{ card }}) => card.destroy());
                    holder.replaceChildren();
                    return shifts"
                );
                let found = page.run(&body).await?;
                shifts.extend(found.as_array().unwrap().iter().map(ToString::to_string));
            }
        }
        assert!(shifts.is_empty(), "{shifts:#?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_height_follows_a_complaint_that_needs_more_lines() -> Result<()> {
    visit(async |stage, browser| {
        let page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
        let texts =
            "card.update({ texts: { number_invalid: 'Something is not quite right here. '.repeat(9) } })";
        page.run("document.querySelector('#card').style.width = '280px'").await?;
        let form = page.mount().await?;
        page.run(texts).await?;
        let before = wait_for_height(&page, &form).await?;
        form.type_into(CardField::Number, "4242424242424241").await?;
        form.press(TAB).await?;
        assert!(!form.complaint(CardField::Number).await?.is_empty());
        let complained = wait_for_height(&page, &form).await?;
        assert!(complained > before + 10.0, "{before} to {complained}");
        page.run("card.clear()").await?;
        form.find("body").await?;
        let mended = wait_for_height(&page, &form).await?;
        assert!((mended - before).abs() < 0.5, "{before} to {mended}");
        Ok(())
    })
    .await
}

/// Every way that a script has to be called again without anything happening.
#[tokio::test]
async fn the_loader_polls_nothing() -> Result<()> {
    visit(async |stage, browser| {
        let page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
        page.run(
            "window.pending = new Map();
            window.calls = [];
            for (const [set, clear, repeats] of [['setTimeout', 'clearTimeout'], ['setInterval', 'clearInterval', true],
                ['requestAnimationFrame', 'cancelAnimationFrame'], ['requestIdleCallback', 'cancelIdleCallback']]) {
                const [setFor, clearFor] = [window[set], window[clear]];
                window[set] = (work, ...rest) => {
                    const id = setFor.call(window, (...given) => {
                        if (!repeats) pending.delete(`${set} ${id}`);
                        return work(...given);
                    }, ...rest);
                    pending.set(`${set} ${id}`, String(work));
                    return id;
                };
                window[clear] = (id) => {
                    pending.delete(`${set} ${id}`);
                    clearFor.call(window, id);
                };
            }
            for (const name of ['fetch', 'queueMicrotask', 'Worker', 'SharedWorker', 'WebSocket', 'EventSource', 'XMLHttpRequest']) {
                const real = window[name];
                window[name] = function (...given) {
                    calls.push(name);
                    return new.target ? new real(...given) : real.apply(window, given);
                };
            }",
        )
        .await?;
        page.mount().await?;
        assert_eq!(page.run("return [[...pending.values()], calls]").await?, json!([[], []]));
        page.run("card.unmount(); card.mount('#card'); card.destroy()").await?;
        assert_eq!(page.run("return [[...pending.values()], calls]").await?, json!([[], []]));
        Ok(())
    })
    .await
}
