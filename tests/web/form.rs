//! The form in its shadow root: what a person sees of it, what a page hears of it, and what neither does.

use std::rc::Rc;

use cardseal::bindings::Form;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Element, HtmlElement, ShadowRootInit, ShadowRootMode};

use super::checkout::{Checkout, FIELDS, document, texts};
use super::stage::{
    expiry, fire, forbid_inline_styles, js, listen, no_troubles, object, outcome, plain, refusal, style_of,
    thrown, token,
};

#[wasm_bindgen_test]
fn a_number_is_grouped_as_it_is_typed_and_the_caret_stays_with_its_digit() {
    let checkout = Checkout::open();
    checkout.type_in("number", "42424");
    assert_eq!(checkout.seen("number"), "4242 4|");
    checkout.type_in("number", "242");
    assert_eq!(checkout.seen("number"), "4242 4242|");

    checkout.select("number", 2, 2);
    checkout.press("number", "9");
    assert_eq!(checkout.seen("number"), "429|4 2424 2");
    checkout.press("number", "Backspace");
    assert_eq!(checkout.seen("number"), "42|42 4242");
    checkout.press("number", "Delete");
    assert_eq!(checkout.seen("number"), "42|24 242");

    // Over the gap.
    checkout.select("number", 5, 5);
    checkout.press("number", "Backspace");
    assert_eq!(checkout.seen("number"), "422|2 42");
    checkout.select("number", 4, 4);
    checkout.press("number", "Delete");
    assert_eq!(checkout.seen("number"), "4222| 2");

    checkout.select("number", 1, 4);
    checkout.press("number", "555 5555-5555 4");
    assert_eq!(checkout.text("number"), "4555 5555 5555 42");
    checkout.select("number", 0, 17);
    checkout.press("number", "３７８２ 822463 10005");
    assert_eq!(checkout.seen("number"), "3782 822463 10005|");
    checkout.press("number", "x");
    assert_eq!(checkout.seen("number"), "3782 822463 10005|");
    checkout.press("number", "1");
    assert_eq!(checkout.seen("number"), "3782 822463 10005|", "an American Express number has 15 digits");
}

#[wasm_bindgen_test]
fn an_expiry_and_a_code_are_shown_as_a_card_prints_them() {
    let checkout = Checkout::open();
    checkout.type_in("expiry", "4");
    assert_eq!(checkout.seen("expiry"), "04 / |");
    checkout.type_in("expiry", "30");
    assert_eq!(checkout.seen("expiry"), "04 / 30|");
    checkout.select("expiry", 0, 7);
    checkout.press("expiry", &format!("12/20{}", &expiry()[5..]));
    assert_eq!(checkout.seen("expiry"), format!("{}|", expiry()));

    checkout.type_in("number", "42");
    checkout.type_in("security_code", "12345");
    assert_eq!(checkout.seen("security_code"), "123|");
    checkout.fill("number", "378282246310005", "input");
    checkout.type_in("security_code", "45");
    assert_eq!(checkout.seen("security_code"), "1234|", "American Express prints four");

    checkout.type_in("name", "Ｔaro O'Müller 山田");
    assert_eq!(checkout.seen("name"), "Ｔaro O'Müller 山田|", "a name is left as it is");
    checkout.select("name", 1, 1);
    checkout.press("name", "h");
    assert_eq!(checkout.seen("name"), "Ｔh|aro O'Müller 山田");
}

#[wasm_bindgen_test]
async fn what_an_input_method_composes_is_left_alone_until_it_is_done() {
    /// The events of the end: Chromium tells of the text before it is done, Firefox after, Safari both.
    const ENDS: [&[(&str, &str, bool)]; 3] = [
        &[("InputEvent", "input", true), ("CompositionEvent", "compositionend", false)],
        &[("CompositionEvent", "compositionend", false), ("InputEvent", "input", false)],
        &[("InputEvent", "input", false), ("CompositionEvent", "compositionend", false)],
    ];
    for end in ENDS {
        let checkout = Checkout::open();
        checkout.go_to("number");
        checkout.fire("number", "CompositionEvent", "compositionstart", &json!({}));
        for text in ["４", "４２", "４２４", "４２４２", "４２４２４"] {
            let input = checkout.input("number");
            input.set_value(text);
            let composing = json!({ "inputType": "insertCompositionText", "isComposing": true });
            checkout.fire("number", "InputEvent", "input", &composing);
            assert_eq!(checkout.seen("number"), format!("{text}|"));
        }
        // Enter takes what is composed; it is not meant for the form.
        checkout.fire("number", "KeyboardEvent", "keydown", &json!({ "key": "Enter", "isComposing": true }));
        for (class, name, composing) in end {
            let init = json!({ "inputType": "insertFromComposition", "isComposing": composing });
            checkout.fire("number", class, name, &init);
        }
        assert_eq!(checkout.seen("number"), "4242 4|", "{end:?}");
        assert_eq!(checkout.take_heard_names(), ["focus", "change"], "{end:?}");
        checkout.type_in("number", "2");
        assert_eq!(checkout.seen("number"), "4242 42|", "{end:?}");
    }
    no_troubles().await;
}

