//! What a form in a frame says when something is wrong: a code of its own for each, words that help, and no form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use cardseal_e2e::{Browser, CardField, Checkout, Page, Reply, Request, Site, Stage, TestCard, visit};
use serde_json::{Value, json};

/// Time that a script of the page lets pass: what is to happen in a second or later, happens when it says so. It begins
/// ahead of the loader.
const CLOCK: &str = "<script>
    window.later = new Map();
    const [set, clear] = [setTimeout, clearTimeout];
    window.setTimeout = (work, milliseconds, ...rest) => {
        if (!(milliseconds >= 1000)) return set(work, milliseconds, ...rest);
        const id = -1 - Math.random();
        later.set(id, work);
        return id;
    };
    window.clearTimeout = (id) => later.delete(id) || clear(id);
    window.pass = () => {
        const works = [...later.values()];
        later.clear();
        works.forEach((work) => work());
    };
    // Mounts a form, and lets time pass where that is said, until it stands or fails.
    window.outcome = async (card, passes) => {
        let answer;
        window.loads = 0;
        const events = [];
        const count = (records) => records.forEach(({ addedNodes }) =>
            addedNodes.forEach((node) => (loads += node.nodeName === 'IFRAME')));
        const observer = new MutationObserver(count);
        const place = document.querySelector('#card');
        place.replaceChildren();
        observer.observe(place, { childList: true, subtree: true });
        card.on('error', (error) => events.push(answer = { ...error, message: error.message, name: error.name }));
        card.on('ready', () => events.push(answer = { code: 'ready' }));
        card.mount(place);
        while (!answer) {
            if (passes) pass();
            await new Promise((resolve) => set(resolve, 10));
        }
        count(observer.takeRecords());
        observer.disconnect();
        const said = place.querySelector('[role=alert]')?.textContent ?? null;
        const standing = document.querySelectorAll('iframe').length;
        return { ...answer, loads, events: events.length, said, standing, waiting: later.size };
    };
</script>";

/// Serves a page with that clock, and the loader beside it, so that no vault is needed to fail.
fn serve<'a>(stage: &Stage, browser: &'a Browser, headers: &'static [(&str, &str)]) -> Result<Page<'a>> {
    let page = headers
        .iter()
        .fold(Reply::page(format!("{CLOCK}{}", Page::BARE)), |reply, (name, value)| reply.with(name, value));
    let loader = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pkg/cardseal.js");
    let loader = Reply::script(std::fs::read_to_string(loader)?);
    Page::serve(stage, browser, move |request| match request.file() {
        "/" => Some(page.clone()),
        "/loader.js" => Some(loader.clone()),
        _ => Some(Reply::page("").status(404)),
    })
}

/// What comes of mounting a form.
async fn outcome(page: &Page<'_>, options: &str, passes: bool) -> Result<Value> {
    page.run(&format!(
        "window.loader = '/loader.js';
        window.card = (await load({options})).card();
        return outcome(card, {passes})"
    ))
    .await
}

/// The form gave up: one event, words for the person, nothing left behind.
fn assert_failed(outcome: &Value, code: &str, loads: u32, words: &str) {
    assert_eq!(outcome["code"], code, "{outcome}");
    assert_eq!(outcome["name"], "CardsealError", "{outcome}");
    assert!(outcome["message"].as_str().unwrap().contains(words), "{outcome}");
    assert_eq!(outcome["loads"], loads, "{outcome}");
    assert_eq!(outcome["events"], 1, "{outcome}");
    assert!(outcome["said"].as_str().unwrap().starts_with("The card form could not be loaded."), "{outcome}");
    assert_eq!((&outcome["standing"], &outcome["waiting"]), (&json!(0), &json!(0)), "{outcome}");
}

