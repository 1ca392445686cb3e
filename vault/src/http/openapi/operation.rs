//! What is said of an operation.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::objects::Object;
use super::schema::{Members, form_example, object, of_form};
use crate::http::code::Code;

/// A method of a path: what it does, takes, answers and refuses.
#[derive(Clone, Debug)]
pub(in crate::http) struct Operation {
    id: &'static str,
    summary: &'static str,
    description: String,
    key: Option<Key>,
    parameters: Vec<Value>,
    body: Option<Body>,
    answers: Vec<Answer>,
    /// Why it is refused, each code once.
    codes: Vec<Code>,
}

/// Whose key a request has to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Key {
    /// Any of the two.
    Either,
    /// A page's.
    Public,
    /// A server's.
    Secret,
}

/// A request's body.
#[derive(Clone, Debug)]
pub(in crate::http) enum Body {
    /// Any JSON.
    Anything(&'static str),
    /// These parameters, as JSON or as a form.
    Parameters {
        /// Their schema.
        schema: Value,
        /// An example of them.
        example: Value,
    },
}

#[derive(Clone, Debug)]
struct Answer {
    status: StatusCode,
    about: &'static str,
    headers: Vec<Header>,
    content: Vec<(&'static str, Value)>,
}

/// A header of an answer, described in the document's components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Header {
    CacheControl,
    ETag,
    IdempotencyReplayed,
    RequestId,
    RetryAfter,
    WwwAuthenticate,
}

impl Operation {
    /// An operation that may fail as every one may.
    pub(in crate::http) fn new(id: &'static str, summary: &'static str, description: &str) -> Self {
        Self {
            id,
            summary,
            description: description.into(),
            key: None,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            codes: vec![Code::InternalError, Code::ServiceUnavailable, Code::TooManyRequests],
        }
    }

    /// Without rate limits.
    pub(in crate::http) fn unlimited(mut self) -> Self {
        self.codes.retain(|code| *code != Code::TooManyRequests);
        self
    }

    /// A request has a key.
    pub(in crate::http) fn key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self.refuses(match key {
            Key::Either => &[Code::AuthenticationFailure, Code::NotPermitted, Code::OriginNotAllowed],
            Key::Public => &[Code::AuthenticationFailure, Code::OriginNotAllowed],
            Key::Secret => &[Code::AuthenticationFailure, Code::NotPermitted],
        })
    }

    /// A part of the path, of what may not be there.
    pub(in crate::http) fn path(mut self, name: &str, schema: Value) -> Self {
        self.parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
        self.refuses(&[Code::NotFound])
    }

    /// A member of the query, which may be left out, or empty, which is the same.
    pub(in crate::http) fn query(mut self, name: &str, schema: Value) -> Self {
        self.parameters
            .push(json!({ "name": name, "in": "query", "allowEmptyValue": true, "schema": schema }));
        self
    }

    /// A header that may be left out.
    pub(in crate::http) fn header(mut self, name: &str, schema: Value) -> Self {
        self.parameters.push(json!({ "name": name, "in": "header", "schema": schema }));
        self
    }

    /// A header that may not be left out.
    pub(in crate::http) fn needs_header(mut self, name: &str, schema: Value) -> Self {
        self.parameters.push(json!({ "name": name, "in": "header", "required": true, "schema": schema }));
        self.refuses(&[Code::BadRequest])
    }

    /// A request has a body.
    pub(in crate::http) fn body(mut self, body: Body) -> Self {
        self.body = Some(body);
        self.reads()
    }

    /// What may come of reading a body.
    pub(in crate::http) fn reads(self) -> Self {
        self.refuses(&[
            Code::BadRequest,
            Code::BodyTooLarge,
            Code::RequestTimeout,
            Code::UnsupportedMediaType,
        ])
    }

    /// It answers with an object.
    pub(in crate::http) fn answers(self, status: StatusCode, about: &'static str, object: Object) -> Self {
        self.shows(status, about, "application/json", object.reference())
    }

    /// It answers with something of a media type.
    pub(in crate::http) fn shows(
        mut self,
        status: StatusCode,
        about: &'static str,
        kind: &'static str,
        schema: Value,
    ) -> Self {
        self.answers.push(Answer { status, about, headers: Vec::new(), content: vec![(kind, schema)] });
        self
    }

