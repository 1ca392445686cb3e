//! A purchase as Payment Options' document describes it: what is not in there is refused.

use std::net::IpAddr;

use cardseal::card::{Number, SecurityCode};
use serde::Serialize;

use crate::acquirer::decimal::Decimal;
use crate::acquirer::{Instrument, Member, Payment, Unacceptable};
use crate::shopper::{Browser, ReturnUri};
use crate::token::{Billing, Details, Line};

/// Most digits of a card's number.
pub(super) const MOST_DIGITS: usize = 16;

/// The body of a purchase.
#[derive(Serialize)]
pub(super) struct Purchase<'a> {
    amount: String,
    currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardFields<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<PaymentMethod<'a>>,
    merchant_txn_ref: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_ip: Option<IpAddr>,
    merchant_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<ReturnUrl<'a>>,
    billing_address: BillingAddress<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    browser_info: Option<BrowserInfo<'a>>,
}

#[derive(Serialize)]
struct CardFields<'a> {
    number: &'a str,
    expiry_month: String,
    expiry_year: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cvc: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct PaymentMethod<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    store_payment_method: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored_payment_method_id: Option<&'a str>,
}

#[derive(Serialize)]
struct ReturnUrl<'a> {
    webhook_url: &'a str,
    success_url: &'a str,
    decline_url: &'a str,
}

/// Where a card's holder lives, as far as Payment Options takes it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct BillingAddress<'a> {
    country: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    address1: &'a str,
    city: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    postal_code: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BrowserInfo<'a> {
    accept_header: &'a str,
    screen_color_depth: String,
    java_enabled: bool,
    language: &'a str,
    screen_height: String,
    screen_width: String,
    challenge_window: String,
    user_agent: &'a str,
}

/// How the holder is sent to their bank and back.
pub(super) struct Journey<'a> {
    pub(super) browser: &'a Browser,
    pub(super) return_uri: &'a ReturnUri,
    /// Where Payment Options tells that something has happened.
    pub(super) webhook_url: &'a str,
}

impl<'a> Purchase<'a> {
    /// The purchase for a payment. With 3-D Secure it has no `payment_method`, which its documents do not name there: the
    /// card is sent, and not kept.
    ///
    /// # Errors
    /// [`Unacceptable`]
    pub(super) fn new(
        payment: &'a Payment,
        merchant_id: &'a str,
        journey: Option<&Journey<'a>>,
    ) -> Result<Self, Unacceptable> {
        let amount = Decimal::new(payment.amount, &payment.currency).ok_or(Unacceptable::Currency)?;
        let method = |id| PaymentMethod {
            kind: "scheme",
            store_payment_method: payment.on_file,
            stored_payment_method_id: id,
        };
        let (card, method) = match &payment.instrument {
            Instrument::Card { number, security_code } => {
                let card = CardFields::new(number, security_code.as_ref(), &payment.details)?;
                (Some(card), journey.is_none().then(|| method(None)))
            }
            // EXPOSE: to who gave it out.
            Instrument::Stored(stored) => (None, Some(method(Some(stored.expose())))),
        };
        Ok(Self {
            amount: amount.to_string(),
            currency: payment.currency.as_str(),
            card,
            payment_method: method,
            merchant_txn_ref: payment.charge.as_str(),
            customer_ip: payment.shopper.ip,
            merchant_id,
            return_url: journey.map(|journey| ReturnUrl {
                webhook_url: journey.webhook_url,
                success_url: journey.return_uri.as_str(),
                decline_url: journey.return_uri.as_str(),
            }),
            billing_address: BillingAddress::new(&payment.details.billing)?,
            browser_info: journey.map(|journey| BrowserInfo::new(journey.browser)),
        })
    }
}