#[tokio::test]
async fn a_key_or_an_origin_that_the_vault_does_not_know_is_told_by_the_vault() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser, &[])?;
        browser.goto(&page.site.url()).await?;
        let unknown = outcome(&page, "{ publicKey: 'pkey_test_nobody' }", false).await?;
        assert_failed(
            &unknown,
            "authentication_failure",
            1,
            "no merchant with the public key pkey_test_nobody",
        );
        assert_eq!(unknown["retryable"], false);
        let code = page.run("return (await failure(card.tokenize())).code").await?;
        assert_eq!(code, "authentication_failure", "what kept the form out is what a call is told, too");

        let origin = page.site.other_url();
        browser.goto(&origin).await?;
        let refused = outcome(&page, "{}", false).await?;
        assert_failed(&refused, "origin_not_allowed", 1, &format!("{origin} is not registered"));
        assert!(
            refused["message"].as_str().unwrap().contains("cardseal-vault merchant origins"),
            "{refused}"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_vault_that_cannot_be_reached_is_told_after_one_more_try() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser, &[])?;
        browser.goto(&page.site.url()).await?;
        stage.stop_vault();
        let down = outcome(&page, "{}", true).await?;
        assert_failed(&down, "load_failed", 2, "cannot be reached");
        assert_eq!(down["retryable"], true);

        // Once it is back, the same form stands.
        stage.start_vault()?;
        assert_eq!(outcome(&page, "{}", false).await?["code"], "ready");
        let again = page.run("card.unmount(); return outcome(card, false)").await?;
        assert_eq!((&again["code"], &again["said"]), (&json!("ready"), &json!(null)), "{again}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_page_whose_policy_keeps_the_frame_out_is_told_what_its_policy_needs() -> Result<()> {
    visit(async |stage, browser| {
        for policy in [
            &[("Content-Security-Policy", "frame-src 'self'")] as &'static [_],
            &[("Content-Security-Policy", "child-src 'none'")],
            &[("Content-Security-Policy", "default-src 'self' 'unsafe-inline'")],
        ] {
            let page = serve(stage, browser, policy)?;
            browser.goto(&page.site.url()).await?;
            let blocked = outcome(&page, "{}", false).await?;
            assert_failed(&blocked, "frame_blocked", 2, &format!("frame-src {}", stage.vault_url()));
        }
        Ok(())
    })
    .await
}

/// A stand-in for a vault: what `change` gives instead of the vault's own answer, which it gets.
fn stand_in(
    stage: &Stage,
    change: impl Fn(&Request, Reply) -> Option<Reply> + Send + Sync + 'static,
) -> Result<Site> {
    let vault = stage.vault_url().to_owned();
    Site::open(move |request| Reply::from(&vault, request).and_then(|reply| change(request, reply)))
}

/// As a blocker of advertisements does it, or a proxy: the vault is there, its frame is not.
#[tokio::test]
async fn a_frame_that_something_blocks_is_told_after_one_more_try() -> Result<()> {
    visit(async |stage, browser| {
        let mut page = serve(stage, browser, &[])?;
        browser.goto(&page.site.url()).await?;
        let blocker = stand_in(stage, |request, reply| (request.file() != "/frame").then_some(reply))?;
        page.vault = blocker.url();
        let blocked = outcome(&page, "{}", true).await?;
        assert_failed(&blocked, "frame_blocked", 2, "ad blocker");

        // Some let a frame in and keep its scripts out.
        let blocker =
            stand_in(stage, |request, reply| (!request.path.starts_with("/v1/frame-")).then_some(reply))?;
        page.vault = blocker.url();
        assert_failed(&outcome(&page, "{}", true).await?, "frame_blocked", 2, "ad blocker");
        Ok(())
    })
    .await
}

/// Makes of a file another one that a browser would run or read all the same: a script that tells that it ran, WebAssembly with a
/// section of no meaning (its specification, "custom section"), JSON with a space behind it.
fn alter(request: &Request, reply: &mut Reply) {
    let more: &[u8] = match request.file().rsplit_once('.') {
        Some((_, "js")) => b"\nwindow.ran = 1;",
        Some((_, "wasm")) => b"\0\x02\x01x",
        _ => b" ",
    };
    reply.body.extend_from_slice(more);
}

