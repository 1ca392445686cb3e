//! `/profiles/{profile}/tokens`: vendors' tokens that cards become on their way through the vault.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use cardseal::client::Profile;
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::auth::{Detokenizer, Payer, PublicKey, Secret};
use super::body::{BadRequest, Params};
use super::card::{JWE, SEALED_EXAMPLE};
use super::code::Code;
use super::error::ApiError;
use super::openapi::{Body, Key, Object, Operation, Routes, delete, get, post, schema};
use crate::Vault;
use crate::object::VendorTokenObject;
use crate::token::Line;
use crate::vault::{Use, VendorTokenError};
use crate::vendor::account::Name;
use crate::vendor::thales_d1::Credentials;
use crate::vendor::token::Relayed;

/// `/profiles/{profile}/tokens`
pub(super) fn routes() -> Routes<Arc<Vault>> {
    let relayed = [Relayed::ThalesD1, Relayed::ThalesPci];
    let at = |operation: Operation, key: Key, profiles: &[Relayed]| {
        let names = profiles.iter().map(|vendor| vendor.profile().as_str());
        operation
            .key(key)
            .path("profile", schema::one_of(names, "Whose token it is."))
            .refuses(&[Code::ProfileNotAllowed, Code::VendorOutcomeUnknown, Code::VendorRefused])
            .refuses(&[Code::VendorUnavailable])
    };
    let of_one = |operation: Operation, profiles: &[Relayed]| {
        at(operation, Key::Secret, profiles)
            .path("id", schema::matching(NAME, "The vendor's token."))
            .refuses(&[Code::DeletedToken])
    };
    let made = Operation::new(
        "createVendorToken",
        "A vendor's token for a card",
        "Called by pages. The card is sealed to a key of the profile, as the vendor's documents say; the vault passes \
         it on and cannot open it. The same seal again brings the same token, whatever became of the first answer; \
         another merchant's is refused.",
    );
    let made = at(made, Key::Public, &relayed)
        .body(Body::new(
            &[("encryptedData", schema::matching(JWE, "The sealed card."))],
            &[],
            json!({ "encryptedData": SEALED_EXAMPLE }),
        ))
        .answers(StatusCode::OK, "The token.", Object::VendorToken)
        .refuses(&[Code::InvalidCard, Code::InvalidSeal, Code::ReplayedSeal, Code::UnknownKid]);
    let about = "With what the vendor has told of it.";
    let look = Operation::new("showVendorToken", "A vendor's token", about)
        .key(Key::Secret)
        .path(
            "profile",
            schema::one_of(relayed.map(|vendor| vendor.profile().as_str()), "Whose token it is."),
        )
        .path("id", schema::matching(NAME, "The vendor's token."))
        .answers(StatusCode::OK, "The token.", Object::VendorToken);
    let about =
        "At the vendor, and here. Where it is not known whether the vendor did it, asking again is safe.";
    let end = of_one(Operation::new("deleteVendorToken", "Delete a vendor's token", about), &relayed)
        .says(StatusCode::NO_CONTENT, "It is deleted.");
    let about = "For `thales-pci`, where it is set up. Takes a key with the scope `detokenize`. The audit keeps who \
                 asked, and the reason. The card is sealed to the merchant's own key at Thales.";
    let opened =
        of_one(Operation::new("detokenizeVendorToken", "The card, sealed", about), &[Relayed::ThalesPci])
            .body(Body::new(
                &[("reason", schema::line("Why the card is needed."))],
                &[],
                json!({ "reason": "network tokenization" }),
            ))
            .answers(StatusCode::OK, "The sealed card.", Object::SealedCard);
    let about = "For `thales-d1`. Takes a key with the scope `pay`. The audit keeps who asked, and the reason. A payment alone, and the first of several, gets a cryptogram of its own; those that \
                 follow get number and expiry as they are now, which change when the card is renewed or replaced.";
    let first = schema::truth("With `recurring`: whether it is the first payment. True unless it is said.");
    let paid = of_one(Operation::new("payWithVendorToken", "What to pay with", about), &[Relayed::ThalesD1])
        .body(Body::new(
            &[
                ("use", schema::one_of(["one_time", "recurring"], "One payment, or one of several.")),
                ("reason", schema::line("Why it is needed.")),
            ],
            &[("first", first)],
            json!({ "use": "recurring", "first": false, "reason": "order 1043" }),
        ))
        .answers(StatusCode::OK, "What stands in the card's place.", Object::PaymentCredentials);
    Routes::about(
        "Vendors' tokens",
        "Tokens of Thales that cards become through the vault, which passes them on sealed.",
    )
    .at("/profiles/{profile}/tokens", [post(create, made)])
    .at("/profiles/{profile}/tokens/{id}", [get(show, look), delete(delete_one, end)])
    .at("/profiles/{profile}/tokens/{id}/detokenize", [post(detokenize, opened)])
    .at("/profiles/{profile}/tokens/{id}/cryptograms", [post(pay, paid)])
}

