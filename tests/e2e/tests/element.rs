//! `<cardseal-card>` in a merchant's forms.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use cardseal_e2e::{Browser, Reply, Request, Site, Stage, TestCard, visit};
use fantoccini::Locator::Css;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use serde_json::{Value, json};

/// What every page has ahead of its form: the vault's script, and a list of what the page hears.
const HEAD: &str = "<!doctype html><meta charset=utf-8><title>Shop</title>
    <script type=module src='VAULT/v1/element.js'></script>
    <script>
        var heard = [];
        for (const name of ['ready', 'change', 'submit', 'escape', 'token', 'error'])
            document.addEventListener(`cardseal-${name}`, ({ detail }) => heard.push(detail?.code ?? name));
    </script>";

/// The element as a merchant writes it.
const CARD: &str = "<cardseal-card id=card public-key=KEY vault=VAULT name=card_token></cardseal-card>";

/// A checkout, with an input of its own before the card.
const CHECKOUT: &str = "<form id=form method=post action=/pay>
    <input id=order name=order value=1024 required>
    <label id=label for=card>Card</label> CARD
    <button id=pay name=act value=pay>Pay</button>
</form>";

/// A merchant's server with one page, which keeps what is posted to it.
struct Shop {
    site: Site,
    posts: Arc<Mutex<Vec<String>>>,
}

impl Shop {
    /// Opens it. In the page, `CARD`, `KEY` and `VAULT` stand for what they say.
    fn open(stage: &Stage, page: &str) -> Result<Self> {
        Self::answering(stage, page, |_| Reply::page("<p id=received>Thank you"))
    }

    /// The same, with an answer of its own to what is posted.
    fn answering(
        stage: &Stage,
        page: &str,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Result<Self> {
        let page = format!("{HEAD}{page}").replace("CARD", CARD);
        let page = page.replace("KEY", stage.public_key()).replace("VAULT", stage.vault_url());
        let posts = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&posts);
        let site = Site::open(move |request| {
            if request.method != "POST" {
                return Some(Reply::page(page.clone()));
            }
            kept.lock().unwrap().push(String::from_utf8_lossy(&request.body).into_owned());
            Some(answer(request))
        })?;
        stage.register(&[&site.url()])?;
        Ok(Self { site, posts })
    }

    /// Goes to the page and waits until its fields can be typed into.
    async fn enter(&self, browser: &Browser) -> Result<()> {
        browser.goto(&self.site.url()).await?;
        ready(browser).await
    }

    /// What was posted, since this was last asked.
    fn received(&self) -> Vec<String> {
        std::mem::take(&mut *self.posts.lock().unwrap())
    }

    /// Waits until the shop has answered a post, and returns the post.
    async fn posted(&self, browser: &Browser) -> Result<String> {
        browser.wait_for("return document.querySelector('#received') !== null").await?;
        let mut received = self.received();
        assert_eq!(received.len(), 1, "{received:?}");
        Ok(received.remove(0))
    }
}

async fn ready(browser: &Browser) -> Result<()> {
    browser.wait_for("return card.matches(':state(ready)')").await?;
    Ok(())
}

/// The token in a post.
fn token(post: &str) -> &str {
    let token = post.split('&').find_map(|pair| pair.strip_prefix("card_token=")).unwrap_or_default();
    assert!(token.starts_with("tokn_test_"), "{post}");
    token
}

/// Goes into the frame of an element. Whatever is asked of the page comes out of it again.
async fn enter_frame(browser: &Browser, element: &str) -> Result<()> {
    let root = browser.find(Css(element)).await?.shadow_root().await?;
    Ok(root.find(Css("iframe")).await?.enter_frame().await?)
}