#[wasm_bindgen_test]
fn a_field_that_is_left_ends_its_composition() {
    let checkout = Checkout::open();
    checkout.go_to("number");
    checkout.fire("number", "CompositionEvent", "compositionstart", &json!({}));
    checkout.input("number").set_value("４２４２４２４２");
    checkout.go_to("expiry");
    checkout.fire("number", "Event", "change", &json!({}));
    assert_eq!(checkout.text("number"), "4242 4242");
    checkout.type_in("expiry", "1230");
    assert_eq!(checkout.text("expiry"), "12 / 30");
}

#[wasm_bindgen_test]
fn autofill_sets_every_field_in_one_go() {
    let [month, year] = ["12", &expiry()[5..]];
    for number in ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242"] {
        for date in [
            format!("{month}/{year}"),
            format!("{month}/20{year}"),
            format!("20{year}-{month}"),
            format!("{month}{year}"),
        ] {
            for events in
                [&["input"][..], &["change"], &["input", "change"], &["keydown", "input", "keyup", "change"]]
            {
                let checkout = Checkout::open();
                let card = [
                    ("number", number),
                    ("expiry", &*date),
                    ("security_code", "987"),
                    ("name", "Taro Yamada"),
                ];
                for (field, text) in card {
                    checkout.input(field).set_value(text);
                }
                for (field, _) in card {
                    for event in events {
                        checkout.fire(field, "Event", event, &json!({}));
                    }
                }
                let change = checkout.take_last_change().unwrap();
                assert_eq!(change["complete"], true, "{number} {date} {events:?}: {change}");
                assert_eq!(checkout.text("number"), "4242 4242 4242 4242");
                assert_eq!(checkout.text("expiry"), expiry());
                assert_eq!(checkout.text("name"), "Taro Yamada");
            }
        }
    }
}

#[wasm_bindgen_test]
fn autofill_may_come_in_any_order() {
    let checkout = Checkout::open();
    for (field, text) in [
        ("name", "Taro Yamada"),
        ("security_code", "1234"),
        ("expiry", &*expiry()),
        ("number", "378282246310005"),
    ] {
        checkout.fill(field, text, "change");
    }
    let change = checkout.take_last_change().unwrap();
    assert_eq!((&change["complete"], &change["brand"]), (&json!(true), &json!("amex")));
    // Nothing new, nothing told.
    for field in FIELDS {
        checkout.fire(field, "Event", "change", &json!({}));
        checkout.fire(field, "Event", "input", &json!({}));
    }
    assert_eq!(checkout.take_heard(), []);
}

#[wasm_bindgen_test]
fn a_mistake_is_told_once_the_field_is_left_and_taken_back_once_it_is_mended() {
    let checkout = Checkout::open();
    let region = checkout.element("number-complaint");
    assert_eq!(region.get_attribute("aria-live").as_deref(), Some("polite"));
    assert_eq!(
        checkout.input("number").get_attribute("aria-describedby").as_deref(),
        Some("number-complaint")
    );
    let invalid =
        |field: &str| checkout.input(field).get_attribute("aria-invalid").as_deref() == Some("true");
    let texts = texts("en");

    checkout.type_in("number", "4242");
    assert_eq!((checkout.complaint("number"), invalid("number")), (String::new(), false));
    checkout.go_to("expiry");
    assert_eq!(checkout.complaint("number"), texts["number_incomplete"]);
    assert!(invalid("number"));
    checkout.type_in("number", "4242424");
    assert_eq!(checkout.complaint("number"), texts["number_incomplete"], "still not right");
    checkout.type_in("number", "24242");
    assert_eq!((checkout.complaint("number"), invalid("number")), (String::new(), false));
    assert!(
        region.is_same_node(Some(&checkout.element("number-complaint"))),
        "a region that is new is not spoken"
    );

    for (field, text, complaint) in [
        ("number", "3782 822463 10006", "number_invalid"),
        ("number", "4242 4242 4242 4241", "number_invalid"),
        ("number", "9999", "number_unknown_brand"),
        ("expiry", "13 / 30", "expiry_invalid"),
        ("expiry", "12 / 19", "expiry_past"),
        ("expiry", "12", "expiry_incomplete"),
        ("security_code", "12", "security_code_incomplete"),
        ("name", "4242 4242 4242 4242", "name_is_card_number"),
    ] {
        checkout.form.clear().unwrap();
        assert_eq!((checkout.complaint(field), invalid(field)), (String::new(), false));
        checkout.go_to(field);
        checkout.fill(field, text, "input");
        assert_eq!(checkout.complaint(field), "", "{text}: not while it is typed");
        checkout.leave(field);
        assert_eq!(checkout.complaint(field), texts[complaint], "{text}");
        assert!(invalid(field), "{text}");
    }
}

