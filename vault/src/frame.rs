//! The page that a merchant's page shows in an iframe, and the one that it gets instead.
//!
//! Only parsed values are ever written into either: none of their characters means anything in HTML or in a header.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use cardseal::client::{Pkey, PkeyError};
use cardseal::seal::KeySet;

use crate::assets::{Asset, CROSS_ORIGIN_RESOURCE_POLICY, Coding, FrameFiles, Naming};
use crate::locale::Locale;
use crate::merchant::Origin;

/// An answer to a browser that asked for the frame.
#[derive(Clone, Debug)]
pub struct Page {
    /// How it went.
    pub status: StatusCode,
    /// What keeps the page to itself.
    pub headers: HeaderMap,
    /// The page.
    pub html: String,
}

/// The page with the card fields, for a merchant's registered origins. It may talk to the vault, and to `omise` where the
/// merchant has an account there. It brings along the keys that it seals to.
#[must_use]
pub fn page(
    files: &FrameFiles,
    key: &Pkey,
    origins: &[Origin],
    omise: Option<&Origin>,
    keys: &KeySet,
    locale: Locale,
) -> Page {
    let origins = origins.iter().map(Origin::as_str).collect::<Vec<_>>().join(" ");
    let (chosen, others): (Vec<_>, Vec<_>) = files.locales().partition(|(other, _)| *other == locale);
    let texts: String = chosen.into_iter().chain(others).map(|texts| texts_link(texts, locale)).collect();
    let html = format!(
        r#"<!doctype html>
<html lang="{language}" data-key="{key}" data-origins="{origins}" data-keys='{keys}'>
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Card</title>
<link data-asset="wasm" {PRELOAD} type="application/wasm" {wasm}>
{texts}{script}
</head><body></body></html>
"#,
        language = locale.tag(),
        key = key.as_str(),
        keys = attribute(keys),
        wasm = data(&files.wasm),
        script = script(&files.script),
    );
    // Without an origin nobody may show the page, which an empty list would not say.
    let ancestors = if origins.is_empty() { "'none'" } else { &origins };
    let omise = omise.map(|origin| format!(" {origin}")).unwrap_or_default();
    let sources = format!("script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'{omise}");
    let headers = headers(&sources, ancestors);
    Page { status: StatusCode::OK, headers, html }
}

/// Keys as JSON in an attribute between single quotes. The vault's have neither of the two in them.
fn attribute(keys: &KeySet) -> String {
    let json = serde_json::to_string(keys).unwrap_or_default();
    json.replace('&', "&amp;").replace('\'', "&#39;")
}

/// Why a merchant's page gets no card fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The page's fault: no key was sent.
    NoKey,
    /// The page's fault: what was sent as key is none.
    NotAKey(PkeyError),
    /// The page's fault, or the operator's: no merchant has this key.
    UnknownKey(Pkey),
    /// The page's fault: what was sent as its origin is none, as for a file on a disk.
    NotAnOrigin(Pkey),
    /// The operator's to put right: the page's origin is not one of the merchant's.
    UnknownOrigin(Pkey, Origin),
}

impl Refusal {
    /// Whose word it is, in the vault's codes.
    const fn code(&self) -> &'static str {
        match self {
            Self::NoKey | Self::NotAKey(_) | Self::UnknownKey(_) => "authentication_failure",
            Self::NotAnOrigin(_) | Self::UnknownOrigin(..) => "origin_not_allowed",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::NoKey | Self::NotAKey(_) | Self::UnknownKey(_) => StatusCode::UNAUTHORIZED,
            Self::NotAnOrigin(_) | Self::UnknownOrigin(..) => StatusCode::FORBIDDEN,
        }
    }

    /// What is wrong and what to do, for a developer.
    fn sentence(&self) -> String {
        match self {
            Self::NoKey => {
                "No card fields: the page gave no public key. It takes the pkey_… that the vault's operator \
                            was shown when the merchant was added."
                    .into()
            }
            Self::NotAKey(error) => format!("No card fields: {error}."),
            Self::UnknownKey(key) => format!(
                "No card fields: this vault has no merchant with the public key {}. Check the key and the vault's \
                 address; the vault's operator sees the keys with: cardseal-vault merchant list --data-dir DIR",
                key.as_str()
            ),
            Self::NotAnOrigin(key) => format!(
                "No card fields: the page has no origin that could be registered for {}. Serve it over https, or from \
                 http://localhost, instead of opening it as a file or in a sandbox.",
                key.as_str()
            ),
            Self::UnknownOrigin(key, origin) => format!(
                "No card fields: {origin} is not registered for {key}. The vault's operator registers all origins of \
                 the shop's pages at once with: cardseal-vault merchant origins --data-dir DIR --key {key} --origin \
                 {origin} --origin …",
                key = key.as_str()
            ),
        }
    }
}

