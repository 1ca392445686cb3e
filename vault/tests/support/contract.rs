//! What `/openapi.json` promises, held against what the vault does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::http::header::{ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Uri};
use base64ct::{Base64, Encoding};
use jsonschema::{Draft, Registry, Resource, Validator};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::Answer;

/// The document, with a validator for each schema that was needed so far.
pub(crate) struct Contract {
    pub(crate) document: Value,
    registry: Registry<'static>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// A request, as far as it was read.
pub(crate) struct Asking {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Where the document is, for its own references.
const HOME: &str = "urn:vault:openapi";

/// The one part of a path that may have slashes.
const FILES: &str = "/v1/{name}";

/// The one whose query may hold anything beside what is documented.
const FRAME: &str = "/frame";

const FORM: &str = "application/x-www-form-urlencoded";

impl Contract {
    pub(crate) fn new(document: Value) -> Self {
        let resource = Resource::from_contents(document.clone());
        let registry =
            Registry::new().draft(Draft::Draft202012).add(HOME, resource).unwrap().prepare().unwrap();
        Self { document, registry, validators: Mutex::default() }
    }

    /// What in an answer, or in a request that was fulfilled, is not as the document says; nothing of a request's values.
    pub(crate) fn check(&self, asking: &Asking, answer: &Answer) -> Result<(), String> {
        let path = asking.uri.path();
        let Some((template, item)) = self.item(path) else { return self.check_unrouted(asking, answer) };
        // RFC 9110 section 9.3.2: HEAD is GET without the body.
        let is_head = asking.method == Method::HEAD;
        let method = if is_head { "get".into() } else { asking.method.as_str().to_ascii_lowercase() };
        let operation = item.get(&method).filter(|_| asking.method.as_str().is_ascii());
        let Some(operation) = operation else { return self.check_unrouted(asking, answer) };
        let place = format!("/paths/{}/{method}", escape(template));
        let said = |what: String| format!("{} {template}, {}: {what}", asking.method, answer.status);

        self.check_answer(&place, operation, is_head, answer).map_err(said)?;
        if answer.status.is_success() || answer.status.is_redirection() {
            self.check_request(&place, template, operation, asking).map_err(said)?;
        }
        Ok(())
    }

    /// What is at no path of the document, or is a method that its path does not have there.
    fn check_unrouted(&self, asking: &Asking, answer: &Answer) -> Result<(), String> {
        let said =
            |what: &str| Err(format!("{} {}, {}: {what}", asking.method, "undocumented", answer.status));
        let about_tokens = asking.uri.path() == "/tokens" || asking.uri.path().starts_with("/tokens/");
        let is_preflight =
            asking.method == Method::OPTIONS && asking.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let code = match answer.status.as_u16() {
            204 if about_tokens && is_preflight => {
                return if answer.body.is_empty() { Ok(()) } else { said("a body") };
            }
            403 if about_tokens => "origin_not_allowed",
            404 => "not_found",
            405 => "method_not_allowed",
            429 => "too_many_requests",
            500 => "internal_error",
            503 => "service_unavailable",
            _ => return said("it is answered, but not in the document"),
        };
        if asking.method == Method::HEAD {
            return if answer.body.is_empty() { Ok(()) } else { said("a body") };
        }
        let body = parse(&answer.body)?;
        self.validate("/components/schemas/Error", &body)?;
        if body["code"] == code { Ok(()) } else { said("a code of another status") }
    }

    /// The path of the document that a request's path is one of.
    fn item(&self, path: &str) -> Option<(&str, &Map<String, Value>)> {
        let paths = self.document["paths"].as_object().unwrap();
        let found = paths.iter().find(|(template, _)| {
            let (mut expected, mut found) = (template.split('/'), path.split('/'));
            template.as_str() == FILES && path.len() > "/v1/".len() && path.starts_with("/v1/")
                || expected.clone().count() == found.clone().count()
                    && expected.all(|expected| {
                        let found = found.next().unwrap_or_default();
                        if expected.starts_with('{') { !found.is_empty() } else { expected == found }
                    })
        });
        found.map(|(template, item)| (template.as_str(), item.as_object().unwrap()))
    }

    fn check_answer(
        &self,
        place: &str,
        operation: &Value,
        is_head: bool,
        answer: &Answer,
    ) -> Result<(), String> {
        let status = answer.status.as_str();
        let response = operation["responses"].get(status).ok_or("an undocumented status")?;
        let (place, response) = self.resolve(&format!("{place}/responses/{status}"), response);
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let (place, header) = self.resolve(&format!("{place}/headers/{name}"), header);
            match answer.headers.get(name) {
                Some(value) => {
                    let value = value.to_str().map_err(|_| format!("{name} is not ASCII"))?;
                    self.validate_text(&format!("{place}/schema"), value)?;
                }
                None if header["required"] == true => return Err(format!("no header {name}")),
                None => {}
            }
        }
        let kind = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        let Some(content) = response["content"].as_object() else {
            let empty = kind.is_empty() && answer.body.is_empty();
            return if empty { Ok(()) } else { Err("a body where none is documented".into()) };
        };
        if !content.contains_key(kind) {
            return Err(format!("an undocumented content type {kind:?}"));
        }
        if is_head {
            return if answer.body.is_empty() { Ok(()) } else { Err("a body of a HEAD".into()) };
        }
        // A released file is what it was released as.
        let body = if kind.ends_with("json") && !place.contains(&escape(FILES)) {
            parse(&answer.body)?
        } else {
            answer.body.as_str().into()
        };
        self.validate(&format!("{place}/content/{}/schema", escape(kind)), &body)
    }

