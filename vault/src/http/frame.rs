//! `/frame`: the card fields, for an iframe on a merchant's page.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use cardseal::client::{Pkey, Profile};
use percent_encoding::percent_decode_str;

use super::auth;
use super::code::Code;
use super::error::ApiError;
use super::openapi::{Operation, Routes, get, schema};
use crate::Vault;
use crate::assets::Assets;
use crate::frame::{self, Page, Refusal};
use crate::locale::Locale;
use crate::merchant::{Merchant, Origin};
use crate::sealing_keys::{SealingKeys, of_mode};
use crate::vault::{Failure, Offer};

/// What the page is made of.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) vault: Arc<Vault>,
    pub(super) assets: Option<Arc<Assets>>,
}

/// `/frame`
pub(super) fn routes() -> Routes<Frame> {
    let locales = Locale::ALL.map(Locale::tag).join(", ");
    let operation = Operation::new(
        "showFrame",
        "The page with the card fields",
        "For an iframe that `cardseal.js` makes. Only pages of the merchant's registered origins may show it. Other members of the query change nothing.",
    );
    let html = || schema::text("A page.");
    let operation = operation
        .query("key", schema::text("The merchant's public key."))
        .query(
            "origin",
            schema::text("Where the page around it comes from, for an early word on a wrong one."),
        )
        .query("locale", schema::text(&format!("Its language: {locales}. Else the browser's.")))
        .shows(StatusCode::OK, "The page.", "text/html", html())
        .shows(StatusCode::UNAUTHORIZED, "A page that says what is wrong with the key.", "text/html", html())
        .shows(StatusCode::FORBIDDEN, "A page that says what is wrong with the origin.", "text/html", html())
        .refuses(&[Code::NotFound]);
    Routes::about("Card form", "What browsers load.").at("/frame", [get(show, operation)])
}

/// `GET /frame?key=…&origin=…&locale=…`: the page for a merchant's page, or the one that says why there is none.
///
/// The `origin` only tells a developer early what `frame-ancestors` would enforce without a word; a request without
/// one gets the page.
async fn show(
    State(Frame { vault, assets }): State<Frame>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Page, ApiError> {
    let assets = assets.ok_or(ApiError::NoAssets)?;
    let query = Query(uri.query().unwrap_or_default());
    Ok(match merchant(&vault, query).await? {
        Ok((merchant, key)) => {
            let locale = query.get("locale").and_then(|tag| Locale::of_tag(&tag)).unwrap_or_else(|| {
                let language = headers.get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
                Locale::preferred(language.unwrap_or_default())
            });
            let omise = match vault.offer(&merchant, Profile::Omise).await? {
                Some(Offer::Omise { address, .. }) => Some(address.origin().clone()),
                _ => None,
            };
            let keys = SealingKeys::of(&vault.keys().rings()).published(vault.clock().now());
            let keys = of_mode(&keys, key.is_live());
            frame::page(assets.frame(), &key, &merchant.origins, omise.as_ref(), &keys, locale)
        }
        Err(refusal) => frame::refused(assets.frame(), &refusal),
    })
}

/// The merchant whose page asks, and the key that it asks with.
async fn merchant(vault: &Vault, query: Query<'_>) -> Result<Result<(Merchant, Pkey), Refusal>, Failure> {
    let Some(key) = query.get("key") else { return Ok(Err(Refusal::NoKey)) };
    let key = match Pkey::parse(&key) {
        Ok(key) => key,
        Err(error) => return Ok(Err(Refusal::NotAKey(error))),
    };
    let Some(merchant) = auth::merchant(vault, &key).await? else {
        return Ok(Err(Refusal::UnknownKey(key)));
    };
    Ok(match query.get("origin").map(|text| Origin::parse(&text)) {
        Some(Err(_)) => Err(Refusal::NotAnOrigin(key)),
        Some(Ok(origin)) if !merchant.origins.contains(&origin) => Err(Refusal::UnknownOrigin(key, origin)),
        Some(Ok(_)) | None => Ok((merchant, key)),
    })
}

/// An address's query, as `URLSearchParams` writes it.
#[derive(Clone, Copy)]
struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// The first member of this name. What is not UTF-8 becomes what no key, origin or locale has in it.
    fn get(self, name: &str) -> Option<Cow<'a, str>> {
        let members = self.0.split('&').map(|member| member.split_once('=').unwrap_or((member, "")));
        let (_, value) = members.into_iter().find(|(found, _)| *found == name)?;
        Some(percent_decode_str(value).decode_utf8_lossy())
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        (self.status, self.headers, self.html).into_response()
    }
}
