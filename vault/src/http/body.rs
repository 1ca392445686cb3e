//! Bodies: JSON or a form, the same parameters either way.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::sync::Arc;
use std::{fmt, io, iter};

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT};
use http_body_util::BodyExt;
use percent_encoding::percent_decode_str;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};
use thiserror::Error;
use zeroize::Zeroizing;

use super::error::ApiError;
use crate::Vault;
use crate::keys::Sha256Digest;
use crate::text::holds_card_number;
use crate::token::{Line, NotALine};

/// Most bytes of a body. A card sealed to a 4096-bit key has 1,300 of them.
pub(super) const MAX_BODY_BYTES: usize = 8 * 1024;

/// So much of a body that is too large is read and thrown away, so that its sender gets to hear why it was refused: a
/// connection closed on data that nobody read loses the answer.
const MAX_DISCARDED_BYTES: usize = 16 * 1024 * 1024;

/// Most parameters in a body, and most in one of its objects.
pub(super) const MAX_MEMBERS: usize = 256;

/// Named parameters, each taken out once; [`finish`](Self::finish) refuses what nobody took.
#[derive(Debug)]
pub(super) struct Params {
    /// What comes before a parameter's name in messages: `card.`.
    prefix: &'static str,
    entries: Vec<(String, Param)>,
}

/// Why a body is refused. The caller's fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum BadRequest {
    #[error(
        "the body ended too early, or is not framed as the headers Content-Length and Transfer-Encoding say"
    )]
    Broken,
    /// A parameter's text has not the form it should.
    #[error("{0} {1}")]
    Malformed(String, NotALine),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("this is no request of HTTP/1.1, or its headers do not say clearly where it ends")]
    NoRequest,
    #[error("the body is not valid JSON (line {0}, column {1})")]
    NotJson(usize, usize),
    #[error("the body is not an object")]
    NotAnObject,
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// A parameter is as it should be, but not for whom it is meant.
    #[error("{0} {1}")]
    Refused(&'static str, &'static str),
    #[error(
        "card has sealed and one of number, expiration_month, expiration_year, security_code; it is sealed or it is not"
    )]
    SealedAndClear,
    #[error("the body has a % that is not followed by two hexadecimal digits; % itself is written %25")]
    StrayPercent,
    #[error("the body, or an object in it, has more than {MAX_MEMBERS} parameters")]
    TooMany,
    #[error("{0} is there twice")]
    Twice(Shown),
    #[error("{0} is not a parameter here")]
    Unknown(Shown),
    #[error("{0} is not supported yet; the request was not carried out")]
    Unsupported(&'static str),
    /// A parameter is of another type than it should be.
    #[error("{0} is not {1}")]
    WrongType(String, &'static str),
}

impl FromRequest<Arc<Vault>> for Params {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Arc<Vault>) -> Result<Self, ApiError> {
        let format = Format::of(request.headers())?;
        let bytes = receive(request).await?;
        Ok(Self::read(format, &bytes)?)
    }
}

/// The parameters of a request that only asks. They are in its query; PyPI's `omise` sends them in a body.
#[derive(Debug)]
pub(super) struct Query(pub(super) Params);

impl FromRequest<Arc<Vault>> for Query {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Arc<Vault>) -> Result<Self, ApiError> {
        let mut params = Params::from_form(request.uri().query().unwrap_or_default())?;
        let format = Format::of(request.headers());
        let bytes = receive(request).await?;
        if !bytes.is_empty() {
            params.entries.append(&mut Params::read(format?, &bytes)?.entries);
            check(&params.entries)?;
        }
        Ok(Self(params))
    }
}

impl Params {
    fn read(format: Format, bytes: &[u8]) -> Result<Self, BadRequest> {
        let text = std::str::from_utf8(bytes).map_err(|_| BadRequest::NotUtf8)?;
        match format {
            Format::Json => Self::from_json(text),
            Format::Form => Self::from_form(text),
        }
    }

    fn from_json(text: &str) -> Result<Self, BadRequest> {
        match serde_json::from_str(text) {
            Ok(Param::Map(entries)) => {
                check(&entries)?;
                Ok(Self { prefix: "", entries })
            }
            Ok(_) => Err(BadRequest::NotAnObject),
            Err(error) => Err(BadRequest::NotJson(error.line(), error.column())),
        }
    }