#[wasm_bindgen_test]
fn passing_through_an_empty_field_is_no_mistake() {
    let checkout = Checkout::open();
    for field in FIELDS.iter().chain(&FIELDS) {
        checkout.go_to(field);
    }
    checkout.leave("name");
    for field in FIELDS {
        assert_eq!(checkout.complaint(field), "");
        assert_eq!(checkout.input(field).get_attribute("aria-invalid"), None);
    }
    assert!(!checkout.take_heard_names().contains(&"change".into()));
}

#[wasm_bindgen_test]
fn a_field_that_was_emptied_again_is_missing() {
    let checkout = Checkout::open();
    checkout.type_in("name", "T");
    checkout.leave("name");
    checkout.press("name", "Backspace");
    checkout.leave("name");
    assert_eq!(checkout.complaint("name"), texts("en")["name_incomplete"]);
}

#[wasm_bindgen_test]
fn a_page_hears_of_every_change_of_state_and_of_no_key() {
    let checkout = Checkout::prepared(&FIELDS);
    document().body().unwrap().append_child(&checkout.place).unwrap();
    checkout.form.mount(&checkout.place).unwrap();
    assert_eq!(checkout.take_heard(), [("ready".into(), Value::Null)]);

    checkout.type_in("number", "4");
    let change = json!({
        "complete": false,
        "empty": false,
        "fields": {
            "number": { "status": "incomplete" },
            "expiry": { "status": "empty" },
            "security_code": { "status": "empty" },
            "name": { "status": "empty" },
        },
    });
    let focus = |field: &str| ("focus".to_owned(), json!({ "field": field }));
    let blur = |field: &str| ("blur".to_owned(), json!({ "field": field }));
    assert_eq!(checkout.take_heard(), [focus("number"), ("change".into(), change.clone())]);
    checkout.type_in("number", "24242424242424");
    assert_eq!(checkout.take_heard(), [], "the number is as incomplete as before");
    checkout.type_in("number", "2");
    let heard = checkout.take_heard();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].1["fields"]["number"], json!({ "status": "valid" }));
    assert_eq!(heard[0].1["brand"], "visa", "not before it is whole");
    checkout.press("number", "Backspace");
    assert_eq!(checkout.take_heard(), [("change".into(), change)]);
    checkout.type_in("number", "1");
    assert_eq!(checkout.take_heard(), []);
    checkout.go_to("expiry");
    let heard = checkout.take_heard();
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert_eq!(heard[0].1["fields"]["number"], json!({ "status": "invalid", "reason": "luhn" }));
    assert_eq!(heard[1..], [blur("number"), focus("expiry")]);

    checkout.form.clear().unwrap();
    let heard = checkout.take_heard();
    assert_eq!(heard.len(), 1);
    assert_eq!((&heard[0].1["empty"], heard[0].1.get("brand")), (&json!(true), None));
    checkout.form.clear().unwrap();
    checkout.form.unmount().unwrap();
    checkout.take_heard();
    checkout.form.mount(&checkout.place).unwrap();
    assert_eq!(checkout.take_heard_names(), ["ready"]);
}

#[wasm_bindgen_test]
fn enter_submits_and_does_nothing_else() {
    let checkout = Checkout::open();
    for field in FIELDS {
        checkout.go_to(field);
        checkout.take_heard();
        let enter = |init: Value| !checkout.fire(field, "KeyboardEvent", "keydown", &init);
        assert!(enter(json!({ "key": "Enter" })), "what the browser would do is prevented");
        assert_eq!(checkout.take_heard(), [("submit".into(), Value::Null)]);
        assert!(!enter(json!({ "key": "Enter", "isComposing": true })));
        assert!(!enter(json!({ "key": "Enter", "repeat": true })));
        assert!(!enter(json!({ "key": "4" })));
        assert!(!enter(json!({ "key": "Tab" })));
        // Autofill's keys are no keys.
        checkout.fire(field, "Event", "keydown", &json!({}));
        assert_eq!(checkout.take_heard(), []);
    }
}

