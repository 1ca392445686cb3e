//! Messages that nobody but the loader should send change nothing in a form, tell nothing of it, and stop nobody typing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use cardseal_e2e::{Browser, CardField, Checkout, Page, Reply, Request, Site, Stage, TestCard, visit};
use cardseal_sandbox::Sandbox;
use serde_json::{Value, json};

/// Ahead of the loader: the loader's ports are the page's, too.
const PAGE: &str = "<!doctype html><meta charset=utf-8><title>Shop</title><script>
    window.ports = [];
    window.heard = [];
    window.RealChannel = MessageChannel;
    window.MessageChannel = function () {
        const channel = new RealChannel();
        ports.push(channel.port1);
        channel.port1.addEventListener('message', ({ data }) => heard.push(data));
        return channel;
    };
    // A port to hand over, with what a form might answer already asked; what it does answer goes into `told`.
    window.told = [];
    window.forged = () => {
        const { port1, port2 } = new RealChannel();
        port1.onmessage = ({ data }) => told.push(data);
        for (const type of ['start', 'clear', 'tokenize', 'validate', 'update']) port1.postMessage({ type, id: 1 });
        return port2;
    };
    // What is no message at all.
    window.nonsense = (type) => [
        undefined, null, true, 0, '', type, [], [type], {}, { type: null }, { type: 1 }, { type: [type] }, { type: { type } },
        new Map([['type', type]]), new Date(0), new ArrayBuffer(8), new Error(type), /x/, 1n,
        { type: '__proto__' }, { type: 'constructor' }, { type: 'toString' }, { type: 'hasOwnProperty' },
        { type: type.toUpperCase() }, { type: ` ${type}` }, { type, more: true }, { type, constructor: 1 }, { type, id: {} },
        JSON.parse(`{ \"type\": \"${type}\", \"__proto__\": { \"polluted\": true } }`),
    ];
</script><div id=card></div><div id=other></div>";

/// Another window, which sends to the form in the page around it, or in the page that opened it.
const SIBLING: &str = "<!doctype html><script>
    const page = opener ?? parent;
    const inside = page.frames[0];
    const forged = () => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => page.postMessage('the form has answered', '*');
        for (const type of ['start', 'clear', 'tokenize', 'validate']) port1.postMessage({ type, id: 1 });
        return port2;
    };
    for (let count = 0; count < 100; count++) {
        inside.postMessage({ cardseal: 1 }, '*', [forged()]);
        inside.postMessage({ type: 'clear' }, '*');
    }
    page.postMessage('sent', '*');
</script>";

fn serve<'a>(stage: &Stage, browser: &'a Browser) -> Result<Page<'a>> {
    Page::serve(stage, browser, |request| match request.file() {
        "/" => Some(Reply::page(PAGE)),
        "/sibling" => Some(Reply::page(SIBLING)),
        _ => Some(Reply::page("").status(404)),
    })
}

/// The form as it is: what was typed, what it says, how it looks.
async fn state(form: &Checkout<'_>) -> Result<Value> {
    let body = form.find("body").await?;
    let script = "return JSON.stringify([
            [...document.querySelectorAll('input')].map(({ value, disabled, id }) => [id, value, disabled]),
            document.documentElement.outerHTML,
            document.adoptedStyleSheets.map((sheet) => [...sheet.cssRules].map((rule) => rule.cssText)),
            ({}).polluted ?? null, document.activeElement.id,
        ])";
    let text = body.client().execute(script, vec![]).await?;
    Ok(serde_json::from_str(text.as_str().unwrap())?)
}

/// The person goes on typing, and the card becomes a token.
async fn goes_on(page: &Page<'_>, form: &Checkout<'_>) -> Result<()> {
    form.find("body").await?;
    form.press("42424242").await?;
    assert_eq!(form.shown(CardField::Number).await?.text, "4242 4242 4242 4242");
    page.run("card.clear()").await?;
    let token = page.tokenize(form, TestCard::VISA, "card").await?;
    assert_eq!(token["card"]["last_digits"], "4242");
    Ok(())
}