    /// The answer that was named last may be of another media type.
    pub(in crate::http) fn also_shows(mut self, kind: &'static str, schema: Value) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.content.push((kind, schema));
        }
        self
    }

    /// It answers without a body.
    pub(in crate::http) fn says(mut self, status: StatusCode, about: &'static str) -> Self {
        self.answers.push(Answer { status, about, headers: Vec::new(), content: Vec::new() });
        self
    }

    /// The answer that was named last has a header.
    pub(in crate::http) fn with(mut self, header: Header) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.push(header);
        }
        self
    }

    /// It is refused with these codes too.
    pub(in crate::http) fn refuses(mut self, codes: &[Code]) -> Self {
        for code in codes {
            if !self.codes.contains(code) {
                self.codes.push(*code);
            }
        }
        self
    }

    /// As it stands in the document.
    pub(super) fn to_json(&self, tag: &str) -> Value {
        let mut operation = json!({
            "operationId": self.id,
            "summary": self.summary,
            "description": self.description,
            "tags": [tag],
            "security": self.key.map_or_else(Vec::new, Key::schemes),
            "responses": self.responses(),
        });
        if !self.parameters.is_empty() {
            operation["parameters"] = self.parameters.clone().into();
        }
        if let Some(body) = &self.body {
            operation["requestBody"] = body.to_json();
        }
        operation
    }

    fn responses(&self) -> Map<String, Value> {
        let mut responses = Map::new();
        for answer in &self.answers {
            responses.insert(answer.status.as_str().into(), answer.to_json());
        }
        for codes in by_status(&self.codes) {
            let refusal = refusal(&codes);
            let status = codes[0].status();
            match responses.get_mut(status.as_str()) {
                Some(answer) => add(answer, refusal),
                None => {
                    let reference = format!("#/components/responses/{}", refusal_name(&codes));
                    responses.insert(status.as_str().into(), json!({ "$ref": reference }));
                }
            }
        }
        responses
    }

    /// The refusals that it refers to, as components.
    pub(super) fn refusals(&self) -> Map<String, Value> {
        by_status(&self.codes).iter().map(|codes| (refusal_name(codes), refusal(codes))).collect()
    }
}

impl Key {
    /// The ways to send it.
    fn schemes(self) -> Vec<Value> {
        match self {
            Self::Either => {
                vec![json!({ "PublicKey": [] }), json!({ "SecretKey": [] }), json!({ "ApiKey": [] })]
            }
            Self::Public => vec![json!({ "PublicKey": [] }), json!({ "ApiKey": [] })],
            Self::Secret => vec![json!({ "SecretKey": [] }), json!({ "ApiKey": [] })],
        }
    }

    /// The ways to send keys, as components.
    pub(super) fn all_schemes() -> Value {
        let basic = |about: &str| json!({ "type": "http", "scheme": "basic", "description": about });
        json!({
            "PublicKey": basic("The public key, `pkey_…`, as user name; no password. It may be in a page."),
            "SecretKey": basic("The secret key, `skey_…`, as user name; no password. It stays on the server."),
            "ApiKey": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`APIKEY`, a space, and the key that the operation takes, as Thales's clients send it.",
            },
        })
    }
}

impl Body {
    /// An object of these parameters, and perhaps these others.
    pub(in crate::http) fn new(required: Members<'_>, optional: Members<'_>, example: Value) -> Self {
        Self::Parameters { schema: object("The parameters.", required, optional), example }
    }

    fn to_json(&self) -> Value {
        let (schema, example) = match self {
            Self::Anything(about) => {
                let schema = json!({ "description": about });
                return json!({ "required": false, "content": { "application/json": { "schema": schema } } });
            }
            Self::Parameters { schema, example } => (schema, example),
        };
        let mut form = json!({ "schema": of_form(schema), "example": form_example(example) });
        let inner = schema["properties"].as_object().into_iter().flatten();
        let encoding: Map<_, _> = inner
            .filter(|(_, schema)| schema["type"] == "object" || schema["type"][0] == "object")
            .map(|(name, _)| (name.clone(), json!({ "style": "deepObject", "explode": true })))
            .collect();
        if !encoding.is_empty() {
            form["encoding"] = encoding.into();
        }
        json!({
            "required": true,
            "content": {
                "application/json": { "schema": schema, "example": example },
                "application/x-www-form-urlencoded": form,
            },
        })
    }
}