#[wasm_bindgen_test]
async fn no_event_tells_a_digit() {
    let checkout = Checkout::open();
    for number in ["4242424242424242", "378282246310006", "6759649826438453", "9999", "4242424242424241"] {
        checkout.type_in("number", number);
        checkout.go_to("expiry");
        checkout.form.clear().unwrap();
    }
    checkout.enter_card();
    checkout.fire("name", "KeyboardEvent", "keydown", &json!({ "key": "Enter" }));
    let heard = checkout.take_heard();
    assert!(heard.len() > 20);
    for (name, detail) in heard {
        assert!(!detail.to_string().contains(|c: char| c.is_numeric()), "{name}: {detail}");
    }
}

#[wasm_bindgen_test]
fn a_page_does_not_overhear_what_is_typed() {
    let checkout = Checkout::open();
    let telltales = [
        ("KeyboardEvent", "keydown"),
        ("KeyboardEvent", "keypress"),
        ("KeyboardEvent", "keyup"),
        ("InputEvent", "beforeinput"),
        ("InputEvent", "input"),
        ("CompositionEvent", "compositionstart"),
        ("CompositionEvent", "compositionupdate"),
        ("CompositionEvent", "compositionend"),
        ("ClipboardEvent", "copy"),
        ("ClipboardEvent", "cut"),
        ("ClipboardEvent", "paste"),
        ("DragEvent", "dragstart"),
        ("DragEvent", "drop"),
        ("Event", "textInput"),
    ];
    let names: Vec<_> = telltales.iter().map(|(_, name)| (*name).to_owned()).collect();
    let heard = listen(&checkout.place, names);
    for field in FIELDS {
        for (class, name) in telltales {
            checkout.fire(field, class, name, &json!({ "key": "4", "data": "4", "inputType": "insertText" }));
        }
    }
    assert_eq!(plain(&heard), json!([]));
    for key in ["Tab", "Escape", "ArrowDown", "Enter"] {
        checkout.fire("number", "KeyboardEvent", "keydown", &json!({ "key": key }));
    }
    assert_eq!(plain(&heard), json!(["keydown", "keydown", "keydown", "keydown"]));
}

#[wasm_bindgen_test]
fn the_shadow_root_is_closed_and_no_form_of_the_pages_has_the_fields() {
    let checkout = Checkout::open();
    assert!(matches!(checkout.root.mode(), ShadowRootMode::Closed));
    let host = checkout.root.host();
    assert!(host.shadow_root().is_none());
    assert_eq!(checkout.place.query_selector_all("input").unwrap().length(), 0);

    let around = document().create_element("form").unwrap();
    checkout.place.append_child(&around).unwrap();
    checkout.form.mount(&around).unwrap();
    checkout.enter_card();
    let entries =
        js("(form) => [[...new FormData(form)], form.elements.length]").unchecked_into::<js_sys::Function>();
    let entries = |form: &Element| plain(&entries.call1(&JsValue::UNDEFINED, form).unwrap());
    assert_eq!(entries(&around), json!([[], 0]));
    let inner = checkout.root.first_element_child().unwrap();
    assert_eq!(entries(&inner), json!([[], 4]), "not even the form's own, as no input has a name");
}

#[wasm_bindgen_test]
fn every_input_says_what_it_is() {
    let checkout = Checkout::open();
    let texts = texts("en");
    for (field, autocomplete, inputmode) in [
        ("number", "cc-number", "numeric"),
        ("expiry", "cc-exp", "numeric"),
        ("security_code", "cc-csc", "numeric"),
        ("name", "cc-name", "text"),
    ] {
        let input = checkout.input(field);
        let attribute = |name: &str| input.get_attribute(name);
        assert_eq!(attribute("autocomplete").as_deref(), Some(autocomplete));
        assert_eq!(attribute("inputmode").as_deref(), Some(inputmode));
        assert_eq!(attribute("type").as_deref(), Some("text"));
        assert_eq!(attribute("aria-required").as_deref(), Some("true"));
        assert_eq!(attribute("name"), None);
        assert_eq!(attribute("value"), None);
        assert_eq!(attribute("spellcheck").as_deref(), Some("false"), "a spelling service is a third party");
        let label = checkout.find(&format!("label[for={field}]"));
        assert_eq!(label.text_content().unwrap(), texts[format!("{field}_label")]);
        let labels = js("(input) => [...input.labels].map((label) => label.textContent)");
        let labels = labels.unchecked_into::<js_sys::Function>().call1(&JsValue::UNDEFINED, &input).unwrap();
        assert_eq!(plain(&labels), json!([texts[format!("{field}_label")]]));
    }
    assert_eq!(checkout.root.host().get_attribute("lang").as_deref(), Some("en"));
}

