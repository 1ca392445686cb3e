//! The address of a key in a token (RFC 7512).

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::super::SourceError;
use super::super::environment::Variable;
use super::super::source::parse_path;

/// Bytes of a token's label (`CK_TOKEN_INFO`, PKCS #11 v3.0 section 3.2).
const LONGEST_TOKEN_LABEL: usize = 32;
/// Bytes of a key's label; the standard has no bound.
const LONGEST_OBJECT_LABEL: usize = 128;

/// `pkcs11:token=LABEL;object=LABEL?module-path=PATH&pin-source=file:PATH` (or `env:NAME`), with `type=secret-key` if
/// one likes. Every other attribute is refused, `pin-value` with a word on why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenUri(Arc<Parts>);

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    module: PathBuf,
    token: Label,
    object: Label,
    pin: PinSource,
}

/// Where a token's PIN is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinSource {
    /// `env:NAME`
    Environment(Variable),
    /// `file:PATH`: one line, for its owner only.
    File(PathBuf),
}

/// What a token or a key is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(String);

impl TokenUri {
    /// An address from its parts.
    #[must_use]
    pub fn new(module: PathBuf, token: Label, object: Label, pin: PinSource) -> Self {
        Self(Arc::new(Parts { module, token, object, pin }))
    }

    pub(super) fn module(&self) -> &Path {
        &self.0.module
    }

    pub(super) fn token(&self) -> &Label {
        &self.0.token
    }

    pub(super) fn object(&self) -> &Label {
        &self.0.object
    }

    pub(super) fn pin(&self) -> &PinSource {
        &self.0.pin
    }
}

impl Label {
    /// A token's: 1 to 32 bytes.
    ///
    /// # Errors
    /// [`SourceError::Label`]
    pub fn token(text: &str) -> Result<Self, SourceError> {
        Self::new("token", text, LONGEST_TOKEN_LABEL)
    }

    /// A key's: 1 to 128 bytes.
    ///
    /// # Errors
    /// [`SourceError::Label`]
    pub fn object(text: &str) -> Result<Self, SourceError> {
        Self::new("object", text, LONGEST_OBJECT_LABEL)
    }

    fn new(attribute: &'static str, text: &str, longest: usize) -> Result<Self, SourceError> {
        match text.len() {
            0 => Err(SourceError::Label { attribute, longest }),
            length if length > longest => Err(SourceError::Label { attribute, longest }),
            _ => Ok(Self(text.into())),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    /// In quotation marks, with what could fool a terminal written out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl FromStr for TokenUri {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let attributes = text.strip_prefix("pkcs11:").ok_or(SourceError::Unknown)?;
        let (path, query) = attributes.split_once('?').unwrap_or((attributes, ""));
        let (mut token, mut object, mut class, mut module, mut pin) = (None, None, None, None, None);
        for (name, value) in pairs(path, ';') {
            match name {
                "object" => set(&mut object, "object", value)?,
                "token" => set(&mut token, "token", value)?,
                "type" if value == "secret-key" => set(&mut class, "type", value)?,
                _ => return Err(SourceError::UnknownAttribute),
            }
        }
        for (name, value) in pairs(query, '&') {
            match name {
                "module-path" => set(&mut module, "module-path", value)?,
                "pin-source" => set(&mut pin, "pin-source", value)?,
                "pin-value" => return Err(SourceError::PinInSettings),
                _ => return Err(SourceError::UnknownAttribute),
            }
        }
        Ok(Self::new(
            parse_path(&module.ok_or(SourceError::Lacks("module-path"))?)?,
            Label::token(&token.ok_or(SourceError::Lacks("token"))?)?,
            Label::object(&object.ok_or(SourceError::Lacks("object"))?)?,
            pin.ok_or(SourceError::Lacks("pin-source"))?.parse()?,
        ))
    }
}

fn pairs(text: &str, separator: char) -> impl Iterator<Item = (&str, &str)> {
    text.split(separator)
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn set(to: &mut Option<String>, name: &'static str, value: &str) -> Result<(), SourceError> {
    match to.replace(decode(value)?) {
        None => Ok(()),
        Some(_) => Err(SourceError::Repeated(name)),
    }
}

fn decode(text: &str) -> Result<String, SourceError> {
    for (index, _) in text.match_indices('%') {
        let digits = text.as_bytes().get(index + 1..index + 3);
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(SourceError::Encoding);
        }
    }
    Ok(percent_decode_str(text).decode_utf8().map_err(|_| SourceError::Encoding)?.into_owned())
}

impl FromStr for PinSource {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        match text.split_once(':') {
            Some(("env", name)) => Ok(Self::Environment(name.parse()?)),
            Some(("file", path)) => Ok(Self::File(parse_path(path)?)),
            _ => Err(SourceError::PinSource),
        }
    }
}

/// What needs no encoding in either part (RFC 7512 section 2.3); a few more would be allowed.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
const ENCODED_IN_QUERY: &AsciiSet = &ENCODED.remove(b'/');

impl fmt::Display for TokenUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pin = match self.pin() {
            PinSource::Environment(variable) => format!("env:{variable}"),
            PinSource::File(path) => format!("file:{}", path.display()),
        };
        write!(
            formatter,
            "pkcs11:token={};object={}?module-path={}&pin-source={}",
            utf8_percent_encode(&self.token().0, ENCODED),
            utf8_percent_encode(&self.object().0, ENCODED),
            utf8_percent_encode(&self.module().display().to_string(), ENCODED_IN_QUERY),
            utf8_percent_encode(&pin, ENCODED_IN_QUERY),
        )
    }
}