#[tokio::test]
async fn files_that_are_not_what_was_released_never_run() -> Result<()> {
    visit(async |stage, browser| {
        let mut page = serve(stage, browser, &[])?;
        browser.goto(&page.site.url()).await?;
        let altered = |beginning: &'static str| {
            stand_in(stage, move |request, mut reply| {
                if request.path.starts_with(beginning) {
                    alter(request, &mut reply);
                }
                Some(reply)
            })
        };
        let missing = |beginning: &'static str| {
            stand_in(stage, move |request, reply| {
                Some(if request.path.starts_with(beginning) { Reply::page("").status(404) } else { reply })
            })
        };
        // The frame's script is there, and says what it misses.
        for vault in [
            altered("/v1/cardseal_bg-")?,
            missing("/v1/cardseal_bg-")?,
            altered("/v1/locales/")?,
            missing("/v1/locales/")?,
        ] {
            page.vault = vault.url();
            let failed = outcome(&page, "{}", false).await?;
            assert_failed(&failed, "load_failed", 2, "try again");
            assert_eq!(failed["retryable"], true);
        }
        // Without it, there is nobody in the frame to say anything.
        for vault in [altered("/v1/frame-")?, missing("/v1/frame-")?] {
            page.vault = vault.url();
            assert_failed(&outcome(&page, "{}", true).await?, "frame_blocked", 2, "ad blocker");
        }
        Ok(())
    })
    .await
}

/// What sees the card in the page itself. The first script is what was released, as its `integrity` would have it; it holds
/// all the others to theirs.
#[tokio::test]
async fn files_for_the_page_that_are_not_what_was_released_never_run() -> Result<()> {
    /// As docs/csp.md has it for inline mode, where a page requires Trusted Types.
    const POLICY: &str = "require-trusted-types-for 'script'; trusted-types 'none'";
    /// How a page gets a card's token, by the script that it loads first, and what comes of it.
    const WAYS: [(&str, &str); 3] = [
        (
            "inline.js",
            "const { loadCardseal } = await import(`${vault}/v1/inline.js`);
            const card = (await loadCardseal({ publicKey, vault, mode: 'inline', locale: 'en' })).card();
            const stands = ready(card);
            card.mount('#card');
            await stands;
            card.destroy()",
        ),
        (
            "element.js",
            "await import(`${vault}/v1/element.js`);
            const element = Object.assign(document.createElement('cardseal-card'), { vault, publicKey });
            element.setAttribute('mode', 'inline');
            element.setAttribute('locale', 'en');
            const stands = new Promise((resolve, reject) => {
                element.addEventListener('cardseal-ready', resolve);
                element.addEventListener('cardseal-error', ({ detail }) => reject(detail));
            });
            document.querySelector('#card').append(element);
            await stands;
            element.remove()",
        ),
        (
            "omise.js",
            "Omise.setPublicKey(publicKey);
            const card = { name: 'A B', number: '4242424242424242', expiration_month: 12, expiration_year: 2030,
                security_code: '123' };
            const told = await new Promise((resolve) =>
                Omise.createToken('card', card, (status, response) => resolve({ status, response })));
            if (told.status !== 200) throw new Error(told.response.message)",
        ),
    ];
    visit(async |stage, browser| {
        for policy in [None, Some(POLICY)] {
            for (script, way) in WAYS {
                let files: &[&str] = match script {
                    "inline.js" => &["/v1/cardseal_bg.wasm", "/v1/locales/en.json"],
                    "element.js" => &["/v1/inline.js", "/v1/cardseal_bg.wasm", "/v1/locales/en.json"],
                    _ => &["/v1/inline.js", "/v1/cardseal_bg.wasm"],
                };
                // None of them, to see that the way is one.
                for altered in std::iter::once(None).chain(files.iter().copied().map(Some)) {
                    let altered_at = altered.map(str::to_owned);
                    let vault = stand_in(stage, move |request, mut reply| {
                        if altered_at.as_deref() == Some(request.file()) {
                            alter(request, &mut reply);
                        }
                        Some(reply)
                    })?;
                    let first = match script {
                        "omise.js" => format!("<script src={}/v1/omise.js></script>", vault.url()),
                        _ => String::new(),
                    };
                    let ended = ended(stage, browser, policy, &vault.url(), &first, way).await?;
                    let what = format!("{script}, {altered:?}, {policy:?}: {ended}");
                    assert_eq!(ended["error"] == "", altered.is_none(), "{what}");
                    assert_eq!(ended["ran"], 0, "{what}");
                    assert!(altered.is_none_or(|altered| vault.count(altered) > 0), "{what}");
                }
            }
        }
        Ok(())
    })
    .await
}