#[wasm_bindgen_test]
fn the_fields_stand_in_the_pages_order() {
    let checkout = Checkout::with_fields(&["name", "number", "expiry"]);
    let ids = js("(form) => [...form.querySelectorAll('input')].map((input) => input.id)");
    let form = checkout.root.first_element_child().unwrap();
    let ids = ids.unchecked_into::<js_sys::Function>().call1(&JsValue::UNDEFINED, &form).unwrap();
    assert_eq!(plain(&ids), json!(["name", "number", "expiry"]));
    checkout.enter_card();
    let change = checkout.take_last_change().unwrap();
    assert_eq!(change["complete"], true);
    assert_eq!(change["fields"].as_object().unwrap().len(), 3);
}

#[wasm_bindgen_test]
fn the_brand_is_shown_once_it_is_known() {
    let checkout = Checkout::open();
    assert_eq!(checkout.badge(), "");
    for (number, name, id) in [
        ("4", "Visa", "visa"),
        ("5555", "MasterCard", "mastercard"),
        ("37", "American Express", "amex"),
        ("3530", "JCB", "jcb"),
        ("6250", "UnionPay", "unionpay"),
        ("6", "", ""),
        ("", "", ""),
    ] {
        checkout.fill("number", number, "input");
        assert_eq!(checkout.badge(), name);
        assert_eq!(checkout.find(".brand").get_attribute("data-brand").as_deref(), Some(id));
    }
}

#[wasm_bindgen_test]
async fn a_maestro_card_needs_no_code() {
    let checkout = Checkout::open();
    checkout.enter_card();
    checkout.fill("security_code", "", "input");
    assert_eq!(checkout.take_last_change().unwrap()["complete"], false);
    checkout.fill("number", "6759649826438453", "input");
    let change = checkout.take_last_change().unwrap();
    assert_eq!((&change["complete"], &change["brand"]), (&json!(true), &json!("maestro")));
    assert!(outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await.is_ok());
    checkout.fill("security_code", "12", "input");
    assert_eq!(checkout.take_last_change().unwrap()["complete"], false, "but not half a one");
}

#[wasm_bindgen_test]
async fn a_form_that_is_taken_out_keeps_what_was_entered() {
    let checkout = Checkout::open();
    checkout.enter_card();
    checkout.form.unmount().unwrap();
    assert_eq!(checkout.place.child_element_count(), 0);
    checkout.form.unmount().unwrap();
    let error = outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await.unwrap_err();
    assert_eq!(error["code"], "not_mounted");
    checkout.form.mount(&checkout.place).unwrap();
    checkout.form.mount(&checkout.place).unwrap();
    assert_eq!(checkout.place.child_element_count(), 1);
    assert_eq!(checkout.text("number"), "4242 4242 4242 4242");
    checkout.type_in("name", "X");
    assert_eq!(checkout.text("name"), "TARO YAMADAX");
    assert_eq!(outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await.unwrap()["id"], token()["id"]);
}

#[wasm_bindgen_test]
async fn a_destroyed_form_is_empty_and_says_so_to_every_call() {
    let checkout = Checkout::open();
    checkout.enter_card();
    let inputs = FIELDS.map(|field| checkout.input(field));
    checkout.form.destroy();
    assert_eq!(checkout.place.child_element_count(), 0);
    assert!(inputs.iter().all(|input| input.value().is_empty()));
    checkout.take_heard();
    let form = &checkout.form;
    let calls: [Result<(), JsValue>; 6] = [
        form.mount(&checkout.place),
        form.unmount(),
        form.focus("number".into()),
        form.clear(),
        form.set_appearance(object(&json!({}))),
        form.set_texts(object(&texts("ja")), "ja"),
    ];
    for call in calls {
        assert_eq!(thrown(call)["code"], "destroyed");
    }
    assert_eq!(outcome(form.tokenize(JsValue::UNDEFINED)).await.unwrap_err()["code"], "destroyed");
    form.destroy();
    // Whoever has kept an element of it gets nothing out of it any more.
    inputs[0].set_value("4242");
    fire(&inputs[0], "InputEvent", "input", &object(&json!({})));
    fire(&inputs[0], "KeyboardEvent", "keydown", &object(&json!({ "key": "Enter" })));
    assert_eq!(checkout.take_heard(), []);
    no_troubles().await;
}

