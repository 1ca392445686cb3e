//! Plain data, as JSON has it: read strictly, written safely, and both in little code.
//!
//! A browser parses JSON itself; a second parser in the wasm would only weigh. So would what serde
//! derives for each struct, at several times the size of what is here.

use thiserror::Error;
use zeroize::Zeroizing;

/// A value as JSON has it. Reading it runs nothing of a page's: there are no getters in it, and a member is one of its
/// own, never one that a page gave to all objects.
#[derive(Clone, Debug)]
pub struct Plain(platform::Value);

/// What can be read from plain data.
pub trait FromPlain: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// [`Wrong`], the fault of whoever made the data.
    fn from_plain(plain: &Plain) -> Result<Self, Wrong>;
}

/// What is wrong with plain data. The words can quote the data: they are not for what may hold a card.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Wrong(String);

impl Wrong {
    /// What is wrong, in words.
    #[must_use]
    pub fn new(words: &str) -> Self {
        Self(words.into())
    }

    /// Its words.
    #[must_use]
    pub fn into_words(self) -> String {
        self.0
    }
}

/// Reads JSON.
///
/// # Errors
/// [`Wrong`] for what is not JSON, and for JSON that is no `T`.
pub fn parse<T: FromPlain>(json: &str) -> Result<T, Wrong> {
    T::from_plain(&Plain::parse(json)?)
}

impl Plain {
    /// Reads JSON, of whatever it is.
    ///
    /// # Errors
    /// [`Wrong`] for what is not JSON.
    pub fn parse(json: &str) -> Result<Self, Wrong> {
        platform::parse(json).map(Self).ok_or_else(|| Wrong::new("expected JSON"))
    }

    /// What `read` makes of the members of an object; others are ignored.
    ///
    /// # Errors
    /// [`Wrong`] for anything else, an array included, and when a member is wrong: the first that was.
    pub fn object<T>(&self, read: impl FnOnce(&mut Members) -> T) -> Result<T, Wrong> {
        let mut members = self.members()?;
        let value = read(&mut members);
        members.verdict().map(|()| value)
    }

    /// The same of an object that has no other members.
    ///
    /// # Errors
    /// [`Wrong`] as well for a member that `read` did not ask for.
    pub fn closed_object<T>(&self, read: impl FnOnce(&mut Members) -> T) -> Result<T, Wrong> {
        self.object(|members| {
            let value = read(members);
            members.refuse_others();
            value
        })
    }

    fn members(&self) -> Result<Members, Wrong> {
        let left = platform::members(&self.0).ok_or_else(|| Wrong::new("expected an object"))?;
        Ok(Members { left, asked: Vec::new(), wrong: None })
    }

    /// The one of `choices` that the value names.
    ///
    /// # Errors
    /// [`Wrong`] for another name, and for what is no string.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, Wrong> {
        let name = String::from_plain(self)?;
        match choices.iter().find(|(choice, _)| *choice == name) {
            Some((_, value)) => Ok(*value),
            None => Err(unknown("variant", &name, &mut choices.iter().map(|(choice, _)| *choice))),
        }
    }
}

/// The members of an object, taken one by one. What is wrong with one of them is kept until all are taken: left off in
/// between, each would need code of its own for what was read up to there.
#[derive(Debug)]
pub struct Members {
    left: Vec<(String, Plain)>,
    asked: Vec<String>,
    /// The first that was found.
    wrong: Option<Wrong>,
}

impl Members {
    /// Takes a member that must be there. Where it is missing or wrong, its default stands in, in an object that nobody
    /// will see.
    pub fn required<T: FromPlain + Default>(&mut self, name: &str) -> T {
        self.optional(name).unwrap_or_else(|| {
            self.is_missing(name);
            T::default()
        })
    }

    /// Takes a member that may be missing; null is as good as missing.
    pub fn optional<T: FromPlain>(&mut self, name: &str) -> Option<T> {
        match T::from_plain(&self.take(name)?) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.is_wrong(name, &wrong);
                None
            }
        }
    }

    /// Takes a member that may be missing, and may be wrong.
    pub fn lenient<T: FromPlain>(&mut self, name: &str) -> Option<T> {
        T::from_plain(&self.take(name)?).ok()
    }

    fn refuse_others(&mut self) {
        if let Some((name, _)) = self.left.first() {
            let wrong = unknown("field", name, &mut self.asked.iter().map(String::as_str));
            self.note(wrong);
        }
    }

    fn is_missing(&mut self, name: &str) {
        self.note(Wrong(["missing field `", name, "`"].concat()));
    }

    /// Notes what is wrong with a member that was taken.
    pub(crate) fn is_wrong(&mut self, name: &str, wrong: &Wrong) {
        self.note(Wrong([name, ": ", &wrong.0].concat()));
    }

    fn note(&mut self, wrong: Wrong) {
        self.wrong.get_or_insert(wrong);
    }

    fn verdict(self) -> Result<(), Wrong> {
        self.wrong.map_or(Ok(()), Err)
    }

    fn take(&mut self, name: &str) -> Option<Plain> {
        self.asked.push(name.into());
        let at = self.left.iter().position(|(left, _)| left == name)?;
        Some(self.left.swap_remove(at).1).filter(|plain| !platform::is_null(&plain.0))
    }
}