/// What comes of a script in a page: the words of what it throws, and how often `window.ran` was counted up. It stands in the
/// page itself, since what a driver runs can have modules of its own.
async fn ended(
    stage: &Stage,
    browser: &Browser,
    policy: Option<&str>,
    vault: &str,
    before: &str,
    body: &str,
) -> Result<Value> {
    let key = stage.public_key();
    let html = Reply::page(format!(
        "{}{before}<script type=module>
        const [publicKey, vault] = ['{key}', '{vault}'];
        const ready = (card) => new Promise((resolve, reject) => {{
            card.on('ready', resolve);
            card.on('error', reject);
        }});
        let error = '';
        try {{ await (async () => {{ {body} }})(); }} catch (thrown) {{ error = String(thrown.message || thrown); }}
        document.title = JSON.stringify({{ error, ran: window.ran ?? 0 }});
        </script>",
        Page::BARE
    ));
    let html = match policy {
        Some(policy) => html.with("Content-Security-Policy", policy),
        None => html,
    };
    let script = "window.ran = (window.ran ?? 0) + 1; export const was = 'run'";
    let page = Page::serve(stage, browser, move |request| match request.file() {
        "/" => Some(html.clone()),
        "/right.js" | "/wrong.js" => Some(Reply::script(script)),
        _ => Some(Reply::page("").status(404)),
    })?;
    browser.goto(&page.site.url()).await?;
    let title = browser.wait_for("return document.title === 'Shop' ? null : document.title").await?;
    let mut ended: Value = serde_json::from_str(title.as_str().unwrap_or_default())?;
    ended["fetched"] = json!([page.site.count("/right.js"), page.site.count("/wrong.js")]);
    Ok(ended)
}