#[wasm_bindgen_test]
async fn a_card_becomes_a_token_only_in_a_page_whole_and_one_at_a_time() {
    let checkout = Checkout::prepared(&FIELDS);
    let code = |result: Result<Value, Value>| result.unwrap_err()["code"].clone();
    checkout.enter_card();
    assert_eq!(code(outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await), "not_mounted");
    document().body().unwrap().append_child(&checkout.place).unwrap();
    checkout.form.mount(&checkout.place).unwrap();

    let first = checkout.form.tokenize(JsValue::UNDEFINED);
    let second = checkout.form.tokenize(JsValue::UNDEFINED);
    assert_eq!(code(outcome(second).await), "busy");
    assert_eq!(outcome(first).await.unwrap()["id"], token()["id"]);
    assert!(outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await.is_ok());

    checkout.network.tokens(&refusal(400, "invalid_seal", &json!({})));
    assert_eq!(code(outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await), "invalid_seal");
    assert_eq!(
        code(outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await),
        "invalid_seal",
        "no longer busy"
    );
    assert_eq!(checkout.text("number"), "4242 4242 4242 4242", "nothing that was typed is lost");

    let under_way = checkout.form.tokenize(JsValue::UNDEFINED);
    checkout.form.destroy();
    assert_eq!(code(outcome(under_way).await), "invalid_seal");
    no_troubles().await;
}

#[wasm_bindgen_test]
async fn an_incomplete_card_leads_to_its_first_wrong_field() {
    let checkout = Checkout::open();
    let error = outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await.unwrap_err();
    assert_eq!((&error["code"], &error["field"]), (&json!("incomplete_card"), &json!("number")));
    assert_eq!(checkout.focused().as_deref(), Some("number"));
    let texts = texts("en");
    for field in FIELDS {
        assert_eq!(checkout.complaint(field), texts[format!("{field}_incomplete")]);
    }
    checkout.enter_card();
    for field in FIELDS {
        assert_eq!(checkout.complaint(field), "");
    }

    checkout.fill("expiry", "12 / 19", "input");
    checkout.fill("security_code", "1", "input");
    let error = outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await.unwrap_err();
    assert_eq!(
        (&error["code"], &error["field"], &error["reason"]),
        (&json!("invalid_card"), &json!("expiry"), &json!("past"))
    );
    assert_eq!(checkout.focused().as_deref(), Some("expiry"));
    assert!(checkout.network.take().iter().all(|sent| sent["method"] != "POST"), "nothing was sent");
}

#[wasm_bindgen_test]
async fn the_error_and_the_complaint_agree() {
    // Enter in the field itself: it has not been left, and its last digit is wrong.
    let checkout = Checkout::open();
    checkout.enter_card();
    checkout.fill("number", "4242 4242 4242 4241", "input");
    checkout.go_to("number");
    let error = outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await.unwrap_err();
    assert_eq!(checkout.complaint("number"), texts("en")["number_invalid"]);
    assert_eq!((&error["code"], &error["reason"]), (&json!("invalid_card"), &json!("luhn")));
}

#[wasm_bindgen_test]
fn a_form_changes_its_language() {
    let checkout = Checkout::open();
    checkout.type_in("number", "4242");
    checkout.go_to("expiry");
    checkout.form.set_texts(object(&texts("ja")), "ja").unwrap();
    let japanese = texts("ja");
    for field in FIELDS {
        let label = checkout.find(&format!("label[for={field}]"));
        assert_eq!(label.text_content().unwrap(), japanese[format!("{field}_label")]);
    }
    assert_eq!(checkout.complaint("number"), japanese["number_incomplete"]);
    assert_eq!(checkout.complaint("expiry"), "");
    assert_eq!(checkout.input("expiry").placeholder(), japanese["expiry_placeholder"].as_str().unwrap());
    assert_eq!(checkout.root.host().get_attribute("lang").as_deref(), Some("ja"));
    assert_eq!(checkout.text("number"), "4242");
    assert_eq!(thrown(checkout.form.set_texts(object(&json!({})), "en"))["code"], "invalid_options");
    assert_eq!(checkout.complaint("number"), japanese["number_incomplete"], "as it was");
}

#[wasm_bindgen_test]
fn a_form_changes_its_looks_by_tokens_alone() {
    let checkout = Checkout::open();
    let host = checkout.root.host();
    let set = |appearance: Value| checkout.form.set_appearance(object(&appearance));
    set(json!({ "colorText": "#102030", "fontSize": 20, "radius": 0 })).unwrap();
    let form = checkout.root.first_element_child().unwrap();
    assert_eq!(style_of(&form, "color"), "rgb(16, 32, 48)");
    assert_eq!(style_of(&form, "font-size"), "20px");
    assert_eq!(style_of(&checkout.find(".box"), "border-top-left-radius"), "0px");
    for bad in
        [json!({ "colorText": "red" }), json!({ "color": "#fff" }), json!({ "radius": "4px" }), json!("dark")]
    {
        assert_eq!(thrown(set(bad.clone()))["code"], "invalid_options", "{bad}");
    }
    assert_eq!(style_of(&form, "color"), "rgb(16, 32, 48)", "as it was");
    set(json!({})).unwrap();
    assert_eq!(style_of(&form, "font-size"), "16px");
    assert_eq!(host.get_attribute("style"), None);
}

