//! The JavaScript face, called as a merchant's script calls it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use anyhow::Result;
use cardseal_e2e::{Browser, Stage, visit};
use serde_json::{Value, json};

/// Runs an async function body in a page of the shop's, with `load(options)` at hand. What it throws comes back as its
/// `code`, `field`, `reason`, `retryable`, `status`, `message` and `correlationId`.
async fn script(stage: &Stage, browser: &Browser, body: &str) -> Result<Value> {
    let whole = format!(
        "const [publicKey, vault] = arguments;
        return (async () => {{
            const {{ loadCardseal, CardsealError }} = await import('/cardseal/inline.js');
            const load = (options) => loadCardseal({{ publicKey, vault, mode: 'inline', ...options }});
            try {{ return await (async () => {{ {body} }})(); }} catch (error) {{
                if (!(error instanceof CardsealError && error instanceof Error)) throw error;
                return {{ ...error, name: error.name, message: error.message }};
            }}
        }})().then((value) => JSON.stringify(value ?? null))"
    );
    // As text: a driver has meanings of its own for members such as `status`.
    let text = browser.run(&whole, vec![json!(stage.public_key()), json!(stage.vault_url())]).await?;
    Ok(serde_json::from_str(text.as_str().unwrap())?)
}

#[tokio::test]
async fn what_a_merchant_sets_up_wrong_is_told_by_code_and_in_words() -> Result<()> {
    visit(async |stage, browser| {
        browser.goto(&stage.inline_shop_url()?).await?;
        for (options, code, words) in [
            ("{ mode: 'popup' }", "unsupported_mode", "inline"),
            ("{ publicKey: 'skey_test_1' }", "invalid_public_key", "secret key"),
            ("{ publicKey: undefined }", "invalid_public_key", "pkey_"),
            ("{ vault: 'http://vault.example' }", "invalid_vault_address", "https://"),
            ("{ vault: vault + '/v1' }", "invalid_vault_address", "https://host"),
            ("{ locale: 'tlh' }", "invalid_options", "en, ja, th"),
        ] {
            let error = script(stage, browser, &format!("await load({options})")).await?;
            assert_eq!(error["code"], code, "{options}: {error}");
            assert!(error["message"].as_str().unwrap().contains(words), "{options}: {error}");
            assert_eq!(error["name"], "CardsealError");
        }
        for (call, code) in [
            ("card.mount('#nowhere')", "invalid_target"),
            ("card.mount(null)", "invalid_target"),
            ("await card.tokenize()", "not_mounted"),
            ("card.focus('cvv')", "invalid_options"),
            ("card.destroy(); card.mount('body')", "destroyed"),
            ("card.destroy(); await card.tokenize()", "destroyed"),
            ("cardseal.card({ fields: ['name'] })", "invalid_options"),
            ("cardseal.card({ fields: ['number', 'expiry', 'pin'] })", "invalid_options"),
            ("cardseal.card({ appearance: { colorText: 'red;}' } })", "invalid_options"),
            ("await card.update({ appearance: { radius: 99 } })", "invalid_options"),
        ] {
            let body = format!("const cardseal = await load(); const card = cardseal.card(); {call}");
            let error = script(stage, browser, &body).await?;
            assert_eq!(error["code"], code, "{call}: {error}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_card_from_the_pages_own_fields_becomes_a_token_and_a_wrong_one_an_error_without_it() -> Result<()>
{
    visit(async |stage, browser| {
        browser.goto(&stage.inline_shop_url()?).await?;
        let create = |card: &str| format!("const cardseal = await load(); return cardseal.createToken({card})");
        let good = "{ number: '4242-4242-4242-4242', expiry: '12/2030', security_code: '123', name: 'Somchai Prasert',
            email: 'somchai@example.com', billing: { city: 'Bangkok', country: 'TH', postal_code: '' } }";
        let token = script(stage, browser, &create(good)).await?;
        assert!(token["id"].as_str().unwrap().starts_with("tokn_test_"), "{token}");
        assert_eq!(token["card"]["last_digits"], "4242");
        assert_eq!(token["used"], false);
        // Inputs that were left alone have empty values.
        let bare = "{ number: '4242424242424242', expiry: '12/30', name: '', email: '' }";
        let token = script(stage, browser, &create(bare)).await?;
        assert!(token["id"].as_str().unwrap().starts_with("tokn_test_"), "{token}");

        for (card, code, field, reason) in [
            ("{ number: '4242424242424241', expiry: '12/30' }", "invalid_card", "number", "luhn"),
            ("{ number: '9999999999999999', expiry: '12/30' }", "invalid_card", "number", "unknown_brand"),
            ("{ number: '4242424242424242', expiry: '13/30' }", "invalid_card", "expiry", "month_out_of_range"),
            ("{ number: '4242424242424242', expiry: '12/2020' }", "invalid_card", "expiry", "past"),
        ] {
            let error = script(stage, browser, &create(card)).await?;
            assert_eq!((&error["code"], &error["field"], &error["reason"]), (&json!(code), &json!(field), &json!(reason)));
            assert_eq!(error["retryable"], false);
        }
        let incomplete = script(stage, browser, &create("{ number: '4242', expiry: '12/30' }")).await?;
        assert_eq!(incomplete["code"], "incomplete_card");
        // A number where a string belongs is quoted in no message.
        let wrong = script(stage, browser, &create("{ number: 4242424242424242, expiry: '12/30' }")).await?;
        assert_eq!(wrong["code"], "invalid_options");
        assert!(!wrong.to_string().contains("4242"), "{wrong}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_refusal_of_the_vault_names_the_call_that_its_log_names() -> Result<()> {
    visit(async |stage, browser| {
        browser.goto(&stage.inline_shop_url()?).await?;
        let body = "const cardseal = await load({ publicKey: 'pkey_test_unknown' });
            return await cardseal.createToken({ number: '4242424242424242', expiry: '12/30' })";
        let error = script(stage, browser, body).await?;
        assert_eq!(error["code"], "authentication_failure", "{error}");
        assert_eq!((&error["status"], &error["retryable"]), (&json!(401), &json!(false)));
        let id = error["correlationId"].as_str().unwrap();
        let log = std::fs::read_to_string(stage.folder().join("vault.log"))?;
        assert!(log.lines().any(|line| line.contains(id) && line.contains("401")), "{id} is not in {log}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_page_of_an_unregistered_origin_gets_no_token_and_is_told_what_it_may_be() -> Result<()> {
    visit(async |stage, browser| {
        // The same shop, under a name that the vault was not told of.
        browser.goto(&stage.inline_shop_url()?.replace("127.0.0.1", "localhost")).await?;
        let body = "const cardseal = await load();
            return await cardseal.createToken({ number: '4242424242424242', expiry: '12/30' })";
        let error = script(stage, browser, body).await?;
        assert_eq!((&error["code"], &error["retryable"]), (&json!("network_error"), &json!(true)), "{error}");
        assert!(error["message"].as_str().unwrap().contains("origin"), "{error}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn wasm_that_does_not_load_is_an_error_and_the_next_try_loads_it() -> Result<()> {
    visit(async |stage, browser| {
        browser.goto(&stage.inline_shop_url()?).await?;
        let failed = script(stage, browser, "await load({ wasm: '/cardseal/nothing.wasm' })").await?;
        assert_eq!(
            (&failed["code"], &failed["retryable"]),
            (&json!("load_failed"), &json!(true)),
            "{failed}"
        );
        let loaded = script(stage, browser, "await load(); return 'loaded'").await?;
        assert_eq!(loaded, "loaded");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_form_lives_through_mounting_changing_and_the_end() -> Result<()> {
    visit(async |stage, browser| {
        browser.goto(&stage.inline_shop_url()?).await?;
        let body = "
            const cardseal = await load({ locale: 'en' });
            const told = [];
            const card = cardseal.card({ fields: ['number', 'expiry'] });
            const stop = card.on('ready', () => told.push('ready'));
            card.on('ready', () => { throw new Error('a listener of the page, failing'); });
            const box = document.body.appendChild(document.createElement('div'));
            card.mount(box);
            card.unmount();
            told.push(box.childElementCount);
            card.mount(box).mount(box);
            told.push(box.childElementCount);
            stop();
            const host = box.firstElementChild;
            told.push(host.lang);
            await card.update({ locale: 'ja', appearance: { colorText: '#123456' } });
            told.push(host.lang, host.hasAttribute('style'));
            const second = cardseal.card().mount(box);
            told.push(box.childElementCount);
            card.destroy();
            card.destroy();
            second.destroy();
            told.push(box.childElementCount);
            return told";
        let told = script(stage, browser, body).await?;
        assert_eq!(told, json!(["ready", 0, "ready", "ready", 1, "en", "ja", false, 2, 0]));
        Ok(())
    })
    .await
}

/// The other direction of the proof that `tests/web/seal.rs` begins: what the browser's own cryptography seals.
#[tokio::test]
async fn the_vault_opens_what_web_crypto_seals() -> Result<()> {
    visit(async |stage, browser| {
        // The checkout page may speak to the vault, and 127.0.0.1 is a secure context.
        browser.goto(&format!("{}/checkout", stage.inline_shop_url()?)).await?;
        let body = "
            const { keys } = await (await fetch(`${vault}/.well-known/jwks.json`)).json();
            const jwk = keys.find(({ livemode }) => !livemode);
            const bytes = (text) => new TextEncoder().encode(text);
            const base64url = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
                .replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=/g, '');
            const algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' };
            const rsa = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['wrapKey']);
            const cek = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
            const header = base64url(bytes(JSON.stringify({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: jwk.kid })));
            const iv = crypto.getRandomValues(new Uint8Array(12));
            const card = { number: '5555555555554444', expiration_month: 12, expiration_year: 2030, merchant: publicKey,
                iat: Math.floor(Date.now() / 1000), jti: crypto.randomUUID() };
            const gcm = { name: 'AES-GCM', iv, additionalData: bytes(header) };
            const encrypted = new Uint8Array(await crypto.subtle.encrypt(gcm, cek, bytes(JSON.stringify(card))));
            const wrapped = await crypto.subtle.wrapKey('raw', cek, rsa, algorithm);
            const parts = [wrapped, iv, encrypted.slice(0, -16), encrypted.slice(-16)].map(base64url);
            const answer = await fetch(`${vault}/tokens`, {
                method: 'POST',
                headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${publicKey}:`)}` },
                body: JSON.stringify({ card: { sealed: [header, ...parts].join('.') } }),
            });
            return answer.json()";
        let token = script(stage, browser, body).await?;
        assert_eq!(token["card"]["last_digits"], "4444", "{token}");
        assert_eq!(token["card"]["brand"], "MasterCard");
        Ok(())
    })
    .await
}
