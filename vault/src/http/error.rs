//! Every error the vault answers with, in the shape of Omise's.

use std::any::Any;

use axum::Json;
use axum::http::HeaderValue;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use cardseal::client::Profile;
use serde::Serialize;
use thiserror::Error;

use super::auth::AuthenticationFailure;
use super::body::BadRequest;
use super::card::CardProblems;
use super::code::Code;
use super::limit::Exceeded;
use crate::acquirer::Unacceptable;
use crate::charge::Amount;
use crate::id::TokenId;
use crate::idempotency::NotAKey;
use crate::pci_token::NotACorrelationId;
use crate::seal;
use crate::store::{StoreError, Trouble};
use crate::token::UsedBy;
use crate::vault::{Failure, KeepError, MOST_WEBHOOKS, NotATestCard, TokenizeError, TooManyAlike};
use crate::vendor::Failed;
use crate::vendor::fault::Fault;
use crate::vendor::token::NotAnUpdate;
use crate::webhook::NotAWebhookUrl;

/// Why a request was not fulfilled. Nothing of the request but its form, and never a value, is in a message.
#[derive(Debug, Error)]
pub(super) enum ApiError {
    /// The operator's fault. Nothing was used; trying again helps once an acquirer is set up.
    #[error("no acquirer takes this merchant's live charges yet; the token was not used")]
    AcquirerNotConfigured,
    /// The sender's fault.
    #[error("the seal was passed on to the vendor for another merchant; seal again")]
    AnothersSeal,
    /// The caller's fault.
    #[error(transparent)]
    Authentication(#[from] AuthenticationFailure),
    /// The caller's fault.
    #[error(transparent)]
    BadRequest(#[from] BadRequest),
    /// The caller's fault.
    #[error("the body is larger than 8 KiB")]
    BodyTooLarge,
    /// The vault's fault, or its load's. Trying again after the time in `Retry-After` helps.
    #[error("the vault is busy; try again")]
    Busy,
    /// The operator's fault. Nothing was done; trying again helps once the database is one that can be written.
    #[error("the vault's database takes nothing in at present; try again")]
    DatabaseReadOnly,
    /// The vault's fault, or its network's. Looking tells what was done.
    #[error(
        "the vault's database did not say whether this was done; look it up, or ask again with the same seal or Idempotency-Key"
    )]
    DatabaseSilent,
    /// The operator's fault. Nothing was done; trying again helps once there is space.
    #[error("the vault's disk is full; try again")]
    DiskFull,
    /// The caller's or the operator's fault.
    #[error(
        "this merchant's cards have to be sealed; add the merchant with --clear-card if it may send clear ones"
    )]
    ClearCardNotAllowed,
    /// The caller's fault.
    #[error("the customer has no card to charge; add one with a token, tokn_…")]
    CustomerWithoutCard,
    /// The fault of a clock, or of who kept the seal. A new seal helps.
    #[error(
        "the seal's time is more than 5 minutes away from the vault's, which is in the Date header; seal again"
    )]
    ExpiredSeal,
    /// The caller's fault. What the first request made stays as it is.
    #[error("the Idempotency-Key was used for another request; nothing was done")]
    IdempotencyMismatch,
    /// The caller's fault.
    #[error("the request's head is larger than 16 KiB, or has more than 64 headers")]
    HeadTooLarge,
    /// The vault's fault. Trying again may help.
    #[error("the vault failed; the request id tells its operator where to look")]
    Internal(Failure),
    /// The caller's fault.
    #[error("amount is a whole number of the currency's smallest unit, from 1 to {max}", max = Amount::MAX)]
    InvalidAmount,
    /// The caller's fault.
    #[error("the PCI token is deleted; its card is gone")]
    DeletedPciToken,
    /// The caller's fault.
    #[error("the token is deleted")]
    DeletedVendorToken,
    /// The cardholder's fault.
    #[error(transparent)]
    InvalidCard(#[from] CardProblems),
    /// The caller's fault.
    #[error(transparent)]
    InvalidIdempotencyKey(#[from] NotAKey),
    /// The caller's fault.
    #[error("url {0}")]
    InvalidWebhookUrl(#[from] NotAWebhookUrl),
    /// The caller's fault.
    #[error("the seal does not open")]
    InvalidSeal,
    /// The vendor's or the network's. The same sealed card is never sent again; another seal may make a second token.
    #[error("it is not known whether {} made a token of this seal", .0.as_str())]
    LostVendorToken(Profile),
    /// The caller's fault.
    #[error("this path does not take this method; the Allow header has those it takes")]
    MethodNotAllowed,
    /// The caller's fault.
    #[error("card is missing: it names the token to charge, tokn_…, or customer names whose card")]
    MissingCard,
    /// The vendor's fault, or the operator's, who agreed on it.
    #[error("the access token of /oauth2/token is missing, or has ended")]
    NoCallbackAccess,
    /// The vendor's fault, or that of what is assumed of it here.
    #[error(transparent)]
    NotAnUpdate(#[from] NotAnUpdate),
    /// The operator's to put right.
    #[error("this vault serves no card form: start it with --assets and the folder pkg/ of a release")]
    NoAssets,
    /// The vault's fault, or its load's. Trying again after the time in `Retry-After` helps.
    #[error(
        "the vault is busy; this try takes no money; try again, with the same Idempotency-Key if it has one"
    )]
    NotCharged,
    /// The caller's fault.
    #[error("card was not found")]
    NoSuchCard,
    /// The caller's fault.
    #[error("charge was not found")]
    NoSuchCharge,
    /// The caller's fault.
    #[error("customer was not found")]
    NoSuchCustomer,
    /// The caller's fault.
    #[error("event was not found")]
    NoSuchEvent,
    /// The caller's fault.
    #[error("there is nothing at this path")]
    NoSuchRoute,
    /// The caller's fault.
    #[error("PCI token was not found")]
    NoSuchPciToken,
    /// The caller's fault.
    #[error(transparent)]
    NotACorrelationId(#[from] NotACorrelationId),
    /// The caller's fault.
    #[error("this x-correlation-id came before with another card; each request has one of its own")]
    RepeatedCorrelationId,
    /// The caller's fault.
    #[error("merchantId is not the id of the key's merchant, which merchant list shows")]
    WrongMerchantId,
    /// The caller's fault.
    #[error("there is no such profile")]
    NoSuchProfile,
    /// The operator's to put right, or the caller's to use another profile.
    #[error("this merchant has no account with {}, so its pages may not use this profile", .0.as_str())]
    ProfileNotAllowed(Profile),
    /// The caller's fault.
    #[error("token was not found")]
    NoSuchToken,
    /// The caller's fault.
    #[error("token was not found")]
    NoSuchVendorToken,
    /// The caller's fault.
    #[error("webhook was not found")]
    NoSuchWebhook,
    /// Nobody's fault: it is starting, or waits for its custodians. Trying again after the time in `Retry-After` may help.
    #[error("the vault does not serve yet; try again")]
    NotOpen,
    /// The operator's to put right, or the caller's to use another key.
    #[error("this key may not do this; keys add --scope gives one that may")]
    NotPermitted,
    /// The page's or the operator's fault.
    #[error(
        "this page's origin is not one of the merchant's; merchant origins --origin registers all of them at once"
    )]
    OriginNotAllowed,
    /// The sender's fault.
    #[error("the seal's jti was used for another card; seal again with a new one")]
    ReplayedSeal,
    /// The caller's fault, or its network's. Trying again may help.
    #[error("the body did not arrive in time")]
    RequestTimeout,
    /// The fault of the caller, or of whoever shares its key or address. Trying again after the time in `Retry-After`
    /// helps.
    #[error(transparent)]
    TooManyRequests(#[from] Exceeded),
    /// The fault of whoever searches for a number, or shares a network with somebody who does. Trying again after the
    /// time in `Retry-After` helps.
    #[error("{0}; try again in {seconds} s", seconds = .0.wait.as_secs())]
    TooManyAlike(#[from] TooManyAlike),
    /// The caller's fault.
    #[error("there are {MOST_WEBHOOKS} webhooks already; delete one first")]
    TooManyWebhooks,
    /// The fault of nobody: keys are replaced. Fetching the keys and sealing again helps.
    #[error("the seal's key is not known; fetch /.well-known/jwks.json and seal again")]
    UnknownKid,
    /// The caller's fault.
    #[error(
        "the body is application/json or application/x-www-form-urlencoded in UTF-8, not compressed, and Content-Type says which"
    )]
    UnsupportedMediaType,
    /// The caller's fault. Looking the charge up tells what became of it.
    #[error("token {token} was already used, for {by}")]
    UsedToken {
        /// The token.
        token: TokenId,
        /// What used it.
        by: UsedBy,
    },
    /// The vendor's, the operator's or the cardholder's fault; asking again helps if the vendor is busy.
    #[error("{}", vendor_message(.0))]
    Vendor(Failed),
    /// The operator's to put right.
    #[error("this is not set up with the vendor")]
    VendorNotSetUp,
    /// The page's fault.
    #[error("the card was sealed for another public key than the request's, or than its merchant has")]
    WrongMerchant,
}

