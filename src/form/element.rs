//! Making elements, by calls that a Content-Security-Policy and Trusted Types have nothing against.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{CssStyleSheet, Document, Element, ShadowRoot};

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