#[wasm_bindgen_test]
async fn a_listener_that_throws_is_the_pages_own_affair() {
    for thrown in ["new Error('page')", "undefined", "null", "'text'", "Object.freeze({})", "Symbol()"] {
        let checkout = Checkout::open();
        checkout.listen(move |_| Err(js(thrown)));
        checkout.form.unmount().unwrap();
        checkout.form.mount(&checkout.place).unwrap();
        checkout.enter_card();
        checkout.go_to("name");
        checkout.go_to("number");
        checkout.fire("number", "KeyboardEvent", "keydown", &json!({ "key": "Enter" }));
        checkout.form.clear().unwrap();
        checkout.enter_card();
        assert!(outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await.is_ok());
        checkout.form.destroy();
        no_troubles().await;
    }
}

/// What a listener may do to the form that calls it, and whether the form still stands afterwards.
const CALLS_BACK: [(&str, CallBack, bool); 10] = [
    ("clear", |form| form.clear().unwrap(), true),
    ("focus", |form| form.focus("security_code".into()).unwrap(), true),
    (
        "focus in circles",
        |form| {
            form.focus("number".into()).unwrap();
            form.focus("expiry".into()).unwrap();
        },
        true,
    ),
    ("setTexts", |form| form.set_texts(object(&texts("ja")), "ja").unwrap(), true),
    ("setAppearance", |form| form.set_appearance(object(&json!({ "radius": 3 }))).unwrap(), true),
    ("tokenize", |form| drop(form.tokenize(JsValue::UNDEFINED).catch(ignore())), true),
    (
        "tokenize twice",
        |form| {
            drop(form.tokenize(JsValue::UNDEFINED).catch(ignore()));
            drop(form.tokenize(JsValue::UNDEFINED).catch(ignore()));
        },
        true,
    ),
    (
        "remount",
        |form| {
            form.unmount().unwrap();
            let body: Element = document().body().unwrap().into();
            form.mount(&body).unwrap();
        },
        true,
    ),
    ("unmount", |form| form.unmount().unwrap(), true),
    ("destroy", Form::destroy, false),
];

type CallBack = fn(&Form);

fn ignore() -> &'static Closure<dyn FnMut(JsValue)> {
    Box::leak(Box::new(Closure::new(drop)))
}

#[wasm_bindgen_test]
async fn a_listener_may_call_back_into_the_form() {
    for (what, call_back, stands) in CALLS_BACK {
        for on in ["ready", "focus", "change", "blur", "submit"] {
            // A form that is mounted when it is ready, focused when it has the focus, and so on, would never end.
            let checkout = Rc::new(Checkout::open());
            let depth = Rc::new(std::cell::Cell::new(0));
            let form = Rc::clone(&checkout.form);
            checkout.listen(move |name| {
                if name == on && depth.get() < 2 {
                    depth.set(depth.get() + 1);
                    call_back(&form);
                    depth.set(depth.get() - 1);
                }
                Ok(())
            });
            let _ = checkout.form.unmount();
            let _ = checkout.form.mount(&checkout.place);
            for field in FIELDS {
                checkout.type_in(field, "4");
                checkout.fire(field, "KeyboardEvent", "keydown", &json!({ "key": "Enter" }));
            }
            let _ = checkout.form.focus("number".into());
            let _ = checkout.form.clear();
            let _ = outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await;

            checkout.listen(|_| Ok(()));
            if stands {
                let _ = outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await;
                checkout.form.mount(&checkout.place).unwrap();
                checkout.enter_card();
                let token = outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await;
                assert!(token.is_ok(), "{what} on {on}: {token:?}");
                checkout.form.destroy();
                assert!(FIELDS.iter().all(|field| checkout.text(field).is_empty()), "{what} on {on}");
            }
            assert_eq!(thrown(checkout.form.clear())["code"], "destroyed", "{what} on {on}");
            assert_eq!(checkout.place.child_element_count(), 0, "{what} on {on}");
            assert_eq!(plain(&super::stage::take_troubles().await), json!([]), "{what} on {on}");
        }
    }
}