/// Waits until a condition holds in the frame of `#card`, where the browser stands then.
async fn wait_inside(browser: &Browser, condition: &str) -> Result<()> {
    let look = async {
        loop {
            // A frame that is just changing has nothing to say.
            if enter_frame(browser, "#card").await.is_ok()
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

async fn type_card_into(browser: &Browser, element: &str, card: TestCard) -> Result<()> {
    enter_frame(browser, element).await?;
    let fields = [
        ("#number", card.number),
        ("#expiry", card.expiry),
        ("#security_code", card.security_code),
        ("#name", card.name),
    ];
    for (selector, text) in fields {
        (**browser).find(Css(selector)).await?.click().await?;
        press(browser, text).await?;
    }
    browser
        .wait_for(&format!("return document.querySelector('{element}').matches(':state(complete)')"))
        .await?;
    Ok(())
}

async fn type_card(browser: &Browser) -> Result<()> {
    type_card_into(browser, "#card", TestCard::VISA).await
}

async fn press(browser: &Browser, keys: &str) -> Result<()> {
    let actions = keys.chars().flat_map(|value| [KeyAction::Down { value }, KeyAction::Up { value }]);
    Ok(browser.perform_actions(actions.fold(KeyActions::new("keys".into()), KeyActions::then)).await?)
}

async fn click(browser: &Browser, selector: &str) -> Result<()> {
    Ok(browser.find(Css(selector)).await?.click().await?)
}

async fn ask(browser: &Browser, expression: &str) -> Result<Value> {
    browser.run(&format!("return {expression}"), vec![]).await
}

/// What a field in the frame complains of.
async fn complaint(browser: &Browser, field: &str) -> Result<String> {
    enter_frame(browser, "#card").await?;
    let said = (**browser).find(Css(&format!("#{field}-complaint"))).await?.text().await?;
    Ok(said)
}

/// How many tokens the vault has made.
fn tokens(stage: &Stage) -> usize {
    let log = std::fs::read_to_string(stage.folder().join("vault.log")).unwrap();
    log.lines().filter(|line| line.contains(r#"method="POST" route="/tokens" status=200"#)).count()
}

#[tokio::test]
async fn a_form_without_a_script_of_the_merchants_posts_the_token() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, CHECKOUT)?;
        shop.enter(browser).await?;
        type_card(browser).await?;
        assert_eq!(
            ask(browser, "[card.matches(':valid'), form.checkValidity(), card.value]").await?,
            json!([true, true, ""])
        );
        click(browser, "#pay").await?;
        let post = shop.posted(browser).await?;
        assert_eq!(post, format!("order=1024&card_token={}&act=pay", token(&post)));

        // Enter in a field presses the button, with all that hangs on the button.
        shop.enter(browser).await?;
        type_card(browser).await?;
        browser.run("pay.formAction = '/elsewhere'", vec![]).await?;
        enter_frame(browser, "#card").await?;
        (**browser).find(Css("#expiry")).await?.click().await?;
        press(browser, "\u{E007}").await?;
        assert!(shop.posted(browser).await?.ends_with("&act=pay"));
        assert_eq!(browser.current_url().await?.path(), "/elsewhere");
        assert_eq!(tokens(stage), 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn pressing_twice_posts_once() -> Result<()> {
    visit(async |stage, browser| {
        // The page goes on pressing until the shop answers, and the shop waits to be told of ten more times.
        let presses = Arc::new((Mutex::new(0), Condvar::new()));
        let pressed = Arc::clone(&presses);
        let page = format!(
            "{CHECKOUT}<script>
                var pressOn = () => setInterval(() => {{ pay.click(); fetch('/pressed', {{ method: 'POST' }}); }}, 10);
            </script>"
        );
        let shop = Shop::answering(stage, &page, move |request| {
            let (count, changed) = &*pressed;
            let mut count = count.lock().unwrap();
            if request.path == "/pressed" {
                *count += 1;
                changed.notify_all();
            } else {
                let so_far = *count;
                drop(changed.wait_while(count, |count| *count < so_far + 10).unwrap());
            }
            Reply::page("<p id=received>Thank you")
        })?;
        shop.enter(browser).await?;
        type_card(browser).await?;
        browser.run("pressOn()", vec![]).await?;
        browser.wait_for("return document.querySelector('#received') !== null").await?;
        let posts: Vec<_> = shop.received().into_iter().filter(|post| !post.is_empty()).collect();
        assert_eq!(posts.len(), 1, "{posts:?}");
        assert_eq!(tokens(stage), 1);
        assert!(*presses.0.lock().unwrap() >= 10);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_card_that_is_not_complete_keeps_the_form_back_and_says_what_is_wrong() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, CHECKOUT)?;
        shop.enter(browser).await?;
        // Asking changes nothing.
        assert_eq!(
            ask(browser, "[form.checkValidity(), card.validity.valueMissing]").await?,
            json!([false, true])
        );
        assert_eq!(
            ask(browser, "[card.matches(':invalid'), card.validationMessage]").await?,
            json!([true, "Please enter your card details."])
        );
        assert_eq!(complaint(browser, "number").await?, "");
        // An input that comes first is dealt with first.
        browser.run("order.value = ''", vec![]).await?;
        click(browser, "#pay").await?;
        browser.wait_for("return document.activeElement === order").await?;
        assert_eq!(complaint(browser, "number").await?, "");
        browser.run("order.value = '1024'", vec![]).await?;
        click(browser, "#pay").await?;
        browser.wait_for("return document.activeElement === card").await?;
        wait_inside(browser, "document.activeElement.id === 'number' && document.hasFocus()").await?;
        assert_ne!(complaint(browser, "number").await?, "");
        assert_ne!(complaint(browser, "name").await?, "");
        // What is typed now lands in the field that complained.
        enter_frame(browser, "#card").await?;
        press(browser, "4242").await?;
        browser.wait_for("return card.validity.badInput").await?;

        // The same in a form that the browser does not validate.
        browser.run("form.noValidate = true", vec![]).await?;
        click(browser, "#pay").await?;
        browser.wait_for("return heard.includes('incomplete_card')").await?;
        assert_eq!(ask(browser, "card.shadowRoot.querySelector('[part=problem]').textContent").await?, "");
        assert_eq!((shop.received(), tokens(stage)), (vec![], 0));

        browser.run("form.reset()", vec![]).await?;
        browser.wait_for("return card.matches(':state(empty)')").await?;
        assert_eq!(complaint(browser, "number").await?, "");
        wait_inside(browser, "document.querySelector('#number').value === ''").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_pages_own_listeners_hear_of_a_submission_once_with_the_token_in_it() -> Result<()> {
    visit(async |stage, browser| {
        // One listener looks at everything on its way down, one sends the form its own way.
        let page = format!(
            "{CHECKOUT}<script>
                var seen = [], sent = [];
                document.addEventListener('submit', ({{ submitter }}) => seen.push(submitter?.id), true);
                form.addEventListener('submit', (event) => {{
                    event.preventDefault();
                    sent.push(new FormData(form, event.submitter).get('card_token'), card.value);
                }});
            </script>"
        );
        let shop = Shop::open(stage, &page)?;
        shop.enter(browser).await?;
        type_card(browser).await?;
        click(browser, "#pay").await?;
        browser.wait_for("return sent.length === 2").await?;
        click(browser, "#pay").await?;
        browser.wait_for("return sent.length === 4").await?;
        let sent = ask(browser, "sent").await?;
        assert!(sent[0].as_str().unwrap().starts_with("tokn_test_"), "{sent}");
        assert!(sent[0] == sent[1] && sent[2] == sent[3], "{sent}");
        assert_ne!(sent[0], sent[2], "a token is good for one attempt");
        assert_eq!(ask(browser, "seen").await?, json!(["pay", "pay"]));
        assert_eq!(ask(browser, "heard.filter((name) => name === 'token').length").await?, 2);
        assert_eq!(shop.received(), Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_page_that_asks_something_before_it_submits_gets_there() -> Result<()> {
    visit(async |stage, browser| {
        // It prevents every submission but its own, which is how one waits for a risk score, or for a yes.
        let page = format!(
            "{CHECKOUT}<script>
                let mine = false;
                form.addEventListener('submit', (event) => {{
                    if (mine) return;
                    event.preventDefault();
                    setTimeout(() => {{
                        mine = true;
                        SUBMIT;
                        mine = false;
                    }});
                }});
            </script>"
        );
        for submit in ["form.requestSubmit(event.submitter)", "form.submit()"] {
            let shop = Shop::open(stage, &page.replace("SUBMIT", submit))?;
            shop.enter(browser).await?;
            type_card(browser).await?;
            click(browser, "#pay").await?;
            token(&shop.posted(browser).await?);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_form_goes_without_a_card_where_that_is_meant() -> Result<()> {
    visit(async |stage, browser| {
        let page = "<form id=form method=post action=/pay>
            <fieldset id=set>CARD</fieldset>
            <button id=pay>Pay</button> <button id=draft name=act value=draft formnovalidate>Save</button>
        </form>";
        let shop = Shop::open(stage, page)?;
        for (preparation, button, expected) in [
            ("card.disabled = true", "#pay", ""),
            ("set.disabled = true", "#pay", ""),
            ("card.optional = true", "#pay", ""),
            ("", "#draft", "act=draft"),
        ] {
            shop.enter(browser).await?;
            browser.run(preparation, vec![]).await?;
            click(browser, button).await?;
            assert_eq!(shop.posted(browser).await?, expected, "{preparation}");
        }
        shop.enter(browser).await?;
        browser.run("card.optional = true; set.disabled = true", vec![]).await?;
        assert_eq!(
            ask(browser, "[card.matches(':disabled'), card.willValidate]").await?,
            json!([true, false])
        );
        wait_inside(browser, "document.querySelector('#number').disabled").await?;
        browser.run("set.disabled = false", vec![]).await?;
        wait_inside(browser, "!document.querySelector('#number').disabled").await?;
        // A button that validates nothing takes along what there is.
        type_card(browser).await?;
        click(browser, "#draft").await?;
        token(&shop.posted(browser).await?);
        // A form that is submitted by script sends no event for the element to hear.
        shop.enter(browser).await?;
        type_card(browser).await?;
        browser.run("form.submit()", vec![]).await?;
        assert_eq!(shop.posted(browser).await?, "");
        assert_eq!(tokens(stage), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_fails_is_said_and_tried_again_with_the_same_card() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, CHECKOUT)?;
        shop.enter(browser).await?;
        type_card(browser).await?;
        stage.stop_vault();
        click(browser, "#pay").await?;
        browser.wait_for("return heard.includes('network_error')").await?;
        let problem = "card.shadowRoot.querySelector('[part=problem]').textContent";
        assert!(ask(browser, problem).await?.as_str().unwrap().contains("nothing was charged"));
        // A page with words of its own has the last one.
        let own =
            "card.addEventListener('cardseal-error', (event) => event.preventDefault()); heard.length = 0";
        browser.run(own, vec![]).await?;
        click(browser, "#pay").await?;
        browser.wait_for("return heard.includes('network_error')").await?;
        assert_eq!(ask(browser, problem).await?, "");
        assert_eq!(ask(browser, "form.checkValidity()").await?, true, "it may be tried again");
        stage.start_vault()?;
        click(browser, "#pay").await?;
        token(&shop.posted(browser).await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_page_that_is_gone_back_to_posts_no_token_twice() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, CHECKOUT)?;
        shop.enter(browser).await?;
        type_card(browser).await?;
        click(browser, "#pay").await?;
        let first = shop.posted(browser).await?;
        browser.back().await?;
        ready(browser).await?;
        assert_eq!(
            ask(browser, "[card.value, new FormData(form).has('card_token')]").await?,
            json!(["", false])
        );
        // Where the browser has kept the page, it has kept the card in its frame.
        if ask(browser, "card.matches(':state(empty)')").await? == true {
            type_card(browser).await?;
        }
        click(browser, "#pay").await?;
        let second = shop.posted(browser).await?;
        assert_ne!(token(&first), token(&second));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_form_may_have_two_cards_and_stand_in_a_shadow_root() -> Result<()> {
    visit(async |stage, browser| {
        let two = "<form method=post action=/pay>CARD
            <cardseal-card id=other public-key=KEY vault=VAULT name=other fields='number expiry'></cardseal-card>
            <button id=pay>Pay</button></form>";
        let shop = Shop::open(stage, two)?;
        shop.enter(browser).await?;
        type_card(browser).await?;
        browser.wait_for("return other.matches(':state(ready)')").await?;
        enter_frame(browser, "#other").await?;
        assert_eq!((**browser).find_all(Css("input")).await?.len(), 2);
        for (selector, text) in [("#number", TestCard::JCB.number), ("#expiry", TestCard::JCB.expiry)] {
            (**browser).find(Css(selector)).await?.click().await?;
            press(browser, text).await?;
        }
        browser.wait_for("return other.matches(':state(complete)')").await?;
        click(browser, "#pay").await?;
        let post = shop.posted(browser).await?;
        let other = post.split_once("&other=").context("two tokens")?.1;
        assert!(other.starts_with("tokn_test_") && other != token(&post), "{post}");

        // The element's form has to stand in the same tree; events of neither leave it.
        let shadow = format!(
            "<div id=host></div><iframe name=answer></iframe><script>
                var root = host.attachShadow({{ mode: 'open' }}), inside = [];
                root.innerHTML = `{CHECKOUT}`;
                var card = root.querySelector('#card');
                root.addEventListener('submit', ({{ submitter }}) => inside.push(submitter.id));
                root.addEventListener('cardseal-token', () => inside.push('token'));
                root.querySelector('form').target = 'answer';
            </script>"
        );
        let shop = Shop::open(stage, &shadow)?;
        shop.enter(browser).await?;
        let root = browser.find(Css("#host")).await?.shadow_root().await?;
        let inner = root.find(Css("#card")).await?.shadow_root().await?;
        inner.find(Css("iframe")).await?.enter_frame().await?;
        (**browser).find(Css("#number")).await?.click().await?;
        let TestCard { number, expiry, security_code, name } = TestCard::VISA;
        press(browser, &[number, expiry, security_code, name].join("\u{E004}")).await?;
        browser.wait_for("return card.matches(':state(complete)')").await?;
        // Twice, as the page stays.
        for _ in 0..2 {
            root.find(Css("#pay")).await?.click().await?;
            browser.wait_for("return frames.answer.document.querySelector('#received') !== null").await?;
            browser.run("frames.answer.document.body.remove()", vec![]).await?;
        }
        assert_eq!(ask(browser, "inside").await?, json!(["token", "pay", "token", "pay"]));
        assert_eq!(ask(browser, "heard").await?, json!([]));
        let posts = shop.received();
        assert_ne!(token(&posts[0]), token(&posts[1]), "{posts:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_element_may_be_moved_changed_and_set_up_by_script() -> Result<()> {
    visit(async |stage, browser| {
        let shop = Shop::open(stage, CHECKOUT)?;
        shop.enter(browser).await?;
        let frames = "card.shadowRoot.querySelectorAll('iframe').length";
        type_card(browser).await?;
        // A frame's document ends with such a move, and what was typed with it.
        browser
            .run("form.append(document.createElement('div')); form.lastChild.append(card)", vec![])
            .await?;
        assert_eq!(ask(browser, &format!("[{frames}, card.matches(':invalid')]")).await?, json!([1, true]));
        ready(browser).await?;
        type_card(browser).await?;
        browser.run("window.first = card; window.ended = card.card; card.remove()", vec![]).await?;
        browser.wait_for("return first.card === undefined").await?;
        browser.run("form.prepend(first)", vec![]).await?;
        ready(browser).await?;
        let anew = ask(browser, &format!("[{frames}, card.card !== ended, card.form === form]")).await?;
        assert_eq!(anew, json!([1, true, true]));

        // What can be changed of a form that stands is changed there.
        browser.run("window.frame = card.shadowRoot.querySelector('iframe')", vec![]).await?;
        browser.run("card.locale = 'ja'; card.appearance = { radius: 0 }", vec![]).await?;
        wait_inside(browser, "document.querySelector('label').textContent === 'カード番号'").await?;
        assert_eq!(ask(browser, "card.validationMessage").await?, "カード情報を入力してください。");
        assert_eq!(ask(browser, "frame === card.shadowRoot.querySelector('iframe')").await?, true);
        browser.run("heard.length = 0; card.appearance = { radius: 99 }", vec![]).await?;
        browser.wait_for("return heard.includes('invalid_options')").await?;
        // For other fields there is another frame.
        browser.run("card.appearance = undefined; card.fields = ['number', 'expiry']", vec![]).await?;
        browser.wait_for("return card.matches(':state(ready)') && !frame.isConnected").await?;
        assert_eq!(ask(browser, frames).await?, 1);

        for (change, code) in [
            ("card.publicKey = 'skey_test_1'", "invalid_public_key"),
            ("card.publicKey = 'pkey_test_unknown'", "authentication_failure"),
            ("card.vault = 'http://vault.example'", "invalid_vault_address"),
            ("card.setAttribute('appearance', 'red')", "invalid_options"),
            ("card.mode = 'popup'", "unsupported_mode"),
        ] {
            shop.enter(browser).await?;
            browser.run(change, vec![]).await?;
            browser.wait_for(&format!("return heard.includes('{code}')")).await.context(change)?;
        }
        let failed = ask(browser, "[card.matches(':state(failed)'), card.matches(':invalid')]").await?;
        assert_eq!(failed, json!([true, true]));
        browser.run("card.mode = 'hosted'", vec![]).await?;
        ready(browser).await?;

        // A framework may set properties before the script is there, and attributes after.
        let late = "<form id=form method=post action=/pay></form><script>
            var card = document.createElement('cardseal-card');
            card.fields = ['number', 'expiry', 'security_code', 'name'];
            card.appearance = { colorText: '#123456' };
            form.append(card);
            const attributes = { 'public-key': 'KEY', vault: 'VAULT', id: 'card', name: 'card_token' };
            for (const [name, value] of Object.entries(attributes)) card.setAttribute(name, value);
        </script>";
        let shop = Shop::open(stage, late)?;
        shop.enter(browser).await?;
        assert_eq!(ask(browser, "card.getAttribute('appearance')").await?, r##"{"colorText":"#123456"}"##);
        assert_eq!(ask(browser, "heard").await?, json!(["ready"]));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn inputs_that_are_marked_for_it_go_with_the_card_and_no_others() -> Result<()> {
    visit(async |stage, browser| {
        let page = "<form id=form method=post action=/pay>
            <input name=mail value=somchai@example.com data-cardseal=email autocomplete=email>
            <input name=town value=Bangkok data-cardseal=city>
            <select name=land data-cardseal=country><option>JP<option selected>TH</select>
            <input name=post value=10110 autocomplete=postal-code>
            <input name=region value=Unsaid data-cardseal=state disabled>
            CARD <button id=pay>Pay</button></form>
            <script>document.addEventListener('cardseal-token', ({ detail }) => (window.made = detail))</script>";
        let shop = Shop::open(stage, page)?;
        shop.enter(browser).await?;
        type_card(browser).await?;
        browser.run("form.addEventListener('submit', (event) => event.preventDefault())", vec![]).await?;
        click(browser, "#pay").await?;
        browser.wait_for("return window.made").await?;
        let id = ask(browser, "made.id").await?;
        // What goes with the card is for the merchant's server to see.
        let address = format!("{}/tokens/{}", stage.vault_url(), id.as_str().unwrap());
        let key = format!("{}:", stage.secret_key());
        let seen = Command::new("curl").args(["--silent", "--user", &key, &address]).output()?;
        let seen: Value = serde_json::from_slice(&seen.stdout)?;
        let of = |name: &str| seen["card"][name].clone();
        assert_eq!((of("city"), of("country")), (json!("Bangkok"), json!("TH")), "{seen}");
        assert_eq!((of("postal_code"), of("state")), (Value::Null, Value::Null), "{seen}");

        browser.run("form.elements.mail.dataset.cardseal = 'pin'", vec![]).await?;
        click(browser, "#pay").await?;
        browser.wait_for("return heard.includes('invalid_options')").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_label_leads_to_the_first_field_and_a_strict_policy_is_no_obstacle() -> Result<()> {
    visit(async |stage, browser| {
        let vault = stage.vault_url().to_owned();
        let policy = format!(
            "default-src 'none'; script-src {vault}; frame-src {vault}; form-action 'self'; \
             require-trusted-types-for 'script'; trusted-types 'none'"
        );
        let page = CHECKOUT.replace("CARD", CARD).replace("KEY", stage.public_key()).replace("VAULT", &vault);
        let page = format!(
            "<!doctype html><title>Shop</title><script type=module src={vault}/v1/element.js></script>{page}"
        );
        let site = Site::open(move |request| {
            let page = if request.method == "POST" { "<p id=received>Thank you" } else { &page };
            Some(Reply::page(page).with("Content-Security-Policy", &policy))
        })?;
        stage.register(&[&site.url()])?;
        browser.goto(&site.url()).await?;
        ready(browser).await?;
        click(browser, "#label").await?;
        browser.wait_for("return document.activeElement === card").await?;
        wait_inside(browser, "document.activeElement.id === 'number'").await?;
        type_card(browser).await?;
        click(browser, "#pay").await?;
        browser.wait_for("return document.querySelector('#received') !== null").await?;
        Ok(())
    })
    .await
}