    /// `application/x-www-form-urlencoded` (URL standard section 5) with `card[number]` for a parameter in a parameter.
    fn from_form(text: &str) -> Result<Self, BadRequest> {
        let mut params = Self { prefix: "", entries: Vec::new() };
        // Where the parameters are that have others in them.
        let mut outers = HashMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (form_decode(name)?, Param::Text(form_decode(value)?));
            match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
                None => push(&mut params.entries, &name, value)?,
                Some((_, inner)) if inner.contains(['[', ']']) => {
                    return Err(BadRequest::Unknown(Shown::of(&name)));
                }
                Some((outer, inner)) => {
                    match outers.get(outer).and_then(|place: &usize| params.entries.get_mut(*place)) {
                        Some((_, Param::Map(entries))) => push(entries, inner, value)?,
                        _ => {
                            outers.insert(outer.to_owned(), params.entries.len());
                            push(&mut params.entries, outer, Param::Map(vec![(inner.into(), value)]))?;
                        }
                    }
                }
            }
        }
        check(&params.entries)?;
        Ok(params)
    }

    /// A text; none if it is empty, which is how forms say that there is none.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<Zeroizing<String>>, BadRequest> {
        match self.take(name) {
            None => Ok(None),
            Some(Param::Text(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(_) => Err(self.wrong_type(name, "a string")),
        }
    }

    /// A line of text with no card number in it.
    pub(super) fn line(&mut self, name: &'static str) -> Result<Option<Line>, BadRequest> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        Line::parse(&text).map(Some).map_err(|why| self.malformed(name, why))
    }

    /// The merchant's own data beside an object, with no card number in it.
    pub(super) fn metadata(&mut self) -> Result<Option<Map<String, Value>>, BadRequest> {
        let Some(metadata) = self.object("metadata")? else { return Ok(None) };
        let metadata = Value::Object(metadata);
        if holds_card_number(&metadata.to_string()) {
            return Err(self.malformed("metadata", NotALine::HoldsCardNumber));
        }
        Ok(match metadata {
            Value::Object(metadata) => Some(metadata),
            _ => None,
        })
    }

    /// A text, or a number as text.
    pub(super) fn text_or_number(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Zeroizing<String>>, BadRequest> {
        match self.take(name) {
            None => Ok(None),
            Some(Param::Text(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(Param::Number(number)) => Ok(Some(Zeroizing::new(number.to_string()))),
            Some(_) => Err(self.wrong_type(name, "a string or a number")),
        }
    }

    /// Yes or no; forms say it with a word.
    pub(super) fn truth(&mut self, name: &'static str) -> Result<Option<bool>, BadRequest> {
        match self.take(name) {
            None => Ok(None),
            Some(Param::Bool(truth)) => Ok(Some(truth)),
            Some(Param::Text(text)) if *text == "true" => Ok(Some(true)),
            Some(Param::Text(text)) if *text == "false" => Ok(Some(false)),
            Some(_) => Err(self.wrong_type(name, "true or false")),
        }
    }

    /// Parameters in a parameter. `prefix` is how messages name them.
    pub(super) fn params(
        &mut self,
        name: &'static str,
        prefix: &'static str,
    ) -> Result<Option<Self>, BadRequest> {
        match self.take(name) {
            None => Ok(None),
            Some(Param::Map(entries)) => Ok(Some(Self { prefix, entries })),
            Some(_) => Err(self.wrong_type(name, "an object")),
        }
    }

    /// Any object, as it came.
    pub(super) fn object(&mut self, name: &'static str) -> Result<Option<Map<String, Value>>, BadRequest> {
        match self.take(name) {
            None => Ok(None),
            Some(Param::Map(entries)) => Ok(Some(to_object(entries))),
            Some(_) => Err(self.wrong_type(name, "an object")),
        }
    }

    /// Takes out what makes no difference here.
    pub(super) fn ignore(&mut self, name: &'static str) {
        self.take(name);
    }

    /// Whether a parameter is there, and not null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(known, value)| known == name && !matches!(value, Param::Null))
    }

    /// Tells these parameters from all others, in whatever order they came. `route` says what is done with them.
    pub(super) fn digest(&self, route: &str) -> Sha256Digest {
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MAX_BODY_BYTES));
        write(&mut bytes, b'R', route.as_bytes());
        write_entries(&mut bytes, &self.entries);
        Sha256Digest::of(&bytes)
    }

    /// Whether a parameter is there, be it null, which says that there shall be nothing.
    pub(super) fn names(&self, name: &str) -> bool {
        self.entries.iter().any(|(known, _)| known == name)
    }

    /// Nothing may be left: a parameter with a slip in its name would be lost without a word.
    pub(super) fn finish(self) -> Result<(), BadRequest> {
        match self.entries.first() {
            Some((name, _)) => Err(BadRequest::Unknown(Shown::of(&[self.prefix, name].concat()))),
            None => Ok(()),
        }
    }

    /// A parameter's text has not the form it should.
    pub(super) fn malformed(&self, name: &str, why: NotALine) -> BadRequest {
        BadRequest::Malformed([self.prefix, name].concat(), why)
    }

    /// A parameter is of another type than it should be.
    pub(super) fn wrong_type(&self, name: &str, what: &'static str) -> BadRequest {
        BadRequest::WrongType([self.prefix, name].concat(), what)
    }

    fn take(&mut self, name: &str) -> Option<Param> {
        let index = self.entries.iter().position(|(known, _)| known == name)?;
        Some(self.entries.swap_remove(index).1).filter(|value| !matches!(value, Param::Null))
    }
}