#[tokio::test]
async fn messages_to_the_frames_window_are_nobodys() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser)?;
        browser.goto(&page.site.url()).await?;
        let form = page.mount().await?;
        form.type_into(CardField::Number, "42424242").await?;
        let before = state(&form).await?;
        page.run(
            "const inside = document.querySelector('iframe').contentWindow;
            for (const target of ['*', vault]) {
                for (const type of ['start', 'update', 'focus', 'clear', 'validate', 'tokenize']) {
                    for (const message of nonsense(type)) inside.postMessage(message, target);
                    inside.postMessage({ type, id: 1, field: 'name' }, target, [forged()]);
                }
                for (const message of [{ cardseal: 1 }, { cardseal: 1, more: true }, { cardseal: '1' }, '{\"cardseal\":1}']) {
                    inside.postMessage(message, target);
                    inside.postMessage(message, target, [forged()]);
                    inside.postMessage(message, target, [forged(), forged()]);
                }
            }
            for (let count = 0; count < 5000; count++) inside.postMessage({ cardseal: 1, type: 'clear', count }, '*');
            // The form answers after all of that.
            await card.update({})",
        )
        .await?;
        assert_eq!(page.run("return told").await?, json!([]));
        assert_eq!(state(&form).await?, before);
        goes_on(&page, &form).await
    })
    .await
}

#[tokio::test]
async fn other_windows_of_any_origin_are_not_the_page() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser)?;
        browser.goto(&page.site.url()).await?;
        let form = page.mount().await?;
        // A whole number, which nobody complains about when the other windows take the focus.
        form.type_into(CardField::Number, TestCard::VISA.number).await?;
        let before = state(&form).await?;
        // One of the page's own origin, which is registered, and one of another.
        for origin in [page.site.url(), page.site.other_url()] {
            let said = page
                .run(&format!(
                    "const said = [];
                    const sent = new Promise((resolve) => {{
                        window.onmessage = ({{ data }}) => (said.push(data), data === 'sent' && resolve());
                    }});
                    const sibling = document.createElement('iframe');
                    sibling.src = '{origin}/sibling';
                    document.querySelector('#other').append(sibling);
                    await sent;
                    await card.update({{}});
                    sibling.remove();
                    // A browser may keep it from opening; then it sends nothing either.
                    const again = new Promise((resolve) => {{
                        window.onmessage = ({{ data }}) => (said.push(data), data === 'sent' && resolve());
                    }});
                    const popup = open('{origin}/sibling');
                    if (popup) await again;
                    await card.update({{}});
                    popup?.close();
                    return said.filter((each) => each !== 'sent')"
                ))
                .await?;
            assert_eq!(said, json!([]), "{origin}");
            assert_eq!(state(&form).await?, before);
        }
        page.run("card.clear()").await?;
        form.type_into(CardField::Number, "42424242").await?;
        goes_on(&page, &form).await
    })
    .await
}

