//! What JSON Schemas (draft 2020-12, which OpenAPI 3.1 takes) of answers and requests are put together from.

use serde_json::{Map, Value, json};

use crate::token::Line;

/// Members by their names.
pub(in crate::http) type Members<'a> = &'a [(&'a str, Value)];

/// An object that has these members, perhaps these others, and none beside them.
pub(in crate::http) fn object(about: &str, required: Members<'_>, optional: Members<'_>) -> Value {
    let members = required.iter().chain(optional);
    let properties: Map<_, _> = members.map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let mut object = json!({
        "type": "object",
        "description": about,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        object["required"] = required.iter().map(|(name, _)| *name).collect();
    }
    object
}

/// A text.
pub(in crate::http) fn text(about: &str) -> Value {
    json!({ "type": "string", "description": about })
}

/// A [`Line`].
pub(in crate::http) fn line(about: &str) -> Value {
    json!({ "type": "string", "description": about, "maxLength": Line::MAX_CHARS })
}

/// A text that a regular expression of ECMA-262 matches.
pub(in crate::http) fn matching(pattern: &str, about: &str) -> Value {
    json!({ "type": "string", "description": about, "pattern": pattern })
}

/// This text and no other.
pub(in crate::http) fn constant(text: &str) -> Value {
    json!({ "type": "string", "const": text })
}

/// One of these texts.
pub(in crate::http) fn one_of(texts: impl IntoIterator<Item = &'static str>, about: &str) -> Value {
    json!({ "type": "string", "description": about, "enum": texts.into_iter().collect::<Vec<_>>() })
}

/// True or false.
pub(in crate::http) fn truth(about: &str) -> Value {
    json!({ "type": "boolean", "description": about })
}

/// A whole number from `least` to `most`.
pub(in crate::http) fn whole(least: i64, most: i64, about: &str) -> Value {
    json!({ "type": "integer", "description": about, "minimum": least, "maximum": most })
}

/// A whole number, or its digits as a text.
pub(in crate::http) fn number_or_text(about: &str) -> Value {
    json!({ "type": ["integer", "string"], "description": about })
}

/// A [`Timestamp`](crate::time::Timestamp).
pub(in crate::http) fn time(about: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": about })
}

/// The merchant's own data.
pub(in crate::http) fn metadata() -> Value {
    json!({ "type": "object", "description": "Your own data, given back as it came. A card number is refused." })
}

/// The same, or null.
pub(in crate::http) fn nullable(mut schema: Value) -> Value {
    match schema["type"].take() {
        Value::Array(mut types) => {
            types.push("null".into());
            schema["type"] = types.into();
        }
        kind => schema["type"] = json!([kind, "null"]),
    }
    if let Some(texts) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        texts.push(Value::Null);
    }
    schema
}

/// What a request may leave out, or name as null or as the empty text, which both mean that there is none.
pub(in crate::http) fn optional(schema: Value) -> Value {
    let mut schema = nullable(schema);
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        schema["pattern"] = format!("^$|{pattern}").into();
    }
    schema
}

/// The schema of a form's parameters, out of the one of the same parameters in JSON. In a form every value is a text.
pub(super) fn of_form(schema: &Value) -> Value {
    let Value::Object(json) = schema else { return schema.clone() };
    let takes = |kind: &str| match json.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|known| known == kind),
        known => known.is_some_and(|known| known == kind),
    };
    let mut form = Map::new();
    for (keyword, value) in json {
        let value = match keyword.as_str() {
            "properties" => value
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, of)| (name.clone(), of_form(of)))
                .collect(),
            "anyOf" => value.as_array().into_iter().flatten().map(of_form).collect(),
            "type" if takes("object") => "object".into(),
            "type" => "string".into(),
            "enum" => value.as_array().into_iter().flatten().filter(|one| one.is_string()).cloned().collect(),
            "minimum" | "maximum" => continue,
            "examples" => value.as_array().into_iter().flatten().map(form_example).collect(),
            _ => value.clone(),
        };
        form.insert(keyword.clone(), value);
    }
    if takes("object") && !form.contains_key("properties") && !form.contains_key("anyOf") {
        form.insert("additionalProperties".into(), json!({ "type": "string" }));
    }
    form.into()
}

/// The same values as a form has them.
pub(super) fn form_example(example: &Value) -> Value {
    match example {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), form_example(value))).collect()
        }
        Value::String(_) => example.clone(),
        other => other.to_string().into(),
    }
}
