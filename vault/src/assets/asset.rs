//! A file that browsers load from the vault.

use axum::body::Bytes;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::integrity::Integrity;
use super::path::AssetPath;

/// A released file with its precompressed forms.
#[derive(Clone, Debug)]
pub struct Asset {
    pub(super) path: AssetPath,
    pub(super) kind: Kind,
    pub(super) plain: Form,
    pub(super) brotli: Form,
    pub(super) gzip: Form,
}

/// The bytes of a file in one coding.
#[derive(Clone, Debug)]
pub struct Form {
    /// The bytes.
    pub bytes: Bytes,
    /// Their digest.
    pub integrity: Integrity,
}

/// What a browser does with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Reads it as data.
    Json,
    /// Runs it.
    Script,
    /// Compiles it.
    Wasm,
}

/// How an answer's bytes are coded (RFC 9110 section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
    /// As they are.
    Identity,
}

/// Under which of its names a file is asked for, and so how long the answer is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// The same name in every release, for merchants' pages.
    Stable,
    /// A name that only these bytes have.
    Hashed,
}

impl Asset {
    /// The file's name under `/v1/`: `cardseal.js`, or `cardseal-0123456789abcdef.js` with the first 16 hexadecimal
    /// digits of its SHA-384.
    #[must_use]
    pub fn name(&self, naming: Naming) -> String {
        let path = self.path.as_str();
        let hashed = match naming {
            Naming::Hashed => hashed_name(path, &self.plain.integrity),
            Naming::Stable => None,
        };
        hashed.unwrap_or_else(|| path.into())
    }

    /// The bytes in a coding.
    #[must_use]
    pub const fn form(&self, coding: Coding) -> &Form {
        match coding {
            Coding::Brotli => &self.brotli,
            Coding::Gzip => &self.gzip,
            Coding::Identity => &self.plain,
        }
    }

    /// What an answer with the file says. Any page may load it: a module script and Subresource Integrity need that
    /// said, and nothing in it is secret.
    #[must_use]
    #[expect(clippy::expect_used, reason = "an entity tag of hexadecimal digits is a header's value")]
    pub fn headers(&self, naming: Naming, coding: Coding) -> HeaderMap {
        let tag = format!("\"{}\"", self.form(coding).integrity.short());
        let mut headers: HeaderMap = [
            (CONTENT_TYPE, self.kind.media_type()),
            (CACHE_CONTROL, naming.cache_control()),
            (VARY, "Accept-Encoding"),
            (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ]
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .into_iter()
        .collect();
        headers.insert(ETAG, HeaderValue::try_from(tag).expect("an entity tag"));
        if let Some(coding) = coding.name() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        headers
    }
}

/// A file's name with its digest in it, unless it has no extension.
pub(super) fn hashed_name(name: &str, digest: &Integrity) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    Some(format!("{stem}-{}.{extension}", digest.short()))
}

/// Fetch standard, section 3.7.
pub(crate) const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

impl Kind {
    pub(super) fn of(path: &AssetPath) -> Option<Self> {
        match path.as_str().rsplit_once('.')?.1 {
            "js" | "mjs" => Some(Self::Script),
            "json" => Some(Self::Json),
            "wasm" => Some(Self::Wasm),
            _ => None,
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Script => "text/javascript; charset=utf-8",
            Self::Wasm => "application/wasm",
        }
    }
}

impl Coding {
    /// From the smallest to the largest.
    pub const ALL: [Self; 3] = [Self::Brotli, Self::Gzip, Self::Identity];

    /// Its name in `Content-Encoding`; what is not coded has none.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// The smallest that a request's `Accept-Encoding` (RFC 9110 section 12.5.3) does not rule out. Who says nothing,
    /// or rules everything out, gets the file as it is.
    #[must_use]
    pub fn accepted(accept_encoding: &[&str]) -> Self {
        let accepts = |name: &str| {
            let weight = |wanted: &str| {
                let members = accept_encoding.iter().flat_map(|header| header.split(','));
                members.map(member).find(|(coding, _)| coding.eq_ignore_ascii_case(wanted)).map(|(_, on)| on)
            };
            weight(name).or_else(|| weight("*")).unwrap_or(false)
        };
        Self::ALL.into_iter().find(|coding| coding.name().is_none_or(accepts)).unwrap_or(Self::Identity)
    }
}

/// A coding's name, and whether its weight lets it be used: `br;q=0` does not.
fn member(text: &str) -> (&str, bool) {
    let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
    let weight =
        parameters.trim().strip_prefix(['q', 'Q']).and_then(|rest| rest.trim_start().strip_prefix('='));
    let usable = weight.is_none_or(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0));
    (name.trim(), usable)
}

impl Naming {
    const fn cache_control(self) -> &'static str {
        match self {
            // Nobody waits for a revalidation: while it runs, a file up to an hour old does.
            Self::Stable => "public, max-age=300, stale-while-revalidate=3600",
            Self::Hashed => "public, max-age=31536000, immutable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_coding_that_the_browser_takes_is_chosen() {
        use Coding::{Brotli, Gzip, Identity};
        for (headers, coding) in [
            (&[][..], Identity),
            (&[""], Identity),
            (&["gzip, deflate, br, zstd"], Brotli),
            (&["gzip", "br"], Brotli),
            (&["BR"], Brotli),
            (&["gzip;q=1.0, br;q=0.1"], Brotli),
            (&["gzip, deflate"], Gzip),
            (&["x-gzip"], Identity),
            (&["br;q=0, gzip"], Gzip),
            (&["br; q=0.000 , gzip;Q=0"], Identity),
            (&["*"], Brotli),
            (&["br;q=0, *"], Gzip),
            (&["*;q=0"], Identity),
            (&["gzip, *;q=0"], Gzip),
            (&["identity"], Identity),
            (&["identity;q=0"], Identity),
            (&["br;q=nonsense"], Identity),
            (&["br;q=-1"], Identity),
            (&["br;q=NaN"], Identity),
            (&[",,;;=,"], Identity),
        ] {
            assert_eq!(Coding::accepted(headers), coding, "{headers:?}");
        }
    }
}