impl ApiError {
    /// Its body, for where no response can be made.
    pub(super) fn to_json(&self) -> String {
        let ErrorObject { object, location, code, message, vendor: _ } = self.object();
        serde_json::json!({ "object": object, "location": location, "code": code, "message": message })
            .to_string()
    }

    fn object(&self) -> ErrorObject {
        let code = self.code();
        ErrorObject {
            object: "error",
            location: format!("/docs/errors#{}", code.anchor()),
            code: code.as_str(),
            message: self.to_string(),
            vendor: self.vendor(),
        }
    }

    fn vendor(&self) -> Option<VendorObject> {
        match self {
            Self::LostVendorToken(profile) => {
                Some(VendorObject { name: profile.as_str(), status: None, code: None, correlation_id: None })
            }
            Self::Vendor(failed) => {
                let Fault { profile, status, code, correlation_id } = failed.fault();
                Some(VendorObject {
                    name: profile.as_str(),
                    status: status.map(|status| status.as_u16()),
                    code: code.as_ref().map(|code| code.as_str().into()),
                    correlation_id: Some(correlation_id.as_str().into()),
                })
            }
            _ => None,
        }
    }

    pub(super) const fn code(&self) -> Code {
        match self {
            Self::AcquirerNotConfigured => Code::AcquirerNotConfigured,
            Self::Authentication(_) | Self::NoCallbackAccess => Code::AuthenticationFailure,
            Self::BadRequest(_)
            | Self::NotAnUpdate(_)
            | Self::InvalidIdempotencyKey(_)
            | Self::InvalidWebhookUrl(_)
            | Self::TooManyWebhooks => Code::BadRequest,
            Self::BodyTooLarge => Code::BodyTooLarge,
            Self::Busy
            | Self::DatabaseReadOnly
            | Self::DatabaseSilent
            | Self::DiskFull
            | Self::NotCharged
            | Self::NotOpen => Code::ServiceUnavailable,
            Self::ClearCardNotAllowed => Code::ClearCardNotAllowed,
            Self::CustomerWithoutCard | Self::MissingCard => Code::MissingCard,
            Self::ExpiredSeal => Code::ExpiredSeal,
            Self::IdempotencyMismatch => Code::IdempotencyMismatch,
            Self::HeadTooLarge => Code::HeadTooLarge,
            Self::Internal(_) => Code::InternalError,
            Self::InvalidAmount => Code::InvalidAmount,
            Self::DeletedPciToken | Self::DeletedVendorToken => Code::DeletedToken,
            Self::LostVendorToken(_) | Self::Vendor(Failed::Unknown(_)) => Code::VendorOutcomeUnknown,
            Self::Vendor(Failed::Card(_)) => Code::InvalidCard,
            Self::Vendor(Failed::Missing(_) | Failed::Refused(_)) => Code::VendorRefused,
            Self::Vendor(Failed::Unavailable(_)) => Code::VendorUnavailable,
            Self::InvalidCard(_) => Code::InvalidCard,
            Self::NoSuchPciToken => Code::NotFound,
            Self::ProfileNotAllowed(_) => Code::ProfileNotAllowed,
            Self::NotACorrelationId(_) => Code::BadRequest,
            Self::RepeatedCorrelationId => Code::RepeatedRequest,
            Self::WrongMerchantId => Code::WrongMerchant,
            Self::InvalidSeal => Code::InvalidSeal,
            Self::MethodNotAllowed => Code::MethodNotAllowed,
            Self::NoAssets
            | Self::NoSuchEvent
            | Self::NoSuchWebhook
            | Self::NoSuchCard
            | Self::NoSuchCharge
            | Self::NoSuchCustomer
            | Self::NoSuchProfile
            | Self::NoSuchRoute
            | Self::NoSuchToken
            | Self::NoSuchVendorToken
            | Self::VendorNotSetUp => Code::NotFound,
            Self::NotPermitted => Code::NotPermitted,
            Self::OriginNotAllowed => Code::OriginNotAllowed,
            Self::AnothersSeal | Self::ReplayedSeal => Code::ReplayedSeal,
            Self::RequestTimeout => Code::RequestTimeout,
            Self::TooManyAlike(_) | Self::TooManyRequests(_) => Code::TooManyRequests,
            Self::UnknownKid => Code::UnknownKid,
            Self::UnsupportedMediaType => Code::UnsupportedMediaType,
            Self::UsedToken { .. } => Code::UsedToken,
            Self::WrongMerchant => Code::WrongMerchant,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Internal(failure) = &self {
            tracing::error!(%failure, "a request failed");
        }
        let code = self.code();
        let mut response = (code.status(), Json(self.object())).into_response();
        response.extensions_mut().insert(code);
        match self {
            Self::Authentication(_) => {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
            }
            Self::NoCallbackAccess => {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::Busy | Self::NotCharged => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::DatabaseReadOnly | Self::DatabaseSilent | Self::DiskFull | Self::NotOpen => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::TooManyAlike(TooManyAlike { wait }) => {
                response.headers_mut().insert(RETRY_AFTER, wait.as_secs().into());
            }
            Self::TooManyRequests(exceeded) => {
                response.headers_mut().insert(RETRY_AFTER, exceeded.seconds.into());
            }
            _ => {}
        }
        response
    }
}

/// RFC 7617 section 2.1.
const CHALLENGE: &str = "Basic realm=\"cardseal-vault\", charset=\"UTF-8\"";

#[derive(Serialize)]
struct ErrorObject {
    object: &'static str,
    location: String,
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<VendorObject>,
}

/// What a vendor said, as far as anybody outside may know it.
#[derive(Serialize)]
struct VendorObject {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
}

fn vendor_message(failed: &Failed) -> String {
    let name = failed.fault().profile.as_str();
    match failed {
        Failed::Card(_) => format!("{name} does not take this card"),
        Failed::Missing(_) => format!("{name} knows of no such thing"),
        Failed::Refused(_) => format!("{name} refused"),
        Failed::Unavailable(_) => format!("{name} cannot be reached or is busy; try again"),
        Failed::Unknown(_) => format!("it is not known what {name} did"),
    }
}

/// The answer to a request whose handler panicked. What the panic says may come from anywhere, so it is not shown.
pub(super) fn panicked(_: Box<dyn Any + Send>) -> Response {
    ApiError::Internal(Failure::Panicked).into_response()
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) if error.is_temporary() => {
                tracing::error!(%error, "the database failed a request");
                match error.trouble() {
                    Some(Trouble::Busy) => Self::Busy,
                    Some(Trouble::Full) => Self::DiskFull,
                    Some(Trouble::ReadOnly) => Self::DatabaseReadOnly,
                    None => Self::DatabaseSilent,
                }
            }
            failure => Self::Internal(failure),
        }
    }
}

