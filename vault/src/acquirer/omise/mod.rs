//! Omise, with the merchant's own keys there: a token for the card, whose name is noted, and then the charge. Whatever
//! becomes of the answer, the token tells whether it was charged.
//!
//! - [`answer`]: what its answers come to.

mod answer;

use std::sync::Arc;

use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use base64ct::{Base64, Encoding};
use cardseal::card::SecurityCode;
use serde::Serialize;
use serde_json::json;
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::{
    Acquirer, Answer, Found, Inquiry, Instrument, Journal, Member, NotNoted, Outcome, Payment, Prospect,
    Reference, Said, Unacceptable,
};
use crate::charge::FailureCode;
use crate::token::Line;
use crate::vendor::account::{self, Secret};
use crate::vendor::backoff::Backoff;
use crate::vendor::http::{Client, Lost, Reply, Request};
use crate::vendor::settings;

use answer::{Asked, to_charge, to_charge_inquiry, to_token, to_token_inquiry};

/// A merchant's account at Omise.
#[derive(Debug)]
pub struct Omise {
    client: Arc<Client>,
    settings: settings::Omise,
    public_key: Secret,
    secret_key: Secret,
}

/// The version of its API that this was written for.
const VERSION: HeaderValue = HeaderValue::from_static("2019-05-29");

/// Bytes that a body begins with: enough for any, so that no copy of a card stays behind when it grows.
const BODY_BYTES: usize = 16 * 1024;

impl Omise {
    /// Charges with this account; none if it has no key to charge with.
    #[must_use]
    pub fn new(client: Arc<Client>, settings: settings::Omise, account: &account::Omise) -> Option<Self> {
        let public_key = Secret::parse(account.public_key.as_str())?;
        Some(Self { client, settings, public_key, secret_key: account.secret_key.clone()? })
    }

    async fn purchase(&self, payment: &Payment, journal: &dyn Journal) -> Said<Outcome> {
        let token = match self.token(payment).await {
            Ok(token) => token,
            Err(failed) => return failed,
        };
        if let Err(NotNoted) = journal.note(&token).await {
            return Outcome::Failed(FailureCode::FailedProcessing).into();
        }
        let mut body = json!({
            "amount": payment.amount.units(),
            "currency": payment.currency.as_str(),
            "card": token.as_str(),
            "metadata": { "cardseal_charge": payment.charge.as_str() },
        });
        if let Some(uri) = &payment.shopper.return_uri {
            body["return_uri"] = uri.as_str().into();
        }
        let body = Zeroizing::new(body.to_string().into_bytes());
        let url = self.settings.api_url.join("/charges");
        let asked = Asked { charge: &payment.charge, amount: payment.amount, currency: &payment.currency };
        let Some(request) = request(Method::POST, url, &self.secret_key, body) else {
            return self.not_sent(payment, "its secret key cannot stand in a header");
        };
        match self.client.send(request).await {
            Ok(reply) => to_charge(&reply, &asked),
            Err(Lost::NotSent) => self.not_sent(payment, "nobody could be reached"),
            Err(Lost::Unknown) => Outcome::Unknown.into(),
        }
    }

    /// A token of the card. One that is made and not heard of is never used, and does no harm.
    async fn token(&self, payment: &Payment) -> Result<Reference, Said<Outcome>> {
        let Instrument::Card { number, security_code } = &payment.instrument else {
            return Err(self.not_sent(payment, "it keeps no cards"));
        };
        let Some(name) = &payment.details.name else {
            return Err(self.not_sent(payment, "the card has no name"));
        };
        let billing = &payment.details.billing;
        let card = CardFields {
            name,
            // EXPOSE: into the request, for which the card was opened.
            number: number.expose(),
            expiration_month: payment.details.expiration_month,
            expiration_year: payment.details.expiration_year,
            // EXPOSE: into the request, which is what it was kept for.
            security_code: security_code.as_ref().map(SecurityCode::expose),
            city: billing.city.as_ref(),
            country: billing.country.as_ref(),
            email: billing.email.as_ref(),
            phone_number: billing.phone_number.as_ref(),
            postal_code: billing.postal_code.as_ref(),
            state: billing.state.as_ref(),
            street1: billing.street1.as_ref(),
            street2: billing.street2.as_ref(),
        };
        let mut backoff = Backoff::default();
        loop {
            let mut body = Zeroizing::new(Vec::with_capacity(BODY_BYTES));
            let written = serde_json::to_writer(&mut *body, &TokenRequest { card: &card });
            let url = self.settings.vault_url.join("/tokens");
            let request = written.ok().and_then(|()| request(Method::POST, url, &self.public_key, body));
            let Some(request) = request else {
                return Err(self.not_sent(payment, "its public key cannot stand in a header"));
            };
            match self.client.send(request).await {
                // It did nothing, and no money is asked for with a token.
                Ok(reply) if is_busy(&reply) => match backoff.next(reply.retry_after) {
                    Some(pause) => sleep(pause).await,
                    None => return Err(self.not_sent(payment, "Omise is busy")),
                },
                Ok(reply) => return to_token(&reply, &payment.charge),
                Err(Lost::NotSent) => return Err(self.not_sent(payment, "nobody could be reached")),
                Err(Lost::Unknown) => return Err(self.not_sent(payment, "its token was lost on the way")),
            }
        }
    }