/// A browser without Trusted Types loads by a script element, one with them by a link.
#[tokio::test]
async fn an_element_holds_what_is_imported_to_its_digest() -> Result<()> {
    visit(async |stage, browser| {
        // Which browsers that know Trusted Types hold a link to its digest, docs/csp.md says.
        let knows = browser.run("return 'trustedTypes' in window", vec![]).await? == true;
        let element = if knows { "link" } else { "script" };
        let body = format!(
            "const text = await (await fetch('/right.js')).arrayBuffer();
            const bytes = await crypto.subtle.digest('SHA-384', text);
            const right = `sha384-${{btoa(String.fromCharCode(...new Uint8Array(bytes)))}}`;
            const load = async (path, integrity) => {{
                const href = new URL(path, location).href;
                await new Promise((resolve, reject) => document.head.append(
                    Object.assign(document.createElement('{element}'), {{ type: 'module', rel: 'modulepreload',
                        crossOrigin: '', integrity, href, src: href, onload: resolve,
                        onerror: () => reject(new Error('refused')) }})));
                return (await import(href)).was;
            }};
            if ((await load('/right.js', right)) !== 'run') throw new Error('not run');
            await load('/wrong.js', `sha384-${{'A'.repeat(64)}}`)"
        );
        let ended = ended(stage, browser, None, stage.vault_url(), "", &body).await?;
        // The right one was fetched for its digest, and once to run: what was imported is what was held to it.
        assert_eq!(ended, json!({ "error": "refused", "ran": 1, "fetched": [2, 1] }), "{element}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_works_at_the_second_try_is_no_failure() -> Result<()> {
    visit(async |stage, browser| {
        let mut page = serve(stage, browser, &[])?;
        browser.goto(&page.site.url()).await?;
        for beginning in ["/frame", "/v1/cardseal_bg-"] {
            // Both the preload and the fetch that follows it may ask.
            let tries = Arc::<AtomicUsize>::default();
            let frames = Arc::clone(&tries);
            let vault = stand_in(stage, move |request, reply| {
                frames.fetch_add(usize::from(request.file() == "/frame"), Ordering::Relaxed);
                let fails = request.path.starts_with(beginning) && frames.load(Ordering::Relaxed) < 2;
                (!fails).then_some(reply)
            })?;
            page.vault = vault.url();
            page.run(
                "window.loader = '/loader.js';
                window.card = (await load()).card();
                window.loading = outcome(card, false)",
            )
            .await?;
            // The first try is under way; time passes until it is over. A frame that can speak says so itself.
            while tries.load(Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
            let passes = beginning == "/frame";
            browser.wait_for(&format!("if (loads > 1) return true; if ({passes}) pass()")).await?;
            let outcome = page.run("return loading").await?;
            assert_eq!(
                (&outcome["code"], &outcome["events"]),
                (&json!("ready"), &json!(1)),
                "{beginning}: {outcome}"
            );
            assert_eq!(
                (&outcome["loads"], &outcome["waiting"]),
                (&json!(2), &json!(0)),
                "{beginning}: {outcome}"
            );
            let token = page.tokenize(&Checkout::in_frame(browser, 0), TestCard::VISA, "card").await?;
            assert_eq!(token["card"]["last_digits"], "4242");
            page.run("card.destroy()").await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_call_at_the_wrong_time_is_told_what_to_do() -> Result<()> {
    visit(async |stage, browser| {
        let page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
        page.run("window.cardseal = await load()").await?;
        for (call, code, words) in [
            ("card.mount('#nowhere')", "invalid_target", "#nowhere"),
            ("card.mount('##')", "invalid_target", "nothing in the page"),
            ("card.mount(null)", "invalid_target", ""),
            ("card.mount(undefined)", "invalid_target", ""),
            ("card.mount({})", "invalid_target", ""),
            ("card.mount(document)", "invalid_target", ""),
            ("await card.tokenize()", "not_mounted", "call mount()"),
            ("await card.reportValidity()", "not_mounted", "call mount()"),
            ("card.mount('#card'); await card.tokenize()", "not_ready", "\"ready\""),
            ("card.mount('#card'); await card.reportValidity()", "not_ready", "\"ready\""),
            ("card.mount('#card'); card.unmount(); await card.tokenize()", "not_mounted", "call mount()"),
            ("card.destroy(); card.mount('#card')", "destroyed", "cardseal.card()"),
            ("card.destroy(); card.focus()", "destroyed", "cardseal.card()"),
            ("card.destroy(); card.clear()", "destroyed", "cardseal.card()"),
            ("card.destroy(); await card.update({})", "destroyed", "cardseal.card()"),
            ("card.destroy(); await card.reportValidity()", "destroyed", "cardseal.card()"),
            ("card.destroy(); await card.tokenize()", "destroyed", "cardseal.card()"),
            ("await card.update({ locale: 'tlh' })", "invalid_options", "en, ja, th"),
            ("await card.update({ get texts() { throw 1 } })", "invalid_options", "plain"),
            (
                "card.mount('#card'); await ready(card); await card.tokenize({ get name() { throw 1 } })",
                "invalid_options",
                "plain",
            ),
            (
                "card.mount('#card'); await ready(card); await card.tokenize({ nmae: 'A' })",
                "invalid_options",
                "",
            ),
        ] {
            let body = format!(
                "const card = cardseal.card();
                const error = await failure((async () => {{ {call} }})());
                card.destroy();
                return error"
            );
            let error = page.run(&body).await?;
            assert_eq!(
                (&error["code"], &error["name"]),
                (&json!(code), &json!("CardsealError")),
                "{call}: {error}"
            );
            assert!(error["message"].as_str().unwrap().contains(words), "{call}: {error}");
            assert_eq!(error["retryable"], code == "not_ready", "{call}: {error}");
        }
        // What cannot make a form is told as soon as the frame looks at it.
        for options in [
            "{ fields: ['name'] }",
            "{ fields: ['number', 'expiry', 'pin'] }",
            "{ fields: ['number', 'expiry', 'number'] }",
            "{ fields: 'number' }",
            "{ appearance: { colorText: 'red;}' } }",
            "{ appearance: { colour: '#fff' } }",
            "{ texts: { label: 'Card' } }",
            "{ texts: 'Card' }",
            "{ colour: 'red' }",
        ] {
            let body = format!(
                "const card = cardseal.card({options});
                const loaded = ready(card);
                card.mount('#card');
                const error = await failure(loaded);
                card.destroy();
                return error"
            );
            let error = page.run(&body).await?;
            assert_eq!(error["code"], "invalid_options", "{options}: {error}");
        }
        // What a form refuses does not stay behind for the next.
        page.run(
            "const card = cardseal.card();
            card.mount('#card');
            await ready(card);
            await failure(card.update({ appearance: { radius: 99 } }));
            card.mount('#card');
            await ready(card);
            card.destroy()",
        )
        .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_card_that_is_not_whole_or_on_its_way_already_makes_no_token() -> Result<()> {
    visit(async |stage, browser| {
        let page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
        let form = page.mount().await?;
        page.run("window.errors = []; card.on('error', ({ code }) => errors.push(code))").await?;
        form.type_into(CardField::Number, TestCard::VISA.number).await?;
        let incomplete = page.run("return failure(card.tokenize())").await?;
        assert_eq!((&incomplete["code"], &incomplete["field"]), (&json!("incomplete_card"), &json!("expiry")));
        assert!(!form.complaint(CardField::Expiry).await?.is_empty());
        // The keys that follow land where they are missing.
        form.press("122020").await?;
        let past = page.run("return failure(card.tokenize())").await?;
        assert_eq!((&past["code"], &past["reason"]), (&json!("invalid_card"), &json!("past")), "{past}");
        assert_eq!(page.run("return card.reportValidity()").await?, false);

        page.run("card.clear()").await?;
        form.type_card(TestCard::VISA).await?;
        let twice = "const [first, second] = await Promise.allSettled([card.tokenize(), card.tokenize()]);
            return [first.value?.id, second.reason?.code, second.reason?.message, await card.reportValidity()]";
        let twice = page.run(twice).await?;
        assert!(twice[0].as_str().unwrap().starts_with("tokn_test_"), "{twice}");
        assert_eq!((&twice[1], &twice[3]), (&json!("busy"), &json!(true)), "{twice}");
        assert!(twice[2].as_str().unwrap().contains("wait"), "{twice}");
        assert_eq!(page.run("return errors").await?, json!(["incomplete_card", "invalid_card", "busy"]));

        // A form that is taken out does not leave the page waiting.
        for (end, code) in [("unmount", "not_mounted"), ("destroy", "not_mounted")] {
            page.run("card.unmount(); const loaded = ready(card); card.mount('#card'); await loaded").await?;
            form.type_card(TestCard::VISA).await?;
            let body = format!("const waiting = failure(card.tokenize()); card.{end}(); return (await waiting).code");
            assert_eq!(page.run(&body).await?, code, "{end}");
        }
        Ok(())
    })
    .await
}