#[wasm_bindgen_test]
fn a_listener_that_moves_the_focus_is_told_of_where_it_went() {
    let checkout = Checkout::open();
    let form = Rc::clone(&checkout.form);
    let moved = std::cell::Cell::new(false);
    checkout.listen(move |name| {
        if name == "focus" && !moved.replace(true) {
            form.focus("name".into()).unwrap();
        }
        Ok(())
    });
    checkout.go_to("number");
    assert_eq!(checkout.focused().as_deref(), Some("name"));
    let field = |(name, detail): (String, Value)| (name, detail["field"].as_str().unwrap().to_owned());
    let heard: Vec<_> = checkout.take_heard().into_iter().map(field).collect();
    let expected = [("focus", "number"), ("blur", "number"), ("focus", "name")];
    assert_eq!(heard, expected.map(|(name, field)| (name.to_owned(), field.to_owned())));
}

#[wasm_bindgen_test]
async fn a_policy_against_inline_styles_leaves_the_form_its_looks() {
    let violations = forbid_inline_styles();
    let checkout = Checkout::open();
    checkout.form.set_appearance(object(&json!({ "colorText": "#102030" }))).unwrap();
    checkout.enter_card();
    let form = checkout.root.first_element_child().unwrap();
    assert_eq!(style_of(&form, "display"), "grid");
    assert_eq!(style_of(&form, "color"), "rgb(16, 32, 48)");
    assert_eq!(checkout.root.adopted_style_sheets().length(), 2);
    let attributes =
        js("(form) => [...form.querySelectorAll('*')].flatMap((element) => element.getAttributeNames())");
    let attributes =
        attributes.unchecked_into::<js_sys::Function>().call1(&JsValue::UNDEFINED, &form).unwrap();
    let attributes: Vec<String> = serde_json::from_value(plain(&attributes)).unwrap();
    assert!(attributes.iter().all(|name| name != "style" && !name.starts_with("on")), "{attributes:?}");
    assert_eq!(checkout.root.child_element_count(), 1, "no style element");
    no_troubles().await;
    assert_eq!(plain(&violations), json!([]));

    // The policy is in force: what the form does without is refused.
    let style = document().create_element("style").unwrap();
    style.set_text_content(Some("#probe { color: rgb(1, 2, 3) }"));
    checkout.place.append_child(&style).unwrap();
    checkout.place.set_id("probe");
    assert_ne!(style_of(&checkout.place, "color"), "rgb(1, 2, 3)");
}

#[wasm_bindgen_test]
async fn a_form_works_inside_of_another_shadow_root() {
    let checkout = Checkout::prepared(&FIELDS);
    let outer: HtmlElement = document().create_element("div").unwrap().unchecked_into();
    checkout.place.append_child(&outer).unwrap();
    document().body().unwrap().append_child(&checkout.place).unwrap();
    let shadow = outer.attach_shadow(&ShadowRootInit::new(ShadowRootMode::Open)).unwrap();
    let place = document().create_element("div").unwrap();
    shadow.append_child(&place).unwrap();
    checkout.form.mount(&place).unwrap();

    checkout.type_in("number", "42424");
    checkout.select("number", 2, 2);
    checkout.press("number", "4");
    assert_eq!(checkout.seen("number"), "424|4 24");
    assert_eq!(checkout.take_heard_names(), ["ready", "focus", "change"]);
    checkout.leave("number");
    assert_eq!(checkout.complaint("number"), texts("en")["number_incomplete"]);
    let form = checkout.root.first_element_child().unwrap();
    assert_eq!(style_of(&form, "display"), "grid");
    checkout.enter_card();
    assert!(outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await.is_ok());
}

#[wasm_bindgen_test]
async fn a_form_may_be_mounted_before_its_element_is_in_the_page() {
    let checkout = Checkout::prepared(&FIELDS);
    checkout.form.mount(&checkout.place).unwrap();
    checkout.enter_card();
    assert_eq!(checkout.take_last_change().unwrap()["complete"], true);
    checkout.form.focus("number".into()).unwrap();
    let error = outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await.unwrap_err();
    assert_eq!(error["code"], "not_mounted", "nobody sees it");
    document().body().unwrap().append_child(&checkout.place).unwrap();
    assert!(outcome(checkout.form.tokenize(JsValue::UNDEFINED)).await.is_ok());
}

#[wasm_bindgen_test]
async fn two_forms_in_one_page_do_not_meddle() {
    let (one, other) = (Checkout::open(), Checkout::open());
    one.enter_card();
    other.type_in("number", "37");
    assert_eq!((one.text("number"), other.text("number")), ("4242 4242 4242 4242".into(), "37".into()));
    assert!(other.complaint("number").is_empty());
    one.form.destroy();
    other.type_in("number", "8");
    assert_eq!(other.seen("number"), "378|");
    no_troubles().await;
}
