//! A page with a card form, and the person at it.

use std::cell::RefCell;
use std::rc::Rc;

use cardseal::bindings::{Client, Form};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlInputElement, ShadowRoot};

use super::stage::{Network, client, expiry, fire, object, plain, press, shadow_roots_of};

pub(super) const FIELDS: [&str; 4] = ["number", "expiry", "security_code", "name"];

/// The page. What it listens with can be set, and what it hears is kept.
pub(super) struct Checkout {
    pub(super) form: Rc<Form>,
    /// The form's closed shadow root, which no page gets to see.
    pub(super) root: ShadowRoot,
    /// Where the page puts the form.
    pub(super) place: Element,
    pub(super) network: Network,
    heard: Rc<RefCell<Vec<(String, Value)>>>,
    listener: Rc<RefCell<Rc<Listener>>>,
    _emit: Closure<dyn Fn(String, JsValue) -> Result<(), JsValue>>,
}

type Listener = dyn Fn(&str) -> Result<(), JsValue>;

impl Checkout {
    /// A page that shows a form with all four fields.
    pub(super) fn open() -> Self {
        Self::with_fields(&FIELDS)
    }

    /// A page that shows a form with some of them.
    pub(super) fn with_fields(fields: &[&str]) -> Self {
        let checkout = Self::prepared(fields);
        document().body().unwrap().append_child(&checkout.place).unwrap();
        checkout.form.mount(&checkout.place).unwrap();
        checkout.take_heard();
        checkout
    }

    /// A page that has made a form and not shown it yet.
    pub(super) fn prepared(fields: &[&str]) -> Self {
        let network = Network::vault();
        let heard = Rc::new(RefCell::new(Vec::new()));
        let listener: Rc<RefCell<Rc<Listener>>> = Rc::new(RefCell::new(Rc::new(|_| Ok(()))));
        let emit = Closure::<dyn Fn(String, JsValue) -> Result<(), JsValue>>::new({
            let (heard, listener) = (Rc::clone(&heard), Rc::clone(&listener));
            move |name: String, detail: JsValue| {
                heard.borrow_mut().push((name.clone(), plain(&detail)));
                let listener = Rc::clone(&listener.borrow());
                listener(&name)
            }
        });
        let mut made = None;
        let roots = shadow_roots_of(&mut || {
            let function = emit.as_ref().clone().unchecked_into();
            made = Some(client().form(options(fields), function).unwrap());
        });
        Self {
            form: Rc::new(made.unwrap()),
            root: roots.get(0).unchecked_into(),
            place: document().create_element("div").unwrap(),
            network,
            heard,
            listener,
            _emit: emit,
        }
    }

    /// Has the page react to events.
    pub(super) fn listen(&self, listener: impl Fn(&str) -> Result<(), JsValue> + 'static) {
        *self.listener.borrow_mut() = Rc::new(listener);
    }

    /// The events since the last call, with their details.
    pub(super) fn take_heard(&self) -> Vec<(String, Value)> {
        self.heard.take()
    }

    /// The names of the events since the last call.
    pub(super) fn take_heard_names(&self) -> Vec<String> {
        self.take_heard().into_iter().map(|(name, _)| name).collect()
    }

    /// The detail of the last `change` since the last call.
    pub(super) fn take_last_change(&self) -> Option<Value> {
        let changes = self.take_heard().into_iter().filter(|(name, _)| name == "change");
        changes.map(|(_, detail)| detail).next_back()
    }

    pub(super) fn element(&self, id: &str) -> Element {
        self.root.get_element_by_id(id).unwrap_or_else(|| panic!("no element {id}"))
    }

    pub(super) fn input(&self, field: &str) -> HtmlInputElement {
        self.element(field).unchecked_into()
    }

    pub(super) fn find(&self, selector: &str) -> Element {
        let form = self.root.first_element_child().unwrap();
        form.query_selector(selector).unwrap().unwrap_or_else(|| panic!("nothing matches {selector}"))
    }

    /// A field's text with the caret or the selection in it, such as `4242|`.
    pub(super) fn seen(&self, field: &str) -> String {
        let input = self.input(field);
        let mut text: Vec<u16> = input.value().encode_utf16().collect();
        let (start, end) = (input.selection_start().unwrap(), input.selection_end().unwrap());
        text.insert(end.unwrap() as usize, u16::from(b'|'));
        if start != end {
            text.insert(start.unwrap() as usize, u16::from(b'|'));
        }
        String::from_utf16(&text).unwrap()
    }

    pub(super) fn text(&self, field: &str) -> String {
        self.input(field).value()
    }

    pub(super) fn complaint(&self, field: &str) -> String {
        self.element(&format!("{field}-complaint")).text_content().unwrap()
    }

    pub(super) fn badge(&self) -> String {
        self.find(".brand").text_content().unwrap()
    }

    /// Puts the caret into a field, as with Tab.
    pub(super) fn go_to(&self, field: &str) {
        self.input(field).focus().unwrap();
    }

    pub(super) fn leave(&self, field: &str) {
        self.input(field).blur().unwrap();
    }

    /// The field that has the focus.
    pub(super) fn focused(&self) -> Option<String> {
        self.root.active_element().map(|element| element.id())
    }

    /// Types, key by key, where the caret is.
    pub(super) fn type_in(&self, field: &str, keys: &str) {
        self.go_to(field);
        for key in keys.chars() {
            press(&self.input(field), key.encode_utf8(&mut [0; 4]));
        }
    }

    /// Presses Backspace or Delete, or pastes a text of several characters.
    pub(super) fn press(&self, field: &str, key: &str) {
        self.go_to(field);
        press(&self.input(field), key);
    }

    pub(super) fn select(&self, field: &str, start: u32, end: u32) {
        self.go_to(field);
        self.input(field).set_selection_range(start, end).unwrap();
    }

    /// Sets a field's text as autofill does: the value first, then an event that says no more than its name.
    pub(super) fn fill(&self, field: &str, text: &str, event: &str) {
        let input = self.input(field);
        input.set_value(text);
        self.fire(field, "Event", event, &json!({}));
    }

    pub(super) fn fire(&self, field: &str, class: &str, name: &str, init: &Value) -> bool {
        fire(&self.input(field), class, name, &object(init))
    }

    /// Enters a card that is good.
    pub(super) fn enter_card(&self) {
        for (field, text) in [
            ("number", "4242 4242 4242 4242"),
            ("expiry", &*expiry()),
            ("security_code", "987"),
            ("name", "TARO YAMADA"),
        ] {
            if self.root.get_element_by_id(field).is_some() {
                self.fill(field, text, "input");
            }
        }
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        self.listen(|_| Ok(()));
        self.form.destroy();
        self.place.remove();
    }
}

pub(super) fn document() -> Document {
    web_sys::window().unwrap().document().unwrap()
}

/// The form's texts in a language.
pub(super) fn texts(language: &str) -> Value {
    let file = match language {
        "en" => include_str!("../../www/locales/en.json"),
        "ja" => include_str!("../../www/locales/ja.json"),
        _ => panic!("no texts in {language}"),
    };
    serde_json::from_str(file).unwrap()
}

/// What a form is made with.
pub(super) fn options(fields: &[&str]) -> JsValue {
    object(&json!({ "fields": fields, "texts": texts("en"), "language": "en", "place": "page" }))
}

/// A form of a client's that nobody listens to.
pub(super) fn form(client: &Client, options: JsValue) -> Result<Form, JsValue> {
    client.form(options, js_sys::Function::new_no_args(""))
}