/// The name of a parameter as the caller wrote it, if it looks like one: a slip could have put anything there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown(String);

impl Shown {
    fn of(name: &str) -> Self {
        let allowed =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'[' | b']');
        let digits = name.bytes().filter(u8::is_ascii_digit).count();
        let shown = (1..=64).contains(&name.len()) && name.bytes().all(allowed) && digits < 4;
        if shown { Self(name.into()) } else { Self::unnamed() }
    }

    fn unnamed() -> Self {
        Self("a parameter".into())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A parameter's value.
enum Param {
    Null,
    Bool(bool),
    Number(Number),
    Text(Zeroizing<String>),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl fmt::Debug for Param {
    /// The type only: any of them may be a card's.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Null => "Null",
            Self::Bool(_) => "Bool",
            Self::Number(_) => "Number",
            Self::Text(_) => "Text",
            Self::List(_) => "List",
            Self::Map(_) => "Map",
        })
    }
}

impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ParamVisitor;
        impl<'de> Visitor<'de> for ParamVisitor {
            type Value = Param;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("any JSON")
            }

            fn visit_unit<E>(self) -> Result<Param, E> {
                Ok(Param::Null)
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Param, E> {
                Ok(Param::Bool(truth))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Param, E> {
                Ok(Param::Number(number.into()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Param, E> {
                Ok(Param::Number(number.into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Param, E> {
                Ok(Number::from_f64(number).map_or(Param::Null, Param::Number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Param, E> {
                Ok(Param::Text(Zeroizing::new(text.into())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Param, A::Error> {
                let mut list = Vec::new();
                while let Some(value) = sequence.next_element()? {
                    list.push(value);
                }
                Ok(Param::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Param, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Param::Map(entries))
            }
        }
        deserializer.deserialize_any(ParamVisitor)
    }
}

/// Refuses an object with a member twice, wherever it is: which one counts would be anybody's guess. Looks at each member once.
fn check(entries: &[(String, Param)]) -> Result<(), BadRequest> {
    if entries.len() > MAX_MEMBERS {
        return Err(BadRequest::TooMany);
    }
    let mut names = HashSet::with_capacity(entries.len());
    for (name, value) in entries {
        if !names.insert(name) {
            return Err(BadRequest::Twice(Shown::of(name)));
        }
        check_value(value)?;
    }
    Ok(())
}

fn check_value(value: &Param) -> Result<(), BadRequest> {
    match value {
        Param::List(list) => list.iter().try_for_each(check_value),
        Param::Map(entries) => check(entries),
        Param::Null | Param::Bool(_) | Param::Number(_) | Param::Text(_) => Ok(()),
    }
}

/// Adds a member, to be checked with the others.
fn push(entries: &mut Vec<(String, Param)>, name: &str, value: Param) -> Result<(), BadRequest> {
    if entries.len() == MAX_MEMBERS {
        return Err(BadRequest::TooMany);
    }
    entries.push((name.into(), value));
    Ok(())
}

/// Each value after its type and its length, so that no two give the same bytes.
fn write_value(bytes: &mut Vec<u8>, value: &Param) {
    match value {
        Param::Null => write(bytes, b'0', &[]),
        Param::Bool(truth) => write(bytes, b'B', &[u8::from(*truth)]),
        Param::Number(number) => write(bytes, b'N', number.to_string().as_bytes()),
        Param::Text(text) => write(bytes, b'T', text.as_bytes()),
        Param::List(list) => {
            write(bytes, b'L', &list.len().to_be_bytes());
            list.iter().for_each(|value| write_value(bytes, value));
        }
        Param::Map(entries) => write_entries(bytes, entries),
    }
}

fn write_entries(bytes: &mut Vec<u8>, entries: &[(String, Param)]) {
    write(bytes, b'M', &entries.len().to_be_bytes());
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|(name, _)| name);
    for (name, value) in entries {
        write(bytes, b'K', name.as_bytes());
        write_value(bytes, value);
    }
}

fn write(bytes: &mut Vec<u8>, kind: u8, content: &[u8]) {
    bytes.push(kind);
    bytes.extend_from_slice(&content.len().to_be_bytes());
    bytes.extend_from_slice(content);
}

fn to_object(entries: Vec<(String, Param)>) -> Map<String, Value> {
    entries.into_iter().map(|(name, value)| (name, to_value(value))).collect()
}

fn to_value(param: Param) -> Value {
    match param {
        Param::Null => Value::Null,
        Param::Bool(truth) => truth.into(),
        Param::Number(number) => number.into(),
        Param::Text(text) => text.as_str().into(),
        Param::List(list) => list.into_iter().map(to_value).collect(),
        Param::Map(entries) => to_object(entries).into(),
    }
}

enum Format {
    Json,
    Form,
}

impl Format {
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        if headers.get_all(CONTENT_ENCODING).iter().any(|coding| coding != "identity") {
            return Err(ApiError::UnsupportedMediaType);
        }
        let header = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut parts = header.ok_or(ApiError::UnsupportedMediaType)?.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        for parameter in parts {
            if let Some((name, value)) = parameter.split_once('=')
                && name.eq_ignore_ascii_case("charset")
                && !value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            {
                return Err(ApiError::UnsupportedMediaType);
            }
        }
        if essence.eq_ignore_ascii_case("application/json") {
            Ok(Self::Json)
        } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Ok(Self::Form)
        } else {
            Err(ApiError::UnsupportedMediaType)
        }
    }
}

/// The body of a request, if it is not too large.
pub(super) async fn receive(request: Request) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    let announced = request.body().size_hint().lower();
    // Who asks first is told before it sends, and nobody waits for what has no end.
    let most = if request.headers().contains_key(EXPECT) { MAX_BODY_BYTES } else { MAX_DISCARDED_BYTES };
    if announced > most as u64 {
        return Err(ApiError::BodyTooLarge);
    }
    read(request.into_body()).await
}

/// The body, in a buffer that never grows and so leaves no copy behind.
async fn read(mut body: Body) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BODY_BYTES));
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(_) if total > MAX_BODY_BYTES => break,
            Err(error) if is_late(&error) => return Err(ApiError::RequestTimeout),
            Err(_) => return Err(BadRequest::Broken.into()),
        };
        let Some(data) = frame.data_ref() else { continue };
        total += data.len();
        if total <= MAX_BODY_BYTES {
            bytes.extend_from_slice(data);
        } else if total > MAX_DISCARDED_BYTES {
            break;
        }
    }
    if total > MAX_BODY_BYTES { Err(ApiError::BodyTooLarge) } else { Ok(bytes) }
}

/// Whether the server gave up waiting for the body.
fn is_late(error: &axum::Error) -> bool {
    let causes = iter::successors(Some(error as &dyn Error), |&error| error.source());
    causes
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::TimedOut)
}

fn form_decode(text: &str) -> Result<Zeroizing<String>, BadRequest> {
    let text = Zeroizing::new(text.replace('+', " "));
    let is_escape =
        |rest: &str| matches!(rest.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    if !text.split('%').skip(1).all(is_escape) {
        return Err(BadRequest::StrayPercent);
    }
    let decoded = percent_decode_str(&text).decode_utf8().map_err(|_| BadRequest::NotUtf8)?;
    Ok(Zeroizing::new(decoded.into_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_and_form_give_the_same_parameters() {
        let json = Params::from_json(r#"{"card":{"name":"Somchai P.","number":"42"},"amount":100}"#).unwrap();
        let form = Params::from_form("card[name]=Somchai+P.&card%5Bnumber%5D=42&amount=100").unwrap();
        for mut params in [json, form] {
            assert_eq!(params.text_or_number("amount").unwrap().unwrap().as_str(), "100");
            let mut card = params.params("card", "card.").unwrap().unwrap();
            assert_eq!(card.text("name").unwrap().unwrap().as_str(), "Somchai P.");
            assert_eq!(card.text("number").unwrap().unwrap().as_str(), "42");
            card.finish().unwrap();
            params.finish().unwrap();
        }
    }

    #[test]
    fn bodies_that_are_none_say_why() {
        assert!(matches!(Params::from_json("{"), Err(BadRequest::NotJson(1, 1))));
        assert!(matches!(Params::from_json("[]"), Err(BadRequest::NotAnObject)));
        assert!(matches!(Params::from_json(r#"{"a":1} {}"#), Err(BadRequest::NotJson(..))));
        assert!(matches!(Params::from_json(r#"{"a":1,"a":2}"#), Err(BadRequest::Twice(_))));
        assert!(matches!(Params::from_json(r#"{"a":{"b":1,"b":2}}"#), Err(BadRequest::Twice(_))));
        assert!(matches!(Params::from_json(&"[".repeat(4000)), Err(BadRequest::NotJson(..))));
        assert!(matches!(Params::from_form("a=1&a=2"), Err(BadRequest::Twice(_))));
        assert!(matches!(Params::from_form("a[b]=1&a[b]=2"), Err(BadRequest::Twice(_))));
        assert!(matches!(Params::from_form("a=1&a[b]=2"), Err(BadRequest::Twice(_))));
        assert!(matches!(Params::from_form("a[b]=1&a=2"), Err(BadRequest::Twice(_))));
        assert!(matches!(Params::from_form("a=%ff"), Err(BadRequest::NotUtf8)));
    }

    #[test]
    fn messages_repeat_no_digits() {
        let card = "4242424242424242";
        let left = Params::from_json(&format!(r#"{{"{card}":1}}"#)).unwrap().finish().unwrap_err();
        assert_eq!(left.to_string(), "a parameter is not a parameter here");
        let mut params = Params::from_json(&format!(r#"{{"a":{{"b":"{card}"}}}}"#)).unwrap();
        assert!(!format!("{params:?}").contains(card));
        assert_eq!(params.text("a").unwrap_err().to_string(), "a is not a string");
    }

    #[test]
    fn null_and_the_empty_text_are_as_good_as_nothing() {
        let mut params = Params::from_json(r#"{"a":null,"b":""}"#).unwrap();
        assert!(!params.has("a"));
        assert_eq!(params.text("a").unwrap(), None);
        assert_eq!(params.text("b").unwrap(), None);
        params.finish().unwrap();
    }

    proptest! {
        #[test]
        fn no_parameter_is_there_twice(names in prop::collection::vec("[ab](\\[[ab]\\])?", 0..6)) {
            let form: Vec<_> = names.iter().map(|name| format!("{name}=1")).collect();
            let outer = |name: &String| name.split('[').next().unwrap().to_owned();
            let clash = |one: &String, other: &String| {
                one == other || (outer(one) == outer(other) && (outer(one) == *one || outer(other) == *other))
            };
            let pairs = (0..names.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
            let is_twice = pairs.into_iter().any(|(one, other)| clash(&names[one], &names[other]));
            let read = Params::from_form(&form.join("&"));
            prop_assert_eq!(matches!(read, Err(BadRequest::Twice(_))), is_twice);
            prop_assert_eq!(read.is_ok(), !is_twice);
            let json: Vec<_> = names.iter().map(|name| format!("\"{name}\":1")).collect();
            let json = Params::from_json(&format!("{{{}}}", json.join(",")));
            let mut once = names.clone();
            once.sort();
            once.dedup();
            prop_assert_eq!(matches!(json, Err(BadRequest::Twice(_))), once.len() < names.len());
        }

        #[test]
        fn no_text_panics(text in ".*", json in r#"[\[\]{}:,"a0\\.eE+-]{0,40}"#, form in "[a&=%+\\[\\]0-9f]{0,40}") {
            for text in [text, json, form] {
                if let Ok(params) = Params::from_json(&text) {
                    let _ = params.finish();
                }
                if let Ok(params) = Params::from_form(&text) {
                    let _ = params.finish();
                }
            }
        }
    }
}