    /// Nobody was asked for money.
    fn not_sent(&self, payment: &Payment, why: &'static str) -> Said<Outcome> {
        tracing::error!(charge = %payment.charge, why, "a charge was not sent to Omise");
        Outcome::Failed(FailureCode::FailedProcessing).into()
    }

    async fn look_up(&self, inquiry: &Inquiry) -> Said<Found> {
        // Without a name nobody was asked for money: the token's is noted before.
        let Some(reference) = &inquiry.reference else { return Found::NeverArrived.into() };
        let is_charge = reference.as_str().starts_with("chrg_");
        let (url, key) = if is_charge {
            (self.settings.api_url.join(&format!("/charges/{}", reference.as_str())), &self.secret_key)
        } else {
            (self.settings.vault_url.join(&format!("/tokens/{}", reference.as_str())), &self.public_key)
        };
        let Some(request) = request(Method::GET, url, key, Zeroizing::default()) else {
            return Found::Unknown.into();
        };
        let asked = Asked { charge: &inquiry.charge, amount: inquiry.amount, currency: &inquiry.currency };
        match self.client.send(request).await {
            Ok(reply) if is_charge => to_charge_inquiry(&reply, &asked),
            Ok(reply) => to_token_inquiry(&reply, &asked, reference),
            Err(Lost::NotSent | Lost::Unknown) => Found::Unknown.into(),
        }
    }
}

/// The body that makes a token.
#[derive(Serialize)]
struct TokenRequest<'a> {
    card: &'a CardFields<'a>,
}

/// A card, under Omise's names.
#[derive(Serialize)]
struct CardFields<'a> {
    name: &'a str,
    number: &'a str,
    expiration_month: u8,
    expiration_year: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    street1: Option<&'a Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    street2: Option<&'a Line>,
}

fn is_busy(reply: &Reply) -> bool {
    matches!(reply.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

fn request(method: Method, url: String, key: &Secret, body: Zeroizing<Vec<u8>>) -> Option<Request> {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    // EXPOSE: into the header, which is marked as sensitive. The key is the user name, and there is no password.
    let user = Zeroizing::new(format!("{}:", key.expose()));
    let basic = Zeroizing::new(format!("Basic {}", *Zeroizing::new(Base64::encode_string(user.as_bytes()))));
    let mut authorization = HeaderValue::from_str(&basic).ok()?;
    authorization.set_sensitive(true);
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(AUTHORIZATION, authorization);
    headers.insert(ACCEPT, JSON);
    headers.insert(HeaderName::from_static("omise-version"), VERSION);
    if method == Method::POST {
        headers.insert(CONTENT_TYPE, JSON);
    }
    Some(Request { method, url, headers, body })
}

impl Acquirer for Omise {
    fn check(&self, prospect: &Prospect<'_>) -> Result<(), Unacceptable> {
        let has_name = prospect.details.name.as_deref().is_some_and(|name| !name.trim().is_empty());
        if has_name { Ok(()) } else { Err(Unacceptable::Missing(Member::Name)) }
    }

    fn charge<'a>(&'a self, payment: &'a Payment, journal: &'a dyn Journal) -> Answer<'a, Said<Outcome>> {
        Box::pin(self.purchase(payment, journal))
    }

    fn find<'a>(&'a self, inquiry: &'a Inquiry) -> Answer<'a, Said<Found>> {
        Box::pin(self.look_up(inquiry))
    }
}
