//! `/profiles`: what a page's form can turn a card into.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use cardseal::client::Profile;
use serde::Serialize;

use super::auth::PublicKey;
use super::code::Code;
use super::error::ApiError;
use super::openapi::{Header, Key, Object, Operation, Routes, get, schema};
use super::signed;
use crate::Vault;
use crate::merchant::Mode;
use crate::vault::Offer;
use crate::vendor::sealing_key::SealingKey;

/// `/profiles`
pub(super) fn routes() -> Routes<Arc<Vault>> {
    let operation = Operation::new(
        "showProfile",
        "What a form needs for a vendor's token",
        "Called by pages. A merchant may use the profiles of the vendors that its operator connected it with.",
    );
    let operation = operation
        .key(Key::Public)
        .path("profile", schema::one_of(Profile::ALL.map(Profile::as_str), "Whose token a card becomes."))
        .answers(StatusCode::OK, "The profile.", Object::Profile)
        .with(Header::CacheControl)
        .refuses(&[Code::ProfileNotAllowed]);
    let operation = signed::also(operation);
    Routes::about("Profiles", "Whose token a card becomes: the vault's own, or a vendor's.")
        .at("/profiles/{profile}", [get(show, operation)])
}

/// A profile, with what a form needs for it. With `keys` it is a JWK Set (RFC 7517 section 5), too.
#[derive(Debug, Serialize)]
struct ProfileObject {
    object: &'static str,
    name: &'static str,
    livemode: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<SealingKey>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

/// `GET /profiles/{profile}`
async fn show(
    State(vault): State<Arc<Vault>>,
    PublicKey { merchant, key }: PublicKey,
    profile: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ApiError> {
    let profile = parse(profile)?;
    let offer = vault.offer(&merchant, profile).await?.ok_or(ApiError::ProfileNotAllowed(profile))?;
    // What it says depends on the key, so no cache that others share may keep it.
    let profile_object = ProfileObject::new(offer, merchant.mode);
    let answer: Response = match signed::is_asked(query.as_deref()) {
        true => {
            let path = ["/profiles/", profile.as_str()].concat();
            signed::answer(&vault, &path, Some(&key), &profile_object)?
        }
        false => Json(profile_object).into_response(),
    };
    Ok(([(CACHE_CONTROL, "private, max-age=300")], answer))
}

fn parse(name: Result<Path<String>, PathRejection>) -> Result<Profile, ApiError> {
    name.ok().and_then(|Path(name)| Profile::parse(&name)).ok_or(ApiError::NoSuchProfile)
}

impl ProfileObject {
    fn new(offer: Offer, mode: Mode) -> Self {
        let plain = |profile: Profile| Self {
            object: "profile",
            name: profile.as_str(),
            livemode: mode == Mode::Live,
            keys: None,
            public_key: None,
            address: None,
        };
        match offer {
            Offer::Native(profile) => plain(profile),
            Offer::Omise { public_key, address } => Self {
                public_key: Some(public_key),
                address: Some(address.origin().to_string()),
                ..plain(Profile::Omise)
            },
            Offer::Sealed { profile, keys } => Self { keys: Some(keys), ..plain(profile) },
        }
    }
}
