//! Values of a page's, taken as plain data first.
//!
//! Read member by member, they would run the page's getters between our own steps, and what a getter throws would end
//! these half-way, with nothing dropped and no promise settled.

use js_sys::{Array, Object};
use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use wasm_bindgen::prelude::*;

/// Reads a value. What the error says can quote it.
pub(super) fn read<T: DeserializeOwned>(value: &JsValue) -> Result<T, Error> {
    let plain = stringify(value).and_then(|text| parse(&text));
    T::deserialize(Plain(plain.map_err(|_| Error::custom("it cannot be read"))?))
}

/// Plain data, for structs of strings and small numbers.
///
/// The reader of `serde_wasm_bindgen` asks an object for the members that a struct has. This one tells the struct of all
/// that the object has, so that it can refuse those that it does not know.
struct Plain(JsValue);

impl<'de> Deserializer<'de> for Plain {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let object = self.0.dyn_ref::<Object>().ok_or_else(|| Error::custom("expected an object"))?;
        let members = Object::entries(object).into_iter().map(|member| {
            let member: Array = member.unchecked_into();
            (member.get(0).as_string().unwrap_or_default(), Self(member.get(1)))
        });
        visitor.visit_map(MapDeserializer::new(members))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let array = self.0.dyn_into::<Array>().map_err(|_| Error::custom("expected an array"))?;
        visitor.visit_seq(SeqDeserializer::new(array.into_iter().map(Self)))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let variant = self.0.as_string().ok_or_else(|| Error::custom("expected a string"))?;
        visitor.visit_enum(variant.into_deserializer())
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if let Some(text) = self.0.as_string() {
            return visitor.visit_string(text);
        }
        match self.0.as_f64() {
            Some(number) if number == f64::from(number as u32) => visitor.visit_u32(number as u32),
            Some(number) => visitor.visit_f64(number),
            None => Err(Error::custom("expected a string or a number")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct
        tuple tuple_struct map identifier ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Plain {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = JSON)]
    fn stringify(value: &JsValue) -> Result<JsValue, JsValue>;
    /// Throws for what `stringify` makes of a function, which is no text.
    #[wasm_bindgen(catch, js_namespace = JSON)]
    fn parse(text: &JsValue) -> Result<JsValue, JsValue>;
}
