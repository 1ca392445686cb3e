//! `/callbacks/payment-options`: where Payment Options tells that something has happened to a charge.
//!
//! Its notices have no signature. So they are believed in nothing: the vault asks Payment Options itself.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::StatusCode;
use zeroize::Zeroizing;

use super::body;
use super::error::ApiError;
use super::openapi::{Body, Operation, Routes, post, schema};
use crate::Vault;
use crate::acquirer::{Callback, payment_options};

/// `/callbacks/payment-options`
pub(super) fn routes() -> Routes<Arc<Vault>> {
    let operation = Operation::new(
        "noticeCharge",
        "Something has happened to a charge",
        "Called by Payment Options, at an address that only it was told. Whatever the notice says, the vault asks Payment \
         Options what became of the charge.",
    );
    let operation = operation
        .path("id", schema::matching("^[0-9a-z]+$", "What only Payment Options was told."))
        .body(Body::Anything("The notice. Nothing of it is believed."))
        .says(StatusCode::NO_CONTENT, "The vault looks.");
    Routes::about("Notices", "What acquirers tell the vault.")
        .at("/callbacks/payment-options/{id}", [post(notice, operation)])
}

/// A body of any media type.
struct Notice(Zeroizing<Vec<u8>>);

impl FromRequest<Arc<Vault>> for Notice {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Arc<Vault>) -> Result<Self, ApiError> {
        body::receive(request).await.map(Self)
    }
}

/// `POST /callbacks/payment-options/{id}`
async fn notice(
    State(vault): State<Arc<Vault>>,
    id: Result<Path<String>, PathRejection>,
    Notice(body): Notice,
) -> Result<StatusCode, ApiError> {
    let Path(id) = id.map_err(|_| ApiError::NoSuchRoute)?;
    if vault.called_back(&Callback::hash_of(&id), payment_options::hint(&body)).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NoSuchRoute)
    }
}