/// A [`Name`].
const NAME: &str = "^[A-Za-z0-9._~-]{1,128}$";

/// A card on its way to whoever has the key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SealedCardObject {
    object: &'static str,
    profile: &'static str,
    id: String,
    encrypted_data: String,
}

/// What stands in a card's place for a payment; wiped once it is sent.
#[derive(Serialize)]
struct PaymentCredentialsObject {
    object: &'static str,
    profile: &'static str,
    id: String,
    dpan: Zeroizing<String>,
    expiry: String,
    cryptogram: Option<Zeroizing<String>>,
}

/// `POST /profiles/{profile}/tokens`: a sealed card for a vendor's token.
async fn create(
    State(vault): State<Arc<Vault>>,
    PublicKey { merchant, .. }: PublicKey,
    profile: Result<Path<String>, PathRejection>,
    mut params: Params,
) -> Result<Json<VendorTokenObject>, ApiError> {
    let vendor = profile.ok().and_then(|Path(name)| relayed(&name)).ok_or(ApiError::NoSuchProfile)?;
    let jwe = params.text("encryptedData")?.ok_or(BadRequest::Missing("encryptedData"))?;
    params.finish()?;
    let mode = merchant.mode;
    let token = vault.pass_on(merchant, vendor, jwe.to_string()).await?;
    Ok(Json(VendorTokenObject::for_page(&token, mode)))
}

/// `GET /profiles/{profile}/tokens/{id}`: what the vendor has told of a token.
async fn show(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, .. }: Secret,
    place: Place,
) -> Result<Json<VendorTokenObject>, ApiError> {
    let (vendor, id) = parse(place)?;
    let token = vault.vendor_token(&merchant, vendor, &id).await?.ok_or(ApiError::NoSuchVendorToken)?;
    Ok(Json(VendorTokenObject::new(&token, merchant.mode)))
}

