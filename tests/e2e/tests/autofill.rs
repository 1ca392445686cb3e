//! Autofill's own path: values that browsers and password managers set by script, each with the events that it sends.
//!
//! The real ones cannot be driven, so each is played: which events come, in which order, with the focus or without.
//! Where a filler's events differ between its releases, both are here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use anyhow::Result;
use cardseal_e2e::{Browser, CardField, Checkout, Page, Reply, Stage, visit};
use serde_json::{Value, json, to_value};

/// Who fills a form in, by the name that [`FILL`] knows them under.
const FILLERS: [&str; 11] = [
    "chromium",
    "chromium with a type of input",
    "firefox",
    "safari",
    "bitwarden",
    "1password",
    "lastpass",
    "framework-aware",
    "values first, events later",
    "input alone",
    "change alone",
];

/// Fills in what `values` has, in its order, as one of [`FILLERS`] does.
const FILL: &str = r#"
    const [form, values, filler] = arguments;
    const all = values.map(([id, value]) => [form.elements.namedItem(id), value]);
    const event = (name, init) => new Event(name, { bubbles: true, composed: true, ...init });
    const input = (inputType, data) =>
        new InputEvent("input", { bubbles: true, composed: true, inputType, data });
    const key = (name, key = "Unidentified") =>
        new KeyboardEvent(name, { bubbles: true, composed: true, cancelable: true, key });
    // As scripts do that want a framework's wrapped setter not to notice.
    const native = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
    const fillers = {
        // No focus moves, but each field hears of one.
        "chromium": (field, value) => {
            field.dispatchEvent(new FocusEvent("focus"));
            field.dispatchEvent(key("keydown"));
            field.value = value;
            field.dispatchEvent(event("input"));
            field.dispatchEvent(event("change"));
            field.dispatchEvent(key("keypress"));
            field.dispatchEvent(key("keyup"));
            field.dispatchEvent(new FocusEvent("blur"));
        },
        "chromium with a type of input": (field, value) => {
            field.dispatchEvent(key("keydown"));
            field.value = value;
            field.dispatchEvent(input("insertReplacementText", null));
            field.dispatchEvent(event("change"));
            field.dispatchEvent(key("keyup"));
        },
        // The focus goes along.
        "firefox": (field, value) => {
            field.focus({ preventScroll: true });
            field.value = value;
            field.dispatchEvent(input("insertReplacementText", value));
            field.dispatchEvent(event("change", { composed: false }));
        },
        "safari": (field, value) => {
            field.value = value;
            field.dispatchEvent(event("input"));
            field.dispatchEvent(event("change", { composed: false }));
            field.dispatchEvent(event("blur", { bubbles: false }));
        },
        "bitwarden": (field, value) => {
            const keys = () => ["keydown", "keypress", "keyup"].forEach((name) => field.dispatchEvent(key(name, "")));
            field.click();
            field.focus();
            keys();
            field.value = value;
            keys();
            field.dispatchEvent(event("input"));
            field.dispatchEvent(event("change"));
            field.blur();
        },
        "1password": (field, value) => {
            field.focus();
            // Events of no class of their own, with no key.
            field.dispatchEvent(event("keydown"));
            field.dispatchEvent(event("keypress"));
            native.call(field, value);
            field.dispatchEvent(event("keyup"));
            field.dispatchEvent(event("input"));
            field.dispatchEvent(event("change"));
            field.blur();
            // And once more, for forms that undo it.
            if (field.value !== value) {
                native.call(field, value);
                field.dispatchEvent(event("input"));
                field.dispatchEvent(event("change"));
            }
        },
        "lastpass": (field, value) => {
            field.value = value;
            for (const name of ["input", "keydown", "keyup", "change"]) field.dispatchEvent(event(name));
        },
        "framework-aware": (field, value) => {
            native.call(field, value);
            field.dispatchEvent(input("insertText", value));
            field.dispatchEvent(event("change"));
        },
        "input alone": (field, value) => {
            field.value = value;
            field.dispatchEvent(event("input"));
        },
        "change alone": (field, value) => {
            field.value = value;
            field.dispatchEvent(event("change"));
        },
        "no event at all": (field, value) => {
            field.value = value;
        },
    };
    if (filler === "values first, events later") {
        for (const [field, value] of all) field.value = value;
        for (const [field] of all) field.dispatchEvent(event("input"));
        for (const [field] of all) field.dispatchEvent(event("change"));
    } else {
        for (const [field, value] of all) fillers[filler](field, value);
    }
