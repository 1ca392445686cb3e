//! JSON from a vault. A browser has a parser of its own; a second one in the wasm would only weigh.

use serde::de::DeserializeOwned;

/// The value, or nothing when the text is not JSON or not of that shape.
#[cfg(target_arch = "wasm32")]
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_wasm_bindgen::from_value(js_sys::JSON::parse(text).ok()?).ok()
}

/// The value, or nothing when the text is not JSON or not of that shape.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}