#[tokio::test]
async fn a_page_of_another_origin_gets_no_form_whatever_it_says_it_is() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser)?;
        browser.goto(&page.site.other_url()).await?;
        let registered = page.site.url();
        let body = format!(
            "const iframe = document.createElement('iframe');
            iframe.src = `${{vault}}/frame?${{new URLSearchParams({{ key: publicKey, origin: '{registered}' }})}}`;
            // A blocked frame loads an error in some browsers, and nothing in others.
            const loaded = new Promise((resolve) => iframe.addEventListener('load', resolve));
            document.querySelector('#card').append(iframe);
            await loaded;
            for (const target of ['*', vault]) iframe.contentWindow.postMessage({{ cardseal: 1 }}, target, [forged()]);
            // As long as a round trip through the same vault takes.
            await fetch(`${{vault}}/frame`, {{ mode: 'no-cors' }});
            return told"
        );
        assert_eq!(page.run(&body).await?, json!([]));
        browser.enter_frame(0).await?;
        assert!(browser.find_all(fantoccini::Locator::Css("input")).await?.is_empty(), "there are no fields");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_page_that_takes_the_loaders_port_can_do_what_a_page_may_do() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser)?;
        browser.goto(&page.site.url()).await?;
        let form = page.mount().await?;
        form.type_into(CardField::Number, "42424242").await?;
        let before = state(&form).await?;
        page.run(
            "const [port] = ports;
            heard.length = 0;
            const asks = ['start', 'update', 'focus', 'clear', 'validate', 'tokenize'];
            for (const type of asks) for (const message of nonsense(type)) {
                // These are messages, but for what is wrong with them.
                if (message?.type === 'clear' && Object.keys(message).length === 1) continue;
                port.postMessage(message);
            }
            for (const field of ['cvv', '', null, 1, {}, ['number'], 'number\"]', '__proto__', undefined]) port.postMessage({ type: 'focus', field });
            let id = 1000;
            for (const change of [
                { appearance: { colorText: 'red' } }, { appearance: { colorText: '#fff;}*{display:none}' } },
                { appearance: { fontFamily: 'url(https://evil.example/font)' } }, { appearance: { radius: -1 } },
                { appearance: { radius: 1e9 } }, { appearance: 'red' }, { appearance: [] , css: 'x' },
                { texts: { number_label: 1 } }, { texts: { other: 'x' } }, { texts: 'x' },
                { locale: 'xx' }, { locale: '\"]' }, { locale: '../../../tokens' }, { locale: {} },
                { disabled: 'no', more: 1 }, { fields: [] }, { place: 'page' },
                JSON.parse('{ \"__proto__\": { \"polluted\": true } }'),
                { texts: JSON.parse('{ \"__proto__\": { \"polluted\": true } }') , more: 1 },
            ]) port.postMessage({ ...change, type: 'update', id: id++, ...(Object.hasOwn(change, '__proto__') && { ['__proto__']: 1, more: 1 }) });
            for (const details of ['x', 1, { number: '4111111111111111' }, { card: {} }, { name: 1 }, { billing: 'x' }, { vault: 'https://evil.example' }]) {
                port.postMessage({ type: 'tokenize', id: id++, details });
            }
            for (const type of ['start', 'start']) port.postMessage({
                type, profile: 'cardseal', fields: ['number', 'expiry'], appearance: {}, texts: {}, locale: 'ja', colorScheme: 'dark', disabled: true,
            });
            for (let count = 0; count < 5000; count++) port.postMessage({ type: 'update', count });
            await card.update({})",
        )
        .await?;
        assert_eq!(state(&form).await?, before);
        let heard = page.run("return heard").await?.to_string();
        assert!(!heard.contains("4242") && !heard.contains("4111") && !heard.contains("token"), "{heard}");
        goes_on(&page, &form).await
    })
    .await
}

/// A page can take the frame for itself, ahead of the loader. It gets a form then, as any page does, and no digit.
#[tokio::test]
async fn a_page_that_hands_over_a_port_first_hears_what_the_loader_would() -> Result<()> {
    visit(async |stage, browser| {
        let page = serve(stage, browser)?;
        browser.goto(&page.site.url()).await?;
        page.run(
            "// The loader waits, and does not try again.
            window.setTimeout = () => 0;
            document.addEventListener('load', ({ target }) => {
                if (target.localName !== 'iframe') return;
                const { port1, port2 } = new RealChannel();
                port1.onmessage = ({ data }) => told.push(data);
                target.contentWindow.postMessage({ cardseal: 1 }, vault, [port2]);
                port1.postMessage({
                    type: 'start', profile: 'cardseal', fields: ['number', 'expiry'], appearance: {}, texts: {}, locale: 'en', colorScheme: 'normal', disabled: false,
                });
                window.stolen = port1;
            }, true);
            window.card = (await load()).card();
            card.mount('#card')",
        )
        .await?;
        browser.wait_for("return told.some(({ type }) => type === 'ready')").await?;
        assert_eq!(page.run("return heard").await?, json!([]), "the loader's port has been handed over too late");
        // The loader still has it out of sight.
        page.run(
            "const iframe = document.querySelector('iframe');
            iframe.nextElementSibling.remove();
            iframe.style.cssText = 'width: 400px; height: 300px'",
        )
        .await?;
        let form = Checkout::in_frame(browser, 0);
        form.type_into(CardField::Number, TestCard::VISA.number).await?;
        page.run(
            "const answered = new Promise((resolve) => stolen.addEventListener('message', ({ data }) => data.id === 1 && resolve()));
            stolen.postMessage({ type: 'validate', id: 1 });
            await answered",
        )
        .await?;
        let told = page.run("return told").await?.to_string();
        assert!(told.contains("\"brand\":\"visa\"") && !told.contains("42"), "{told}");
        Ok(())
    })
    .await
}