"#;

const NUMBER: &str = "4242424242424242";
const NAME: &str = "Somchai Prasert";

/// A card form, empty, in a page of the merchant's.
struct Form<'a> {
    page: Page<'a>,
    checkout: Checkout<'a>,
}

impl<'a> Form<'a> {
    /// Makes one from options, as JavaScript writes them.
    async fn open(stage: &Stage, browser: &'a Browser, mode: &str, options: &str) -> Result<Self> {
        let page = Page::open(stage, browser, Reply::page(Page::BARE)).await?;
        let checkout = page.mount_as(mode, options).await?;
        Ok(Self { page, checkout })
    }

    async fn clear(&self) -> Result<()> {
        // The answer to the second comes when the first is done.
        self.page.run("card.clear(); await card.update({ disabled: false })").await?;
        Ok(())
    }

    /// Sets values, in the order given, as a filler does.
    async fn fill(&self, filler: &str, values: &[(&str, &str)]) -> Result<()> {
        let form = to_value(self.checkout.find("form").await?)?;
        self.page.browser.execute(FILL, vec![form, json!(values), json!(filler)]).await?;
        Ok(())
    }

    async fn texts(&self) -> Result<[String; 4]> {
        let form = to_value(self.checkout.find("form").await?)?;
        let script = "return ['number', 'expiry', 'security_code', 'name']
            .map((id) => arguments[0].elements.namedItem(id)?.value ?? '')";
        Ok(serde_json::from_value(self.page.browser.execute(script, vec![form]).await?)?)
    }

    /// The last change that the page was told of; asked for after the form has answered, so that none is on its way.
    async fn state(&self) -> Result<Value> {
        self.page.run("await card.update({ disabled: false }); return state").await
    }

    async fn is_complete(&self) -> Result<bool> {
        Ok(self.page.run("return card.reportValidity()").await? == true)
    }

    /// Brand, last digits, month and year of the token that the card makes. The name is for the merchant's server.
    async fn token(&self) -> Result<Value> {
        let script = "const { card: it } = await card.tokenize();
            return [it.brand, it.last_digits, it.expiration_month, it.expiration_year]";
        self.page.run(script).await
    }
}

