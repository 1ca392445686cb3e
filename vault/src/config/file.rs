use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::ConfigError;
use super::given::Given;

/// A file with settings.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) given: Given,
    /// The lines that the keys are on, from 1.
    pub(super) lines: HashMap<String, usize>,
}

impl File {
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { path: path.into(), source };
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let table = DeTable::parse(&text).map_err(|error| wrong(path, &text, None, &error))?;
        let places = places(&table);
        let lines = places.iter().map(|(key, place)| (key.clone(), line(&text, place.start))).collect();
        match Given::deserialize(Deserializer::from(table)) {
            Ok(given) => Ok(Self { given, lines }),
            Err(error) => {
                let key = error.span().and_then(|span| key_at(&places, &span));
                Err(wrong(path, &text, key, &error))
            }
        }
    }
}

/// The parser's own words would repeat the line, and with it a password.
fn wrong(path: &Path, text: &str, key: Option<String>, error: &Error) -> ConfigError {
    let line = line(text, error.span().map_or(0, |span| span.start));
    ConfigError::Wrong { path: PathBuf::from(path), line, key, why: error.message().into() }
}

/// Where each key and its value are, those within a table by all its names, `limits.connections`, and before the table.
fn places(table: &Spanned<DeTable<'_>>) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    add_places(table.get_ref(), "", &mut found);
    found
}

fn add_places(table: &DeTable<'_>, outer: &str, found: &mut Vec<(String, Range<usize>)>) {
    for (name, value) in table {
        let key = format!("{outer}{}", name.get_ref());
        if let DeValue::Table(inner) = value.get_ref() {
            add_places(inner, &format!("{key}."), found);
        }
        found.push((key, name.span().start..value.span().end));
    }
}

fn key_at(places: &[(String, Range<usize>)], span: &Range<usize>) -> Option<String> {
    let (key, _) = places.iter().find(|(_, place)| place.start <= span.start && span.end <= place.end)?;
    Some(key.clone())
}

fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}