impl Answer {
    fn to_json(&self) -> Value {
        let headers = [Header::RequestId].iter().chain(&self.headers);
        let mut answer = json!({
            "description": self.about,
            "headers": headers.map(|header| header.reference()).collect::<Map<_, _>>(),
        });
        for (kind, schema) in &self.content {
            answer["content"][*kind] = json!({ "schema": schema });
        }
        answer
    }
}

impl Header {
    const ALL: [Self; 6] = [
        Self::CacheControl,
        Self::ETag,
        Self::IdempotencyReplayed,
        Self::RequestId,
        Self::RetryAfter,
        Self::WwwAuthenticate,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::CacheControl => "Cache-Control",
            Self::ETag => "ETag",
            Self::IdempotencyReplayed => "Idempotency-Replayed",
            Self::RequestId => "X-Request-Id",
            Self::RetryAfter => "Retry-After",
            Self::WwwAuthenticate => "WWW-Authenticate",
        }
    }

    fn reference(self) -> (String, Value) {
        let name = self.name();
        (name.into(), json!({ "$ref": format!("#/components/headers/{name}") }))
    }

    /// Every header, as a component.
    pub(super) fn components() -> Map<String, Value> {
        let described = |header: Self| {
            let text = json!({ "type": "string" });
            let (about, required, schema) = match header {
                Self::CacheControl => ("How long it may be kept.", true, text),
                Self::ETag => ("Its version, for `If-None-Match`.", true, text),
                Self::IdempotencyReplayed => {
                    ("An earlier request with this key made it.", false, json!({ "const": "true" }))
                }
                Self::RequestId => ("Names the request in the vault's log.", true, text),
                Self::RetryAfter => ("Seconds to wait.", true, json!({ "type": "integer", "minimum": 1 })),
                Self::WwwAuthenticate => ("How to send a key.", true, text),
            };
            json!({ "description": about, "required": required, "schema": schema })
        };
        Self::ALL.into_iter().map(|header| (header.name().into(), described(header))).collect()
    }
}

/// The codes of each status, in the order of [`Code::ALL`].
fn by_status(codes: &[Code]) -> Vec<Vec<Code>> {
    let mut statuses: Vec<Vec<Code>> = Vec::new();
    for code in Code::ALL.iter().copied().filter(|code| codes.contains(code)) {
        match statuses.iter_mut().find(|known| known[0].status() == code.status()) {
            Some(known) => known.push(code),
            None => statuses.push(vec![code]),
        }
    }
    statuses
}

/// The name of an answer with one of these codes: each of its own.
fn refusal_name(codes: &[Code]) -> String {
    codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(".")
}

/// The answer with one of these codes, which have the same status.
fn refusal(codes: &[Code]) -> Value {
    let advice: Vec<_> =
        codes.iter().map(|code| format!("- `{}`: {}", code.as_str(), code.advice())).collect();
    let codes_alone: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    let mut headers = vec![Header::RequestId];
    headers.extend(match codes[0] {
        Code::AuthenticationFailure => Some(Header::WwwAuthenticate),
        Code::ServiceUnavailable | Code::TooManyRequests => Some(Header::RetryAfter),
        _ => None,
    });
    let mut schema = Object::Error.reference();
    schema["properties"] = json!({ "code": { "enum": codes_alone } });
    json!({
        "description": advice.join("\n"),
        "headers": headers.into_iter().map(Header::reference).collect::<Map<_, _>>(),
        "content": { "application/json": { "schema": schema } },
    })
}

/// Says of an answer that a refusal may come in its place. Only the headers of both are certain.
fn add(answer: &mut Value, refusal: Value) {
    let about =
        [&answer["description"], &refusal["description"]].map(|text| text.as_str().unwrap_or_default());
    answer["description"] = about.join("\n").into();
    if let (Some(headers), Some(others)) = (answer["headers"].as_object_mut(), refusal["headers"].as_object())
    {
        headers.retain(|name, _| others.contains_key(name));
    }
    let json = "application/json";
    match answer["content"].get_mut(json) {
        Some(content) => {
            let either = json!([content["schema"].take(), refusal["content"][json]["schema"]]);
            content["schema"] = json!({ "anyOf": either });
        }
        None => answer["content"][json] = refusal["content"][json].clone(),
    }
}
