//! Making elements, by calls that a Content-Security-Policy and Trusted Types have nothing against, and listening to them.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{CssStyleSheet, Document, Element, Event, EventTarget, ShadowRoot};

/// An element with attributes and children.
pub(super) fn element<E: JsCast>(
    document: &Document,
    tag: &str,
    attributes: &[(&str, &str)],
    children: &[&Element],
) -> Result<E, JsValue> {
    let element = document.create_element(tag)?;
    for (name, value) in attributes {
        element.set_attribute(name, value)?;
    }
    for child in children {
        element.append_child(child)?;
    }
    element.dyn_into().map_err(JsValue::from)
}

/// Gives a shadow root its style sheets. They are built from text by script, which no `style-src` forbids.
pub(super) fn set_style_sheets(root: &ShadowRoot, texts: &[&str]) -> Result<(), JsValue> {
    let sheets = js_sys::Array::new();
    for text in texts {
        let sheet = CssStyleSheet::new()?;
        sheet.replace_sync(text)?;
        sheets.push(&sheet);
    }
    root.set_adopted_style_sheets(&sheets);
    Ok(())
}

/// A listener on an element, taken off when it is dropped.
///
/// It may be called while it runs: the page hears of an event here and now, and can do what raises the next, such as moving
/// the focus. That is what gloo-events does not allow.
pub(super) struct Listener {
    target: EventTarget,
    name: &'static str,
    react: Closure<dyn Fn(Event)>,
}

impl Listener {
    pub(super) fn new(
        target: &EventTarget,
        name: &'static str,
        react: impl Fn(Event) + 'static,
    ) -> Result<Self, JsValue> {
        let react = Closure::<dyn Fn(Event)>::new(react);
        target.add_event_listener_with_callback(name, react.as_ref().unchecked_ref())?;
        Ok(Self { target: target.clone(), name, react })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let react = self.react.as_ref().unchecked_ref();
        // Fails for nothing that was added.
        let _ = self.target.remove_event_listener_with_callback(self.name, react);
    }
}