    fn check_request(
        &self,
        place: &str,
        template: &str,
        operation: &Value,
        asking: &Asking,
    ) -> Result<(), String> {
        check_key(operation, &asking.headers)?;
        let kind = asking.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let query = asking.uri.query().filter(|_| template != FRAME);
        let mut query = form(query.unwrap_or_default().as_bytes())?;
        match operation.get("requestBody") {
            Some(_) => {
                let body = read(&kind, &asking.body)?;
                let place = format!("{place}/requestBody/content/{}/schema", escape(&kind));
                self.validate(&place, &body).map_err(|what| format!("the request's body: {what}"))?;
            }
            // PyPI's `omise` sends in a body what belongs into the query.
            None if !asking.body.is_empty() => match read(&kind, &asking.body)? {
                Value::Object(members) => query.extend(members),
                _ => return Err("a body that is no object".into()),
            },
            None => {}
        }
        let parts: HashMap<_, _> =
            template.split('/').zip(asking.uri.path().splitn(template.split('/').count(), '/')).collect();
        for (index, parameter) in operation["parameters"].as_array().into_iter().flatten().enumerate() {
            let name = parameter["name"].as_str().unwrap();
            let place = format!("{place}/parameters/{index}/schema");
            let value = match parameter["in"].as_str().unwrap() {
                "path" => parts.get(&*format!("{{{name}}}")).map(|part| (*part).to_owned()),
                "query" => query.remove(name).filter(|value| !value.is_null()).map(|value| match value {
                    Value::String(text) => text,
                    other => other.to_string(),
                }),
                "header" => {
                    asking.headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned())
                }
                other => return Err(format!("a parameter in {other}")),
            };
            match value {
                Some(value) if value.is_empty() && parameter["allowEmptyValue"] == true => {}
                Some(value) => {
                    self.validate_text(&place, &value).map_err(|what| format!("{name}: {what}"))?;
                }
                None if parameter["required"] == true => return Err(format!("a request without {name}")),
                None => {}
            }
        }
        if query.is_empty() { Ok(()) } else { Err("an undocumented parameter in the query".into()) }
    }

    /// A part of the document, or the part that it refers to.
    fn resolve<'a>(&'a self, place: &str, part: &'a Value) -> (String, &'a Value) {
        match part["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => (pointer.to_owned(), self.document.pointer(pointer).unwrap()),
            None => (place.to_owned(), part),
        }
    }

    /// A text as it is, or as the number that it says.
    fn validate_text(&self, place: &str, text: &str) -> Result<(), String> {
        let number = text.parse::<u64>().ok().map(Value::from);
        match number.map(|number| self.validate(place, &number)) {
            Some(Ok(())) => Ok(()),
            _ => self.validate(place, &text.into()),
        }
    }

    /// Whether a value is as the schema at this place says. What is wrong is told without the value.
    pub(crate) fn validate(&self, place: &str, value: &Value) -> Result<(), String> {
        let validator = self.validator(place);
        let wrong: Vec<_> = validator
            .iter_errors(value)
            .map(|error| {
                format!(
                    "at {:?}: {} ({})",
                    error.instance_path().to_string(),
                    error.masked(),
                    error.schema_path()
                )
            })
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    fn validator(&self, place: &str) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        Arc::clone(validators.entry(place.to_owned()).or_insert_with(|| {
            assert!(self.document.pointer(place).is_some(), "there is no schema at {place}");
            let schema = serde_json::json!({ "$ref": format!("{HOME}#{}", place.replace('{', "%7B").replace('}', "%7D")) });
            let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
            Arc::new(options.with_registry(&self.registry).build(&schema).unwrap())
        }))
    }
}

/// Whether the key that was sent is one of those that the operation takes.
fn check_key(operation: &Value, headers: &HeaderMap) -> Result<(), String> {
    let schemes: Vec<_> = operation["security"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|scheme| scheme.as_object().unwrap().keys().map(String::as_str))
        .collect();
    if schemes.is_empty() {
        return Ok(());
    }
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, credentials) = sent.split_once(' ').unwrap_or_default();
    let user = Base64::decode_vec(credentials.trim()).unwrap_or_default();
    let sent = match scheme.to_ascii_lowercase().as_str() {
        "apikey" => "ApiKey",
        "basic" if user.starts_with(b"pkey_") => "PublicKey",
        "basic" if user.starts_with(b"skey_") => "SecretKey",
        _ => "no key",
    };
    if schemes.contains(&sent) { Ok(()) } else { Err(format!("{sent} where {schemes:?} are documented")) }
}

fn read(kind: &str, body: &[u8]) -> Result<Value, String> {
    match kind {
        "application/json" => {
            serde_json::from_slice(body).map_err(|_| "a request whose body is no JSON".into())
        }
        FORM => Ok(form(body)?.into()),
        _ => Err("a request of an undocumented content type".into()),
    }
}

/// A form's parameters, those of the style `deepObject` in an object.
fn form(text: &[u8]) -> Result<Map<String, Value>, String> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8().map(|text| text.into_owned()).map_err(|_| "no UTF-8")
    };
    let mut members = Map::new();
    for pair in std::str::from_utf8(text).map_err(|_| "no UTF-8")?.split('&').filter(|pair| !pair.is_empty())
    {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
            Some((outer, inner)) => {
                let outer = members.entry(outer).or_insert_with(|| Map::new().into());
                outer.as_object_mut().ok_or("a parameter twice")?.insert(inner.into(), value.into());
            }
            None => {
                members.insert(name, value.into());
            }
        }
    }
    Ok(members)
}

fn parse(body: &str) -> Result<Value, String> {
    serde_json::from_str(body).map_err(|_| "an answer that is no JSON".into())
}

/// A name as a part of a JSON pointer (RFC 6901).
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
