//! Making elements, by calls that a Content-Security-Policy and Trusted Types have nothing against, and listening to them.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{CssStyleSheet, Document, Element, Event, EventTarget, ShadowRoot};

/// The tree that the form's elements are in.
pub(super) enum Root {
    /// A document of the form's own.
    Document(Document),
    /// A closed shadow root in a page of somebody else's.
    Shadow(ShadowRoot),
}

impl Root {
    /// The element of this tree that has the focus.
    pub(super) fn active_element(&self) -> Option<Element> {
        match self {
            Self::Document(document) => document.active_element(),
            Self::Shadow(root) => root.active_element(),
        }
    }

    /// Gives the tree its style sheets. They are built from text by script, which no `style-src` forbids.
    pub(super) fn set_style_sheets(&self, texts: &[&str]) -> Result<(), JsValue> {
        let sheets = js_sys::Array::new();
        for text in texts {
            let sheet = CssStyleSheet::new()?;
            sheet.replace_sync(text)?;
            sheets.push(&sheet);
        }
        match self {
            Self::Document(document) => document.set_adopted_style_sheets(&sheets),
            Self::Shadow(root) => root.set_adopted_style_sheets(&sheets),
        }
        Ok(())
    }
}

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
