//! Objects for JavaScript.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;

/// A plain object, given its members one by one. What has no value is undefined.
pub(crate) struct Object(js_sys::Object);

impl Object {
    pub(crate) fn new() -> Self {
        Self(js_sys::Object::new())
    }

    pub(crate) fn text<'a>(&self, name: &str, text: impl Into<Option<&'a str>>) {
        self.set(name, &text.into().into());
    }

    pub(crate) fn number(&self, name: &str, number: impl Into<Option<u16>>) {
        self.set(name, &number.into().into());
    }

    pub(crate) fn flag(&self, name: &str, flag: bool) {
        self.set(name, &flag.into());
    }

    pub(crate) fn set(&self, name: &str, value: &JsValue) {
        // A fresh object takes any member.
        let _ = Reflect::set(&self.0, &name.into(), value);
    }
}

impl From<Object> for JsValue {
    fn from(object: Object) -> Self {
        object.0.into()
    }
}
