//! Payment Options: takes cards from servers, and keeps a customer's card when it takes a purchase with it.
//!
//! - [`request`]: a purchase; [`answer`]: what comes of it; [`response_code`]: why a bank said no.

mod answer;
mod request;
mod response_code;

use std::sync::Arc;

use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use super::decimal::Decimal;
use super::{
    Acquirer, Answer, Found, Inquiry, Instrument, Journal, Outcome, Payment, Prospect, Said, Unacceptable,
};
use crate::charge::{Amount, FailureCode};
use crate::token::Billing;
use crate::vendor::account;
use crate::vendor::http::{Client, Lost, Request};
use crate::vendor::settings::{self, StatusBy};

pub(crate) use answer::hint;

use answer::{Asked, to_inquiry, to_purchase};
use request::{BillingAddress, Journey, MOST_DIGITS, Purchase};

/// A merchant's account at Payment Options.
#[derive(Debug)]
pub struct PaymentOptions {
    client: Arc<Client>,
    settings: settings::PaymentOptions,
    account: account::PaymentOptions,
}

/// Where everything is.
const BASE: &str = "/api/v1/server-to-server-interface";

/// Bytes that a purchase's body begins with: enough for any, so that no copy of a card stays behind when it grows.
const BODY_BYTES: usize = 16 * 1024;

impl PaymentOptions {
    /// Charges with this account.
    #[must_use]
    pub const fn new(
        client: Arc<Client>,
        settings: settings::PaymentOptions,
        account: account::PaymentOptions,
    ) -> Self {
        Self { client, settings, account }
    }

    /// Whether it could take a card, as far as the card goes.
    ///
    /// # Errors
    /// [`Unacceptable`]
    pub(crate) fn check_card(digits: Option<usize>, billing: &Billing) -> Result<(), Unacceptable> {
        if digits.is_some_and(|digits| digits > MOST_DIGITS) {
            return Err(Unacceptable::NumberTooLong);
        }
        BillingAddress::new(billing).map(drop)
    }

    async fn purchase(&self, payment: &Payment) -> Said<Outcome> {
        let not_sent = |why: &'static str| {
            tracing::error!(charge = %payment.charge, why, "a charge was not sent to Payment Options");
            Outcome::Failed(FailureCode::FailedProcessing).into()
        };
        let Some(amount) = Decimal::new(payment.amount, &payment.currency) else {
            return not_sent("its currency has no decimal places");
        };
        let webhook_url = match (&self.settings.callback_url, &payment.callback) {
            // EXPOSE: to who is to call back.
            (Some(url), Some(callback)) => Some(url.join(&format!("{CALLBACKS}/{}", callback.expose()))),
            _ => None,
        };
        // What the acquirer keeps is charged without the holder: 3-D Secure's request has no place for it.
        let by_method = matches!(payment.instrument, Instrument::Stored(_));
        let journey = match (payment.shopper.journey(), &webhook_url) {
            (Some((browser, return_uri)), Some(webhook_url)) if !by_method => {
                Some(Journey { browser, return_uri, webhook_url })
            }
            _ => None,
        };
        let path = if journey.is_some() { "paymentv2" } else { "payment" };
        let merchant_id = self.account.merchant_id.as_str();
        let Ok(purchase) = Purchase::new(payment, merchant_id, journey.as_ref()) else {
            return not_sent("it has not what Payment Options needs");
        };
        let mut body = Zeroizing::new(Vec::with_capacity(BODY_BYTES));
        if serde_json::to_writer(&mut *body, &purchase).is_err() {
            return not_sent("it cannot be written as JSON");
        }
        let Some(request) = self.request(Method::POST, path, body) else {
            return not_sent("the account's keys cannot stand in headers");
        };
        let asked = Asked { charge: &payment.charge, amount, currency: &payment.currency };
        match self.client.send(request).await {
            Ok(reply) => to_purchase(&reply, &asked, by_method),
            Err(Lost::NotSent) => not_sent("nobody could be reached"),
            Err(Lost::Unknown) => Outcome::Unknown.into(),
        }
    }

    async fn look_up(&self, inquiry: &Inquiry) -> Said<Found> {
        let Some(amount) = Decimal::new(inquiry.amount, &inquiry.currency) else {
            return Found::Unknown.into();
        };
        let name = inquiry.reference.as_ref().map_or(inquiry.charge.as_str(), |reference| reference.as_str());
        let path = format!("transaction/status/{name}");
        let Some(request) = self.request(Method::GET, &path, Zeroizing::default()) else {
            return Found::Unknown.into();
        };
        // A name that somebody else gave, or that Payment Options has forgotten, proves nothing.
        let is_found_by_ours =
            inquiry.reference.is_none() && self.settings.status_by == StatusBy::MerchantTxnRef;
        let asked = Asked { charge: &inquiry.charge, amount, currency: &inquiry.currency };
        match self.client.send(request).await {
            Ok(reply) => to_inquiry(&reply, &asked, is_found_by_ours),
            Err(Lost::NotSent | Lost::Unknown) => Found::Unknown.into(),
        }
    }

    fn request(&self, method: Method, path: &str, body: Zeroizing<Vec<u8>>) -> Option<Request> {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        // EXPOSE: into the headers, which are marked as sensitive.
        let key = self.account.api_key.expose();
        let basic = match &self.account.basic_key {
            Some(basic) => Zeroizing::new(basic.expose().to_owned()),
            None => Zeroizing::new(Base64::encode_string(key.as_bytes())),
        };
        let basic = Zeroizing::new(format!("Basic {}", *basic));
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(AUTHORIZATION, secret(&basic)?);
        headers.insert(HeaderName::from_static("x-api-key"), secret(key)?);
        headers.insert(ACCEPT, JSON);
        if method == Method::POST {
            headers.insert(CONTENT_TYPE, JSON);
        }
        Some(Request { method, url: self.settings.url.join(&format!("{BASE}/{path}")), headers, body })
    }
}

/// Where Payment Options calls back, before the part that nobody else knows.
pub(crate) const CALLBACKS: &str = "/callbacks/payment-options";

fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Acquirer for PaymentOptions {
    fn check(&self, prospect: &Prospect<'_>) -> Result<(), Unacceptable> {
        let smallest = Amount::new(1).ok_or(Unacceptable::Currency)?;
        Decimal::new(smallest, prospect.currency).ok_or(Unacceptable::Currency)?;
        if prospect.shopper.journey().is_some() && self.settings.callback_url.is_none() {
            return Err(Unacceptable::NoWayBack);
        }
        Self::check_card(prospect.digits, &prospect.details.billing)
    }

    fn account(&self) -> Option<&str> {
        Some(self.account.merchant_id.as_str())
    }

    fn charge<'a>(&'a self, payment: &'a Payment, _: &'a dyn Journal) -> Answer<'a, Said<Outcome>> {
        // It is known by the charge's own id.
        Box::pin(self.purchase(payment))
    }

    fn find<'a>(&'a self, inquiry: &'a Inquiry) -> Answer<'a, Said<Found>> {
        Box::pin(self.look_up(inquiry))
    }
}