/// What everybody fetches.
const SET: &str = "/.well-known/jwks.json";

/// Whoever can change what everybody fetches, as a shared cache or the server of `/.well-known/` can, and nothing else.
#[tokio::test]
async fn a_key_put_into_the_set_that_everybody_fetches_gets_no_card() -> Result<()> {
    visit(async |stage, browser| {
        let genuine = stage.vault_url().to_owned();
        let refusals = Arc::<AtomicUsize>::default();
        let vault = Site::open(move |request| {
            let mut reply = Reply::from(&genuine, request)?;
            if request.file() == SET {
                let set = String::from_utf8(reply.body).ok()?;
                reply.body = set.replace("\"n\":\"", "\"n\":\"A").into_bytes();
            }
            // As if the key had been replaced since the form was shown: it is asked for anew, from the same place.
            if request.file() == "/tokens" && refusals.fetch_add(1, Ordering::Relaxed) == 0 {
                let refusal =
                    json!({ "object": "error", "location": "", "code": "unknown_kid", "message": "" });
                return Some(Reply::page(refusal.to_string()).status(400));
            }
            Some(reply)
        })?;
        let mut page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
        page.vault = vault.url();
        let form = page.mount().await?;
        let token = page.tokenize(&form, TestCard::VISA, "card").await?;
        assert_eq!(token["card"]["last_digits"], "4242");
        assert_eq!(vault.count(SET), 0);
        assert_eq!((vault.count("/frame"), vault.count("/tokens")), (2, 2));
        Ok(())
    })
    .await
}

/// A page with cardseal from the shop's own server, so that nothing that runs in it is the vault's.
fn own_cardseal(file: &str) -> Option<Reply> {
    let pkg = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pkg");
    Reply::file(&pkg.join(file.strip_prefix("/cardseal/")?))
}

/// Keys of somebody else's, a set with one, and the set as they sign it.
const THEIRS: &str = "
    const { subtle } = crypto;
    const utf8 = (text) => new TextEncoder().encode(text);
    const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
        .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    const encoded = (value) => base64url(utf8(JSON.stringify(value)));
    const exponent = new Uint8Array([1, 0, 1]);
    const rsa = { name: 'RSA-OAEP', modulusLength: 2048, publicExponent: exponent, hash: 'SHA-256' };
    const sealing = await subtle.generateKey(rsa, true, ['encrypt', 'decrypt']);
    const { n, e } = await subtle.exportKey('jwk', sealing.publicKey);
    const set = { keys: [{ kty: 'RSA', alg: 'RSA-OAEP-256', use: 'enc', kid: 'theirs', n, e, livemode: false }] };
    const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const signing = await subtle.generateKey(ecdsa, true, ['sign', 'verify']);
    const { x, y } = await subtle.exportKey('jwk', signing.publicKey);
    const jwk = { crv: 'P-256', kty: 'EC', x, y };
    const thumbprint = base64url(await subtle.digest('SHA-256', utf8(JSON.stringify(jwk))));
    window.sign = async (claims, about = {}) => {
        const payload = encoded({ exp: Math.floor(Date.now() / 1000) + 3600, ...claims });
        const header = encoded({ alg: 'ES256', typ: 'vnd.cardseal.keys+jws', jwk, ...about });
        const signature = base64url(await subtle.sign(ecdsa, signing.privateKey, utf8(`${header}.${payload}`)));
        return { payload, signatures: [{ protected: header, signature }] };
    };
    return { set, thumbprint, signed: await sign({ sub: '/.well-known/jwks.json', answer: set }) }";