/// Everything that is done to a form in the frame is done to one in the page.
async fn in_each_mode(test: impl AsyncFn(&Form<'_>) -> Result<()>) -> Result<()> {
    visit(async |stage, browser| {
        for mode in ["hosted", "inline"] {
            test(&Form::open(stage, browser, mode, "{}").await?).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn each_filler_fills_every_field_in_one_go() -> Result<()> {
    in_each_mode(async |form| {
        for filler in FILLERS {
            form.clear().await?;
            let values =
                [("number", NUMBER), ("expiry", "12/2030"), ("security_code", "123"), ("name", NAME)];
            form.fill(filler, &values).await?;
            assert_eq!(form.texts().await?, ["4242 4242 4242 4242", "12 / 30", "123", NAME], "{filler}");
            let state = form.state().await?;
            assert_eq!(
                (&state["complete"], &state["brand"]),
                (&json!(true), &json!("visa")),
                "{filler}: {state}"
            );
            assert!(form.is_complete().await?, "{filler}");
        }
        assert_eq!(form.token().await?, json!(["Visa", "4242", 12, 2030]));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_writing_of_number_and_expiry_comes_out_right() -> Result<()> {
    in_each_mode(async |form| {
        for filler in ["chromium", "framework-aware", "change alone"] {
            for number in [NUMBER, "4242 4242 4242 4242", "4242-4242-4242-4242", " 4242424242424242 "] {
                form.clear().await?;
                form.fill(filler, &[("number", number)]).await?;
                assert_eq!(form.texts().await?[0], "4242 4242 4242 4242", "{filler}: {number:?}");
                assert_eq!(
                    form.state().await?["fields"]["number"]["status"],
                    "valid",
                    "{filler}: {number:?}"
                );
            }
            for (expiry, text) in [
                ("12/2030", "12 / 30"),
                ("12/30", "12 / 30"),
                ("1230", "12 / 30"),
                ("122030", "12 / 30"),
                ("12 / 2030", "12 / 30"),
                ("12 / 30", "12 / 30"),
                ("12-2030", "12 / 30"),
                ("2030-12", "12 / 30"),
                ("2030/12", "12 / 30"),
                ("01/2030", "01 / 30"),
                ("1/30", "01 / 30"),
                ("012030", "01 / 30"),
                ("2030-01", "01 / 30"),
            ] {
                form.clear().await?;
                form.fill(filler, &[("expiry", expiry)]).await?;
                assert_eq!(form.texts().await?[1], text, "{filler}: {expiry}");
                assert_eq!(form.state().await?["fields"]["expiry"]["status"], "valid", "{filler}: {expiry}");
            }
        }
        Ok(())
    })
    .await
}

/// What a password manager gives that takes the field for the year's. Cut to 20, or to 20 / 30, it would look like a
/// date; shown as it is, with what it lacks, it takes a person two keys to put right.
#[tokio::test]
async fn a_year_alone_is_never_a_date_and_says_what_it_lacks() -> Result<()> {
    in_each_mode(async |form| {
        for filler in FILLERS {
            for year in ["2030", "30"] {
                form.clear().await?;
                let values = [("number", NUMBER), ("expiry", year), ("security_code", "123"), ("name", NAME)];
                form.fill(filler, &values).await?;
                assert_eq!(form.texts().await?[1], year, "{filler}");
                let state = form.state().await?;
                assert_eq!(state["fields"]["expiry"], json!({ "status": "incomplete" }), "{filler}: {year}");
                assert_eq!(state["complete"], false, "{filler}: {year}");
                let complaint = form.checkout.complaint(CardField::Expiry).await?;
                let incomplete = "Your card's expiry date is incomplete.";
                if filler != "input alone" {
                    assert_eq!(
                        complaint, incomplete,
                        "{filler}: {year}, without the focus ever in the field"
                    );
                }
                assert!(!form.is_complete().await?, "{filler}: {year}");
                assert_eq!(form.checkout.complaint(CardField::Expiry).await?, incomplete, "{filler}: {year}");
            }
        }
        // The focus is in the field; the month is typed where it belongs.
        for year in ["2030", "30"] {
            form.fill("chromium", &[("expiry", year)]).await?;
            form.checkout.select(CardField::Expiry, 0, 0).await?;
            form.checkout.press("12").await?;
            assert_eq!(form.checkout.complaint(CardField::Expiry).await?, "", "{year}");
            assert_eq!(form.token().await?, json!(["Visa", "4242", 12, 2030]), "{year}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_value_that_is_set_twice_is_the_last_one() -> Result<()> {
    in_each_mode(async |form| {
        let first = [("number", NUMBER), ("expiry", "12/30"), ("security_code", "123"), ("name", NAME)];
        for filler in FILLERS {
            // The same again, in the same and in another writing.
            form.clear().await?;
            form.fill(filler, &first).await?;
            form.fill(filler, &first).await?;
            form.fill(filler, &[("number", "4242 4242 4242 4242"), ("expiry", "12/2030")]).await?;
            assert_eq!(form.texts().await?, ["4242 4242 4242 4242", "12 / 30", "123", NAME], "{filler}");
            // First by one who takes the field for the year's, then by one who does not; and the other way round.
            form.fill(filler, &[("expiry", "2030"), ("name", "")]).await?;
            form.fill(filler, &[("expiry", "12/2030"), ("name", NAME)]).await?;
            assert!(form.is_complete().await?, "{filler}");
            form.fill(filler, &[("expiry", "30")]).await?;
            assert_eq!(form.texts().await?[1], "30", "{filler}");
            assert!(!form.is_complete().await?, "{filler}");
            // Another card over it.
            let other = [("number", "5555555555554444"), ("expiry", "01/2031"), ("security_code", "987")];
            form.fill(filler, &other).await?;
            assert_eq!(form.texts().await?, ["5555 5555 5555 4444", "01 / 31", "987", NAME], "{filler}");
        }
        assert_eq!(form.token().await?, json!(["MasterCard", "4444", 1, 2031]));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn any_order_will_do() -> Result<()> {
    in_each_mode(async |form| {
        let visa = [("number", NUMBER), ("expiry", "12/30"), ("security_code", "123"), ("name", NAME)];
        let amex = [
            ("number", "378282246310005"),
            ("expiry", "01/2031"),
            ("security_code", "1234"),
            ("name", "A Person"),
        ];
        let orders = [[3, 2, 1, 0], [2, 0, 3, 1], [1, 2, 0, 3]];
        for (filler, order) in FILLERS.into_iter().zip(orders.into_iter().cycle()) {
            form.clear().await?;
            // One card over another: a code of four digits comes while a brand with three still stands there.
            form.fill(filler, &order.map(|at| visa[at])).await?;
            form.fill(filler, &order.map(|at| amex[at])).await?;
            let texts = ["3782 822463 10005", "01 / 31", "1234", "A Person"];
            assert_eq!(form.texts().await?, texts, "{filler} {order:?}");
            assert_eq!(form.state().await?["complete"], true, "{filler} {order:?}");
            form.fill(filler, &order.map(|at| visa[at])).await?;
            let texts = ["4242 4242 4242 4242", "12 / 30", "123", NAME];
            assert_eq!(form.texts().await?, texts, "{filler} {order:?}");
            assert!(form.is_complete().await?, "{filler} {order:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn values_that_nobody_told_of_are_seen_when_the_card_is_asked_for() -> Result<()> {
    in_each_mode(async |form| {
        let silent = "no event at all";
        form.fill(
            silent,
            &[("number", NUMBER), ("expiry", "2030"), ("security_code", "123"), ("name", NAME)],
        )
        .await?;
        assert!(!form.is_complete().await?);
        assert_eq!(form.checkout.complaint(CardField::Number).await?, "");
        assert_eq!(
            form.checkout.complaint(CardField::Expiry).await?,
            "Your card's expiry date is incomplete."
        );
        form.fill(silent, &[("expiry", "12/2030")]).await?;
        assert_eq!(form.token().await?, json!(["Visa", "4242", 12, 2030]));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_name_is_taken_as_it_is_and_a_number_in_its_place_is_told() -> Result<()> {
    in_each_mode(async |form| {
        for name in ["SOMCHAI PRASERT", "山田 太郎", "สมชาย ประเสริฐ", "Ana-María d'Ávila Jr."]
        {
            form.fill("chromium", &[("name", name)]).await?;
            assert_eq!(form.texts().await?[3], name);
            assert_eq!(form.state().await?["fields"]["name"]["status"], "valid", "{name}");
        }
        form.fill("chromium", &[("name", NUMBER)]).await?;
        let state = form.state().await?;
        assert_eq!(state["fields"]["name"], json!({ "status": "invalid", "reason": "is_card_number" }));
        assert!(form.checkout.complaint(CardField::Name).await?.contains("card number"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_filled_in_too_long_is_told_and_not_cut() -> Result<()> {
    in_each_mode(async |form| {
        form.fill("chromium", &[("number", NUMBER), ("security_code", "1234"), ("expiry", "12/20301")])
            .await?;
        let state = form.state().await?;
        assert_eq!(state["fields"]["security_code"], json!({ "status": "invalid", "reason": "too_long" }));
        assert_eq!(form.texts().await?[2], "1234");
        form.fill("chromium", &[("number", "378282246310005123")]).await?;
        let state = form.state().await?;
        assert_eq!(state["fields"]["number"], json!({ "status": "invalid", "reason": "too_long" }));
        assert_eq!(form.texts().await?[0].replace(' ', ""), "378282246310005123");
        Ok(())
    })
    .await
}

/// What browsers look for before they offer a card, and what keeps them from filling it in whole.
#[tokio::test]
async fn the_fields_are_what_autofill_looks_for() -> Result<()> {
    visit(async |stage, browser| {
        for mode in ["hosted", "inline"] {
            let form = Form::open(stage, browser, mode, "{}").await?;
            let inputs = to_value(form.checkout.find("form").await?)?;
            let script = "
                const [form] = arguments;
                const root = form.getRootNode();
                const inputs = [...root.querySelectorAll('input')];
                return {
                    forms: root.querySelectorAll('form').length,
                    inLight: root === document,
                    autocomplete: form.getAttribute('autocomplete'),
                    inputs: inputs.map((input) => ({
                        inForm: input.form === form,
                        id: input.id,
                        autocomplete: input.getAttribute('autocomplete'),
                        label: [...input.labels].map((label) => label.textContent).join(),
                        type: input.getAttribute('type'),
                        open: !input.readOnly && !input.disabled && input.tabIndex === 0,
                        // A maximum cuts a value, a pattern has kept Safari from filling one in.
                        limits: ['maxlength', 'minlength', 'pattern', 'list', 'aria-hidden']
                            .filter((name) => input.hasAttribute(name)),
                        seen: input.checkVisibility() && input.getBoundingClientRect().width > 40,
                    })),
                };";
            let told = browser.execute(script, vec![inputs]).await?;
            assert_eq!((&told["forms"], &told["autocomplete"]), (&json!(1), &json!("on")), "{mode}");
            // In the frame nothing stands between a password manager and the fields, not even a shadow root.
            assert_eq!(told["inLight"], mode == "hosted");
            let expected = [
                ("number", "cc-number", "Card number"),
                ("expiry", "cc-exp", "Expiry date"),
                ("security_code", "cc-csc", "Security code"),
                ("name", "cc-name", "Name on card"),
            ]
            .map(|(id, autocomplete, label)| {
                json!({ "inForm": true, "id": id, "autocomplete": autocomplete, "label": label, "type": "text",
                    "open": true, "limits": [], "seen": true })
            });
            assert_eq!(told["inputs"], json!(expected), "{mode}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_form_with_fewer_fields_in_another_order_is_filled_in_as_well() -> Result<()> {
    visit(async |stage, browser| {
        for mode in ["hosted", "inline"] {
            let options = "{ fields: ['name', 'security_code', 'expiry', 'number'] }";
            let form = Form::open(stage, browser, mode, options).await?;
            let card = [
                ("name", NAME),
                ("security_code", "1234"),
                ("expiry", "2031-01"),
                ("number", "378282246310005"),
            ];
            for filler in FILLERS {
                form.clear().await?;
                form.fill(filler, &card).await?;
                assert_eq!(
                    form.texts().await?,
                    ["3782 822463 10005", "01 / 31", "1234", NAME],
                    "{mode}: {filler}"
                );
                assert!(form.is_complete().await?, "{mode}: {filler}");
            }
            let form = Form::open(stage, browser, mode, "{ fields: ['number', 'expiry'] }").await?;
            form.fill("chromium", &[("number", NUMBER), ("expiry", "12/2030")]).await?;
            assert_eq!(form.token().await?, json!(["Visa", "4242", 12, 2030]), "{mode}");
        }
        Ok(())
    })
    .await
}
