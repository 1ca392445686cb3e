//! Whether the document is one of OpenAPI 3.1: read by types that have the members of the specification (version 3.1.0,
//! section 4.8) that the vault uses, and no others.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::walk;
use crate::support::Asked;

#[tokio::test]
async fn it_has_the_form_of_openapi_3_1() {
    let asked = Asked::new().await;
    let document = &asked.contract().await.document;
    let read: OpenApi = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(read.openapi, "3.1.0");
    assert!(!read.info.title.is_empty() && !read.info.version.is_empty());

    let mut ids = BTreeSet::new();
    let mut tags = BTreeSet::new();
    for (path, item) in &read.paths {
        assert!(path.starts_with('/'), "{path}");
        for operation in item.operations() {
            operation.check(path, &read.components);
            assert!(ids.insert(&operation.operation_id), "{} is there twice", operation.operation_id);
            tags.extend(operation.tags.iter().cloned());
        }
    }
    let described: Vec<_> = read.tags.iter().map(|tag| tag.name.clone()).collect();
    assert_eq!(described.iter().cloned().collect::<BTreeSet<_>>(), tags);
    assert_eq!(described.len(), tags.len(), "a tag is there twice");
}

#[tokio::test]
async fn its_schemas_are_schemas_and_closed_and_its_references_lead_somewhere() {
    let asked = Asked::new().await;
    let document = &asked.contract().await.document;
    let (mut schemas, mut references) = (0, BTreeSet::new());
    walk(document, "", &mut |place, part| {
        if let Some(reference) = part.get("$ref").and_then(Value::as_str) {
            let target = document.pointer(reference.strip_prefix('#').unwrap());
            assert!(target.is_some(), "{place}: {reference}");
            references.insert(reference.to_owned());
        }
        for (name, schema) in part.as_object().unwrap() {
            if name == "schema" || place == "/components/schemas" {
                schemas += 1;
                let valid = jsonschema::draft202012::meta::validate(schema);
                assert!(valid.is_ok(), "{place}/{name}: {}", valid.unwrap_err());
            }
        }
        if part.get("properties").is_some() && part.get("type").is_some_and(|kind| kind == "object") {
            assert_eq!(part["additionalProperties"], false, "{place} is open");
        }
    });
    assert!(schemas > 60, "only {schemas} schemas");
    for kind in ["schemas", "responses", "headers"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let place = format!("#/components/{kind}/{name}");
            assert!(references.contains(&place), "nothing refers to {place}");
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenApi {
    openapi: String,
    info: Info,
    #[serde(rename = "servers")]
    _servers: Vec<Server>,
    tags: Vec<Tag>,
    paths: BTreeMap<String, PathItem>,
    #[serde(rename = "webhooks")]
    _webhooks: BTreeMap<String, PathItem>,
    components: Components,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Info {
    title: String,
    #[serde(rename = "summary")]
    _summary: String,
    #[serde(rename = "description")]
    _description: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    #[serde(rename = "url")]
    _url: String,
    #[serde(rename = "description")]
    _description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    name: String,
    #[serde(rename = "description")]
    _description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PathItem {
    delete: Option<Operation>,
    get: Option<Operation>,
    patch: Option<Operation>,
    post: Option<Operation>,
}

impl PathItem {
    fn operations(&self) -> impl Iterator<Item = &Operation> {
        [&self.delete, &self.get, &self.patch, &self.post].into_iter().flatten()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Operation {
    operation_id: String,
    summary: String,
    description: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    parameters: Vec<Parameter>,
    #[serde(rename = "requestBody")]
    _request_body: Option<RequestBody>,
    responses: BTreeMap<String, Part<Response>>,
    security: Vec<BTreeMap<String, Vec<String>>>,
}

impl Operation {
    fn check(&self, path: &str, components: &Components) {
        let id = &self.operation_id;
        assert!(!self.summary.is_empty() && !self.description.is_empty(), "{id}");
        assert!(!self.responses.is_empty(), "{id}");
        for status in self.responses.keys() {
            assert!(status.parse::<u16>().is_ok_and(|status| (100..600).contains(&status)), "{id}: {status}");
        }
        // A part of the path is a parameter, and each parameter of the path a part of it.
        let parts: BTreeSet<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let in_path = self.parameters.iter().filter(|parameter| parameter.place == Place::Path);
        let described: BTreeSet<_> = in_path.clone().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(parts, described, "{id}");
        assert!(in_path.clone().all(|parameter| parameter.required), "{id}");
        let names: BTreeSet<_> =
            self.parameters.iter().map(|parameter| (&parameter.name, parameter.place)).collect();
        assert_eq!(names.len(), self.parameters.len(), "{id}: a parameter is there twice");
        for scheme in self.security.iter().flat_map(BTreeMap::keys) {
            assert!(components.security_schemes.contains_key(scheme), "{id}: {scheme}");
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Parameter {
    name: String,
    #[serde(rename = "in")]
    place: Place,
    #[serde(default)]
    required: bool,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(rename = "allowEmptyValue")]
    _allow_empty_value: Option<bool>,
    #[serde(rename = "schema")]
    _schema: Value,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Header,
    Path,
    Query,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestBody {
    #[serde(rename = "required")]
    _required: bool,
    #[serde(rename = "content")]
    _content: BTreeMap<String, MediaType>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaType {
    #[serde(rename = "schema")]
    _schema: Value,
    #[serde(rename = "example")]
    _example: Option<Value>,
    #[serde(rename = "encoding")]
    _encoding: Option<BTreeMap<String, Encoding>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoding {
    #[serde(rename = "style")]
    _style: Style,
    #[serde(rename = "explode")]
    _explode: bool,
}

#[derive(Deserialize)]
enum Style {
    #[serde(rename = "deepObject")]
    DeepObject,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Response {
    #[serde(rename = "description")]
    _description: String,
    #[serde(rename = "headers")]
    _headers: Option<BTreeMap<String, Part<Header>>>,
    #[serde(rename = "content")]
    _content: Option<BTreeMap<String, MediaType>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    #[serde(rename = "description")]
    _description: String,
    #[serde(rename = "required")]
    _required: bool,
    #[serde(rename = "schema")]
    _schema: Value,
}

/// Something, or a reference to it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Part<T> {
    Reference(#[expect(dead_code, reason = "references are followed elsewhere")] Reference),
    Here(T),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    #[serde(rename = "$ref")]
    _reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Components {
    #[serde(rename = "schemas")]
    _schemas: BTreeMap<String, Value>,
    #[serde(rename = "responses")]
    _responses: BTreeMap<String, Response>,
    #[serde(rename = "headers")]
    _headers: BTreeMap<String, Header>,
    security_schemes: BTreeMap<String, SecurityScheme>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "type", rename_all = "camelCase")]
enum SecurityScheme {
    ApiKey {
        #[serde(rename = "in")]
        _place: Place,
        #[serde(rename = "name")]
        _name: String,
        #[serde(rename = "description")]
        _description: String,
    },
    Http {
        #[serde(rename = "scheme")]
        _scheme: String,
        #[serde(rename = "description")]
        _description: String,
    },
}