fn unknown(what: &str, name: &str, known: &mut dyn Iterator<Item = &str>) -> Wrong {
    let mut words = ["unknown ", what, " `", name, "`, expected one of "].concat();
    let mut separator = "`";
    for name in known {
        words.push_str(separator);
        words.push_str(name);
        separator = "`, `";
    }
    words.push('`');
    Wrong(words)
}

impl FromPlain for String {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        platform::text(&plain.0).ok_or_else(|| Wrong::new("expected a string"))
    }
}

impl FromPlain for Zeroizing<String> {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        String::from_plain(plain).map(Self::new)
    }
}

impl FromPlain for bool {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        platform::flag(&plain.0).ok_or_else(|| Wrong::new("expected true or false"))
    }
}

impl FromPlain for u8 {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        whole_number(plain)
    }
}

impl FromPlain for u16 {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        whole_number(plain)
    }
}

fn whole_number<T: TryFrom<u32>>(plain: &Plain) -> Result<T, Wrong> {
    let number = platform::whole_number(&plain.0).and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| Wrong::new("expected a whole number within its limits"))
}

impl<T: FromPlain> FromPlain for Vec<T> {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        let items = platform::items(&plain.0).ok_or_else(|| Wrong::new("expected an array"))?;
        let mut read = Self::with_capacity(items.len());
        for item in &items {
            read.push(T::from_plain(item)?);
        }
        Ok(read)
    }
}

/// A number in decimal digits. What the standard library has for it can pad, align and more, and weighs.
pub(crate) fn decimal(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.insert(0, b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            return digits.into_iter().map(char::from).collect();
        }
    }
}

/// A value to be written.
#[cfg(feature = "seal")]
#[derive(Clone, Copy)]
pub(crate) enum Json<'a> {
    Text(&'a str),
    Number(u64),
    Object(&'a [(&'a str, Option<Self>)]),
}

/// Writes an object at the end of `json`. Members without a value are left out.
#[cfg(feature = "seal")]
pub(crate) fn write(json: &mut String, members: &[(&str, Option<Json<'_>>)]) {
    json.push('{');
    let mut is_first = true;
    for (name, value) in members {
        let Some(value) = value else { continue };
        if !is_first {
            json.push(',');
        }
        is_first = false;
        write_text(json, name);
        json.push(':');
        match value {
            Json::Text(text) => write_text(json, text),
            Json::Number(number) => json.push_str(&decimal(*number)),
            Json::Object(members) => write(json, members),
        }
    }
    json.push('}');
}

/// Writes a string, with what has to be escaped (RFC 8259 section 7).
#[cfg(feature = "seal")]
fn write_text(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                json.push('\\');
                json.push(c);
            }
            '\0'..' ' => {
                let digits = [c as u8 >> 4, c as u8 & 0xf]
                    .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]));
                json.push_str("\\u00");
                json.extend(digits);
            }
            _ => json.push(c),
        }
    }
    json.push('"');
}

/// JSON as a browser has it.
#[cfg(target_arch = "wasm32")]
mod platform {
    use js_sys::{Array, JSON, Object};
    use wasm_bindgen::prelude::*;

    use super::Plain;

    pub(super) type Value = JsValue;

    pub(super) fn parse(json: &str) -> Option<Value> {
        JSON::parse(json).ok()
    }

    pub(super) fn members(value: &Value) -> Option<Vec<(String, Plain)>> {
        if !value.is_object() || Array::is_array(value) {
            return None;
        }
        let entry = |entry: JsValue| {
            let entry: Array = entry.unchecked_into();
            (entry.get(0).as_string().unwrap_or_default(), Plain(entry.get(1)))
        };
        Some(Object::entries(value.unchecked_ref()).iter().map(entry).collect())
    }

    pub(super) fn items(value: &Value) -> Option<Vec<Plain>> {
        Array::is_array(value).then(|| value.unchecked_ref::<Array>().iter().map(Plain).collect())
    }

    pub(super) fn text(value: &Value) -> Option<String> {
        value.as_string()
    }

    pub(super) fn flag(value: &Value) -> Option<bool> {
        value.as_bool()
    }

    pub(super) fn whole_number(value: &Value) -> Option<u32> {
        let number = value.as_f64()?;
        (number == f64::from(number as u32)).then_some(number as u32)
    }

    pub(super) fn is_null(value: &Value) -> bool {
        value.is_null()
    }