/// `DELETE /profiles/{profile}/tokens/{id}`: deletes it, at the vendor too.
async fn delete_one(
    State(vault): State<Arc<Vault>>,
    Secret { merchant, by }: Secret,
    place: Place,
) -> Result<StatusCode, ApiError> {
    let (vendor, id) = parse(place)?;
    vault.delete_vendor_token(merchant, by, vendor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /profiles/thales-pci/tokens/{id}/detokenize`: the card, sealed, for a key that may, and for a reason.
async fn detokenize(
    State(vault): State<Arc<Vault>>,
    Detokenizer { merchant, by }: Detokenizer,
    place: Place,
    mut params: Params,
) -> Result<Json<SealedCardObject>, ApiError> {
    let id = of(place, Relayed::ThalesPci)?;
    let reason = params.text("reason")?.ok_or(BadRequest::Missing("reason"))?;
    let reason = Line::parse(&reason).map_err(|why| params.malformed("reason", why))?;
    params.finish()?;
    let encrypted_data = vault.detokenize_vendor_token(&merchant, by, &id, reason).await?;
    let profile = Relayed::ThalesPci.profile().as_str();
    Ok(Json(SealedCardObject { object: "sealed_card", profile, id: id.as_str().into(), encrypted_data }))
}

/// `POST /profiles/thales-d1/tokens/{id}/cryptograms`: what a payment is made with, for a key that may, and for a reason.
async fn pay(
    State(vault): State<Arc<Vault>>,
    Payer { merchant, by }: Payer,
    place: Place,
    mut params: Params,
) -> Result<Json<PaymentCredentialsObject>, ApiError> {
    let id = of(place, Relayed::ThalesD1)?;
    let purpose = purpose(&mut params)?;
    let reason = params.text("reason")?.ok_or(BadRequest::Missing("reason"))?;
    let reason = Line::parse(&reason).map_err(|why| params.malformed("reason", why))?;
    params.finish()?;
    let Credentials { dpan, expiry, cryptogram } =
        vault.payment_credentials(&merchant, by, &id, purpose, reason).await?;
    // EXPOSE: what the merchant's server pays with, which it asked for; the audit says so.
    let (dpan, cryptogram) =
        (dpan.expose().to_owned(), cryptogram.map(|cryptogram| cryptogram.expose().to_owned()));
    Ok(Json(PaymentCredentialsObject {
        object: "payment_credentials",
        profile: Relayed::ThalesD1.profile().as_str(),
        id: id.as_str().into(),
        dpan: Zeroizing::new(dpan),
        expiry: expiry.mmyy(),
        cryptogram: cryptogram.map(Zeroizing::new),
    }))
}

fn purpose(params: &mut Params) -> Result<Use, BadRequest> {
    let purpose = params.text("use")?.ok_or(BadRequest::Missing("use"))?;
    match purpose.as_str() {
        // A `first` beside it is left over, and refused.
        "one_time" => Ok(Use::OneTime),
        "recurring" => Ok(match params.truth("first")? {
            None | Some(true) => Use::RecurringFirst,
            Some(false) => Use::RecurringLater,
        }),
        _ => Err(params.wrong_type("use", "one_time or recurring")),
    }
}

/// The parts of a path: whose token, and which.
type Place = Result<Path<(String, String)>, PathRejection>;

fn parse(place: Place) -> Result<(Relayed, Name), ApiError> {
    let Ok(Path((profile, id))) = place else { return Err(ApiError::NoSuchVendorToken) };
    let vendor = relayed(&profile).ok_or(ApiError::NoSuchProfile)?;
    Ok((vendor, Name::parse(&id).ok_or(ApiError::NoSuchVendorToken)?))
}

/// The token of a path that is one vendor's only.
fn of(place: Place, vendor: Relayed) -> Result<Name, ApiError> {
    match parse(place)? {
        (named, id) if named == vendor => Ok(id),
        _ => Err(ApiError::NoSuchRoute),
    }
}

fn relayed(profile: &str) -> Option<Relayed> {
    Profile::parse(profile).and_then(Relayed::of)
}

impl From<VendorTokenError> for ApiError {
    fn from(error: VendorTokenError) -> Self {
        match error {
            VendorTokenError::Anothers => Self::AnothersSeal,
            VendorTokenError::Deleted => Self::DeletedVendorToken,
            VendorTokenError::Failure(failure) => failure.into(),
            VendorTokenError::Lost(vendor) => Self::LostVendorToken(vendor.profile()),
            VendorTokenError::Missing => Self::NoSuchVendorToken,
            VendorTokenError::NotAllowed(vendor) => Self::ProfileNotAllowed(vendor.profile()),
            VendorTokenError::NotSetUp => Self::VendorNotSetUp,
            VendorTokenError::Refused(refused) => refused.into(),
            VendorTokenError::UnderWay => Self::Busy,
            VendorTokenError::Vendor(failed) => Self::Vendor(failed),
        }
    }
}