impl From<seal::Refused> for ApiError {
    fn from(refused: seal::Refused) -> Self {
        match refused {
            seal::Refused::Card(field, reason) => Self::InvalidCard(CardProblems::of_sealed(field, reason)),
            seal::Refused::Expired => Self::ExpiredSeal,
            seal::Refused::Invalid => Self::InvalidSeal,
            seal::Refused::UnknownKid => Self::UnknownKid,
            seal::Refused::WrongMerchant => Self::WrongMerchant,
        }
    }
}

impl From<KeepError> for ApiError {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Failure(failure) => failure.into(),
            KeepError::Mismatch => Self::IdempotencyMismatch,
            KeepError::UnknownCard => Self::NoSuchCard,
            KeepError::UnknownCustomer => Self::NoSuchCustomer,
            KeepError::UnknownToken => Self::NoSuchToken,
            KeepError::Used { token, by } => Self::UsedToken { token, by },
        }
    }
}

impl From<Unacceptable> for ApiError {
    fn from(why: Unacceptable) -> Self {
        match why {
            Unacceptable::Currency => {
                BadRequest::Refused("currency", "is not one that the acquirer takes").into()
            }
            Unacceptable::Missing(member) => BadRequest::Missing(member.as_str()).into(),
            Unacceptable::NoWayBack => BadRequest::Refused(
                "browser_info",
                "is of no use: the vault's operator has set no address at which the acquirer calls back",
            )
            .into(),
            Unacceptable::NumberTooLong => Self::InvalidCard(CardProblems::number_too_long()),
            Unacceptable::TooLong(member) => {
                BadRequest::Refused(member.as_str(), "is longer than the acquirer takes").into()
            }
        }
    }
}

impl From<NotATestCard> for ApiError {
    fn from(NotATestCard: NotATestCard) -> Self {
        Self::InvalidCard(CardProblems::not_a_test_card())
    }
}

impl From<TokenizeError> for ApiError {
    fn from(error: TokenizeError) -> Self {
        match error {
            TokenizeError::Failure(failure) => failure.into(),
            TokenizeError::NotATestCard(no_test_card) => no_test_card.into(),
            TokenizeError::Replayed => Self::ReplayedSeal,
            TokenizeError::TooManyAlike(alike) => alike.into(),
        }
    }
}