    impl Plain {
        /// Takes a page's value as plain data.
        ///
        /// Read member by member, it would run the page's getters between our own steps, and what a getter throws would
        /// end these half-way, with nothing dropped and no promise settled.
        pub(crate) fn of(value: &JsValue) -> Option<Self> {
            let text = stringify(value).ok()?;
            parse_text(&text).ok().map(Self)
        }
    }

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(catch, js_namespace = JSON)]
        fn stringify(value: &JsValue) -> Result<JsValue, JsValue>;
        /// Throws for what `stringify` makes of a function, which is no text.
        #[wasm_bindgen(catch, js_namespace = JSON, js_name = parse)]
        fn parse_text(text: &JsValue) -> Result<JsValue, JsValue>;
    }
}

/// JSON for tests and programs.
#[cfg(not(target_arch = "wasm32"))]
mod platform {
    use super::Plain;

    pub(super) type Value = serde_json::Value;

    pub(super) fn parse(json: &str) -> Option<Value> {
        serde_json::from_str(json).ok()
    }

    pub(super) fn members(value: &Value) -> Option<Vec<(String, Plain)>> {
        let entry = |(name, value): (&String, &Value)| (name.clone(), Plain(value.clone()));
        Some(value.as_object()?.iter().map(entry).collect())
    }

    pub(super) fn items(value: &Value) -> Option<Vec<Plain>> {
        Some(value.as_array()?.iter().cloned().map(Plain).collect())
    }

    pub(super) fn text(value: &Value) -> Option<String> {
        value.as_str().map(Into::into)
    }

    pub(super) fn flag(value: &Value) -> Option<bool> {
        value.as_bool()
    }

    pub(super) fn whole_number(value: &Value) -> Option<u32> {
        value.as_f64().filter(|number| *number == f64::from(*number as u32)).map(|number| number as u32)
    }

    pub(super) fn is_null(value: &Value) -> bool {
        value.is_null()
    }
}

#[cfg(all(test, feature = "seal", not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn written(members: &[(&str, Option<Json<'_>>)]) -> String {
        let mut json = String::new();
        write(&mut json, members);
        json
    }

    #[test]
    fn members_without_a_value_are_left_out() {
        let (a, b) = (Some(Json::Text("x")), Some(Json::Number(7)));
        assert_eq!(written(&[("a", a), ("b", b)]), r#"{"a":"x","b":7}"#);
        assert_eq!(written(&[("a", None), ("b", b)]), r#"{"b":7}"#);
        assert_eq!(written(&[("a", a), ("o", Some(Json::Object(&[("b", b)])))]), r#"{"a":"x","o":{"b":7}}"#);
        assert_eq!(written(&[("a", None)]), "{}");
    }

    #[test]
    fn every_control_character_is_escaped() {
        let text: String = ('\0'..='\u{20}').chain(['"', '\\', '\u{7f}']).collect();
        let json = written(&[("text", Some(Json::Text(&text)))]);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), json!({ "text": text }));
    }

    proptest! {
        #[test]
        fn what_is_written_says_what_was_meant(text in any::<String>(), number in any::<u64>()) {
            let json = written(&[("text", Some(Json::Text(&text))), ("number", Some(Json::Number(number)))]);
            prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), json!({ "text": text, "number": number }));
        }
    }

    #[test]
    fn a_number_has_the_digits_that_it_has_everywhere() {
        for number in [0, 7, 10, 65_535, u64::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
    }

    #[derive(Debug)]
    struct Pair(Option<u16>);

    impl FromPlain for Pair {
        fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
            plain.closed_object(|members| {
                members.required::<String>("text");
                Self(members.optional("number"))
            })
        }
    }

    #[test]
    fn what_may_be_missing_may_be_null() {
        for json in [r#"{"text":""}"#, r#"{"text":"","number":null}"#] {
            assert_eq!(parse::<Pair>(json).unwrap().0, None, "{json}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_where() {
        let wrong = |json: &str| parse::<Pair>(json).unwrap_err().into_words();
        assert_eq!(wrong("{"), "expected JSON");
        assert_eq!(wrong(r#"["x",1]"#), "expected an object");
        assert_eq!(wrong("{}"), "missing field `text`");
        assert_eq!(wrong(r#"{"text":null}"#), "missing field `text`");
        assert_eq!(wrong(r#"{"text":1}"#), "text: expected a string");
        assert_eq!(
            wrong(r#"{"text":"","more":1}"#),
            "unknown field `more`, expected one of `text`, `number`"
        );
        for number in ["-1", "1.5", "65536", "1e99", r#""1""#, "true"] {
            let json = format!(r#"{{"text":"","number":{number}}}"#);
            assert_eq!(wrong(&json), "number: expected a whole number within its limits", "{number}");
        }
    }
}