/// The page that says why there are no card fields. Any page may show it, as there is nothing in it to steal.
#[must_use]
pub fn refused(files: &FrameFiles, refusal: &Refusal) -> Page {
    let html = format!(
        r#"<!doctype html>
<html lang="en" data-code="{code}">
<head><meta charset="utf-8"><title>No card fields</title>
{script}
</head><body><p>{sentence}</p></body></html>
"#,
        code = refusal.code(),
        script = script(&files.refused),
        sentence = refusal.sentence(),
    );
    Page { status: refusal.status(), headers: headers("script-src 'self'", "*"), html }
}

/// How a file is fetched ahead of the script's own fetch, which checks its digest.
const PRELOAD: &str = r#"rel="preload" as="fetch" crossorigin="anonymous""#;

fn texts_link((locale, asset): (Locale, &Asset), chosen: Locale) -> String {
    let preload =
        if locale == chosen { format!(r#"{PRELOAD} type="application/json" "#) } else { String::new() };
    let (language, texts) = (locale.tag(), data(asset));
    format!("<link data-asset=\"locale\" hreflang=\"{language}\" {preload}{texts}>\n")
}

fn script(asset: &Asset) -> String {
    let (name, integrity) = address(asset);
    format!(
        r#"<script type="module" crossorigin="anonymous" src="/v1/{name}" integrity="{integrity}"></script>"#
    )
}

/// Where a file lies that the script fetches, and the digest to fetch it with. The attribute is not `integrity`: browsers
/// do not heed that one here, and Chromium complains of it to every page.
fn data(asset: &Asset) -> String {
    let (name, integrity) = address(asset);
    format!(r#"href="/v1/{name}" data-integrity="{integrity}""#)
}

/// A name that only these bytes have, and their digest.
fn address(asset: &Asset) -> (String, String) {
    (asset.name(Naming::Hashed).to_string(), asset.form(Coding::Identity).integrity.to_string())
}

/// What keeps a page to itself. There is no `style-src`: the form makes its style sheets by script.
#[expect(clippy::expect_used, reason = "origins are visible ASCII, and the rest is written here")]
fn headers(sources: &str, ancestors: &str) -> HeaderMap {
    let policy = format!(
        "default-src 'none'; {sources}; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    );
    let mut headers: HeaderMap = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (VARY, "Accept-Language"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"),
        (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
    .into_iter()
    .collect();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::try_from(policy).expect("a policy"));
    headers
}

/// What browsers let a policy turn off (W3C Permissions Policy) is off: a form needs none of it. Those that a browser
/// does not know yet stay out, as it complains of each on the merchant's console.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), clipboard-read=(), \
    clipboard-write=(), display-capture=(), encrypted-media=(), fullscreen=(), gamepad=(), geolocation=(), \
    gyroscope=(), hid=(), identity-credentials-get=(), idle-detection=(), local-fonts=(), magnetometer=(), \
    microphone=(), midi=(), otp-credentials=(), payment=(), picture-in-picture=(), \
    publickey-credentials-create=(), publickey-credentials-get=(), screen-wake-lock=(), serial=(), \
    storage-access=(), sync-xhr=(), usb=(), window-management=(), xr-spatial-tracking=()";