impl<'a> CardFields<'a> {
    fn new(
        number: &'a Number,
        code: Option<&'a SecurityCode>,
        details: &'a Details,
    ) -> Result<Self, Unacceptable> {
        // EXPOSE: into the request, for which the card was opened.
        let (number, cvc) = (number.expose(), code.map(SecurityCode::expose));
        if number.len() > MOST_DIGITS {
            return Err(Unacceptable::NumberTooLong);
        }
        Ok(Self {
            number,
            expiry_month: format!("{:02}", details.expiration_month),
            expiry_year: format!("{:02}", details.expiration_year % 100),
            cvc,
            name: details.name.as_deref(),
        })
    }
}

impl<'a> BillingAddress<'a> {
    /// Takes what there is room for. The rest is refused if it is needed, and left out if not.
    ///
    /// # Errors
    /// [`Unacceptable`]
    pub(super) fn new(billing: &'a Billing) -> Result<Self, Unacceptable> {
        Ok(Self {
            country: needed(Member::Country, billing.country.as_ref(), 2)?.to_ascii_uppercase(),
            email: fitting(billing.email.as_ref(), 45),
            phone_number: fitting(billing.phone_number.as_ref(), 20),
            address1: needed(Member::Street1, billing.street1.as_ref(), 199)?,
            city: needed(Member::City, billing.city.as_ref(), 65)?,
            state: fitting(billing.state.as_ref(), 65),
            postal_code: needed(Member::PostalCode, billing.postal_code.as_ref(), 45)?,
        })
    }
}

impl<'a> BrowserInfo<'a> {
    fn new(browser: &'a Browser) -> Self {
        Self {
            accept_header: browser.accept_header.as_str(),
            screen_color_depth: browser.color_depth.to_string(),
            java_enabled: browser.java_enabled,
            language: browser.language.as_str(),
            screen_height: browser.screen_height.to_string(),
            screen_width: browser.screen_width.to_string(),
            challenge_window: browser.challenge_window.number().to_string(),
            user_agent: browser.user_agent.as_str(),
        }
    }
}

fn needed(member: Member, line: Option<&Line>, most: usize) -> Result<&str, Unacceptable> {
    let text = line.map(Line::as_str).filter(|text| !text.trim().is_empty());
    let text = text.ok_or(Unacceptable::Missing(member))?;
    if text.chars().count() > most { Err(Unacceptable::TooLong(member)) } else { Ok(text) }
}

fn fitting(line: Option<&Line>, most: usize) -> Option<&str> {
    line.map(Line::as_str).filter(|text| text.chars().count() <= most)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    fn billing(change: impl FnOnce(&mut Billing)) -> Billing {
        let line = |text| Some(Line::parse(text).unwrap());
        let mut billing = Billing {
            city: line("Shinjuku-ku"),
            country: line("jp"),
            postal_code: line("1600022"),
            street1: line("1-2-3 Shinjuku"),
            ..Billing::default()
        };
        change(&mut billing);
        billing
    }

    #[test]
    fn an_address_needs_four_members_and_room_for_them() {
        assert_eq!(BillingAddress::new(&billing(|_| {})).unwrap().country, "JP");
        let changes: [(fn(&mut Billing), _); 6] = [
            (|billing| billing.city = None, Unacceptable::Missing(Member::City)),
            (|billing| billing.country = None, Unacceptable::Missing(Member::Country)),
            (|billing| billing.postal_code = None, Unacceptable::Missing(Member::PostalCode)),
            (|billing| billing.street1 = None, Unacceptable::Missing(Member::Street1)),
            (|billing| billing.street1 = Line::parse(" ").ok(), Unacceptable::Missing(Member::Street1)),
            (|billing| billing.city = Line::parse(&"x".repeat(66)).ok(), Unacceptable::TooLong(Member::City)),
        ];
        for (change, why) in changes {
            assert_eq!(BillingAddress::new(&billing(change)), Err(why));
        }
    }

    #[test]
    fn what_is_not_needed_and_too_long_is_left_out() {
        let long = billing(|billing| {
            billing.email = Line::parse(&format!("{}@mail.example", "x".repeat(40))).ok();
            billing.state = Line::parse("Tokyo").ok();
        });
        let address = BillingAddress::new(&long).unwrap();
        assert_eq!((address.email, address.state), (None, Some("Tokyo")));
    }
}