/// Whoever stands in the vault's place, as the owner of its address can. A page with fields of its own, or with the form in
/// it, that has cardseal from its own server and knows the key that the vault signs its keys with.
#[tokio::test]
async fn a_key_in_the_vaults_place_gets_no_card_of_a_page_that_knows_the_signing_key() -> Result<()> {
    const CARD: &str = "{ number: '4242424242424242', expiry: '12/30', security_code: '123' }";
    visit(async |stage, browser| {
        let genuine = stage.vault_url().to_owned();
        // What is answered in place of the set that was asked for, by whether signatures were.
        let swapped = Arc::<Mutex<[Option<Value>; 2]>>::default();
        let posted = Arc::<AtomicUsize>::default();
        let (shown, counted) = (Arc::clone(&swapped), Arc::clone(&posted));
        let vault = Site::open(move |request| {
            let mut reply = Reply::from(&genuine, request)?;
            if request.method == "POST" {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            if request.file() == SET {
                let [plain, signed] = &*shown.lock().unwrap();
                let other = if request.path.contains("jws") { signed } else { plain };
                reply = reply.with("Cache-Control", "no-store");
                if let Some(other) = other {
                    reply.body = other.to_string().into_bytes();
                }
            }
            Some(reply)
        })?;
        let mut page = Page::serve(stage, browser, |request| match request.file() {
            "/" => Some(Reply::page(Page::BARE)),
            file => own_cardseal(file).or_else(|| Some(Reply::page("").status(404))),
        })?;
        page.vault = vault.url();
        browser.goto(&page.site.url()).await?;
        page.run("window.loader = '/cardseal/inline.js'").await?;
        let posted = || posted.load(Ordering::Relaxed);
        let key = stage.signing_key()?;
        let theirs = page.run(THEIRS).await?;
        let ask = async |options: &str, call: &str| {
            page.run(&format!("return failure((await load({{ {options} }})).{call}({CARD}))")).await
        };
        let show = |plain: Option<&Value>, signed: Option<&Value>| {
            *swapped.lock().unwrap() = [plain.cloned(), signed.cloned()];
        };

        // Without the option, the card is sealed to their key, and goes to them; and once more, when it is not known.
        show(Some(&theirs["set"]), Some(&theirs["signed"]));
        let error = ask("", "createToken").await?;
        assert_eq!((&error["code"], posted()), (&json!("unknown_kid"), 2), "{error}");
        // What they have signed is well made: a page that was given their key takes it.
        let their_key = format!("vaultKey: '{}'", theirs["thumbprint"].as_str().unwrap());
        assert_eq!(ask(&their_key, "createToken").await?["code"], "unknown_kid");
        assert_eq!(posted(), 4);

        let vaults: Value = serde_json::from_slice(
            &Reply::from(stage.vault_url(), &Request::get(&format!("{SET}?jws"))).unwrap().body,
        )?;
        let mut altered = vaults.clone();
        altered["payload"] = theirs["signed"]["payload"].clone();
        let mut relabelled = theirs["signed"].clone();
        relabelled["signatures"][0]["protected"] = vaults["signatures"][0]["protected"].clone();
        let key = format!("vaultKey: '{key}'");
        for signed in [&theirs["set"], &theirs["signed"], &altered, &relabelled, &json!({}), &json!("")] {
            show(Some(&theirs["set"]), Some(signed));
            for call in ["createToken", "seal"] {
                let error = ask(&key, call).await?;
                assert_eq!(error["code"], "untrusted_keys", "{signed}: {error}");
                assert_eq!(error["retryable"], false);
            }
        }
        let in_page = format!("mode: 'inline', {key}");
        page.run(&format!("window.card = (await load({{ {in_page} }})).card(); card.mount('#card')")).await?;
        let form = Checkout::in_page(browser, "#card > div").await?;
        form.type_card(TestCard::VISA).await?;
        assert_eq!(page.run("return failure(card.tokenize())").await?["code"], "untrusted_keys");
        // A set that was signed a day ago is not shown for ever.
        show(None, None);
        let a_day_ahead = format!(
            "// A driver's script, and what it loads, may have a Date of its own.
            for (const clock of new Set([Date, window.Date])) {{
                const {{ now }} = clock;
                clock.now = () => now() + 25 * 60 * 60 * 1000;
                window.back = [...(window.back ?? []), () => (clock.now = now)];
            }}
            const error = await failure((await load({{ {key} }})).seal({CARD}));
            for (const put of window.back) put();
            return error"
        );
        assert_eq!(page.run(&a_day_ahead).await?["code"], "untrusted_keys");
        assert_eq!(posted(), 4, "nothing was posted");
        assert_eq!(ask("vaultKey: 'none'", "seal").await?["code"], "invalid_options");

        // The vault's own set is taken, and one of two keys is enough.
        for key in
            [key, format!("vaultKey: '{} {}'", theirs["thumbprint"].as_str().unwrap(), stage.signing_key()?)]
        {
            assert_eq!(ask(&key, "createToken").await?, Value::Null);
        }
        assert!(
            page.run("return (await card.tokenize()).id").await?.as_str().unwrap().starts_with("tokn_test_")
        );
        Ok(())
    })
    .await
}

/// The same of what is a merchant's own: where Omise takes cards, in the clear. Signed is which path and which public key it is for,
/// and until when.
#[tokio::test]
async fn another_address_in_omises_place_gets_no_card_of_a_page_that_knows_the_signing_key() -> Result<()> {
    const PROFILE: &str = "/profiles/omise";
    const CARD: &str =
        "{ number: '4242424242424242', expiry: '12/30', security_code: '123', name: 'A Person' }";
    visit(async |stage, browser| {
        let sandbox = Sandbox::start().await?;
        stage.connect(&sandbox)?;
        let got = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&got);
        let theirs = Site::open(move |request| {
            let has_card = String::from_utf8_lossy(&request.body).contains("4242424242424242");
            counted.fetch_add(usize::from(has_card), Ordering::Relaxed);
            let reply = Reply::page("{}").with("Access-Control-Allow-Origin", "*");
            Some(reply.with("Access-Control-Allow-Headers", "authorization, content-type, omise-version"))
        })?;
        let got = || got.load(Ordering::Relaxed);
        let genuine = stage.vault_url().to_owned();
        let swapped = Arc::<Mutex<Option<Value>>>::default();
        let shown = Arc::clone(&swapped);
        let vault = Site::open(move |request| {
            let mut reply = Reply::from(&genuine, request)?;
            if let (Some(other), PROFILE) = (&*shown.lock().unwrap(), request.file()) {
                reply.body = other.to_string().into_bytes();
            }
            Some(reply.with("Cache-Control", "no-store"))
        })?;
        let mut page = Page::serve(stage, browser, |request| match request.file() {
            "/" => Some(Reply::page(Page::BARE)),
            file => own_cardseal(file).or_else(|| Some(Reply::page("").status(404))),
        })?;
        page.vault = vault.url();
        browser.goto(&page.site.url()).await?;
        page.run("window.loader = '/cardseal/inline.js'").await?;
        let their_key = page.run(THEIRS).await?["thumbprint"].as_str().unwrap().to_owned();
        let ask = async |key: Option<&str>| {
            let key = key.map(|key| format!("vaultKey: '{key}'")).unwrap_or_default();
            page.run(&format!(
                "return failure((await load({{ profile: 'omise', {key} }})).createToken({CARD}))"
            ))
            .await
        };
        let show = |other: Option<Value>| *swapped.lock().unwrap() = other;

        let answer = json!({ "public_key": page.public_key, "address": theirs.url() });
        show(Some(answer.clone()));
        ask(None).await?;
        assert_eq!(got(), 1, "without the option, the card goes to them");
        assert_eq!(ask(Some(&stage.signing_key()?)).await?["code"], "untrusted_keys");

        // What they sign themselves says what a signature has to say, and what it must not.
        let sign = async |claims: &str, about: &str| {
            let claims = format!("{{ sub: '{PROFILE}', aud: publicKey, answer: {answer}, {claims} }}");
            page.run(&format!("return sign({claims}, {{ {about} }})")).await
        };
        show(Some(sign("", "").await?));
        ask(Some(&their_key)).await?;
        assert_eq!(got(), 2, "a page that trusts them");
        assert_eq!(ask(Some(&stage.signing_key()?)).await?["code"], "untrusted_keys");
        for (claims, about) in [
            ("sub: '/.well-known/jwks.json'", ""),
            ("sub: '/profiles/thales-pci'", ""),
            ("aud: 'pkey_test_another'", ""),
            ("aud: undefined", ""),
            ("exp: Math.floor(Date.now() / 1000) - 1", ""),
            ("exp: undefined", ""),
            ("exp: 'never'", ""),
            ("", "typ: 'JWT'"),
            ("", "alg: 'none'"),
        ] {
            show(Some(sign(claims, about).await?));
            let error = ask(Some(&their_key)).await?;
            assert_eq!(error["code"], "untrusted_keys", "{claims}{about}: {error}");
        }
        assert_eq!(got(), 2, "nothing was posted");

        show(None);
        assert_eq!(ask(Some(&stage.signing_key()?)).await?, Value::Null);
        Ok(())
    })
    .await
}
