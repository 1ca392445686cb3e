//! The parameters of a card, and what Omise says of wrong ones.

use std::fmt;

use cardseal::card::{Card, Entry, Expiry, Field, Holder, Number, Reason, SecurityCode, YearMonth};
use serde_json::{Value, json};
use thiserror::Error;
use zeroize::Zeroizing;

use super::body::{BadRequest, Params};
use super::error::ApiError;
use super::openapi::schema::{line, matching, nullable, number_or_text, object, optional, text};
use crate::customer::{BillingChange, CardChange, Change};
use crate::token::{Billing, Line, NotALine};

/// What is wrong with a card: at least one thing. Omise's clients find the field by a word in the message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) struct CardProblems(Vec<CardProblem>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
enum CardProblem {
    #[error("brand not supported (unknown)")]
    BrandNotSupported,
    #[error("expiration date is invalid")]
    ExpirationInvalid,
    #[error("expiration date cannot be in the past")]
    ExpirationPast,
    #[error("expiration month can't be blank")]
    MonthBlank,
    #[error("expiration month is not between 1 and 12")]
    MonthOutOfRange,
    #[error("name can't be blank")]
    NameBlank,
    #[error("name is invalid")]
    NameInvalid,
    #[error("number can't be blank")]
    NumberBlank,
    #[error("number is invalid")]
    NumberInvalid,
    #[error(
        "number is no published test card, and test keys take no others unless the vault's operator sets test_cards"
    )]
    NotATestCard,
    #[error("number has more digits than the acquirer takes")]
    NumberTooLong,
    #[error("security code is invalid")]
    SecurityCodeInvalid,
    #[error("expiration year can't be blank")]
    YearBlank,
    #[error("expiration year is invalid")]
    YearInvalid,
}

impl CardProblems {
    /// The one problem for which a card that was sealed is refused.
    pub(super) fn of_sealed(field: Field, reason: Option<Reason>) -> Self {
        Self(problems(field, reason))
    }

    /// The one problem of a card that may be somebody's, with a test key.
    pub(super) fn not_a_test_card() -> Self {
        Self(vec![CardProblem::NotATestCard])
    }

    /// The one problem of a card that is good, but not for the merchant's acquirer.
    pub(super) fn number_too_long() -> Self {
        Self(vec![CardProblem::NumberTooLong])
    }
}

impl fmt::Display for CardProblems {
    /// `a`, `a and b`, `a, b, and c`, as Omise joins them.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.0.len().saturating_sub(1);
        for (index, problem) in self.0.iter().enumerate() {
            formatter.write_str(match index {
                0 => "",
                1 if last == 1 => " and ",
                index if index == last => ", and ",
                _ => ", ",
            })?;
            problem.fmt(formatter)?;
        }
        Ok(())
    }
}

/// A card that was not sealed, out of Omise's parameters. Everything that is wrong with it is said at once.
pub(super) fn clear_card(params: &mut Params, today: YearMonth) -> Result<Card, ApiError> {
    let name = params.text("name")?;
    let number = params.text("number")?;
    let month = params.text_or_number("expiration_month")?;
    let year = params.text_or_number("expiration_year")?;
    let code = params.text_or_number("security_code")?;

    let mut wrong = Vec::new();
    let holder = match name.filter(|name| !name.trim().is_empty()) {
        Some(name) => accept(Field::Holder, Holder::parse(&name), &mut wrong),
        None => refuse(CardProblem::NameBlank, &mut wrong),
    };
    let number = match number {
        Some(number) => accept(Field::Number, Number::parse_finished(&number), &mut wrong),
        None => {
            wrong.push(CardProblem::NumberBlank);
            refuse(CardProblem::BrandNotSupported, &mut wrong)
        }
    };
    let expiry = match (month, year) {
        (Some(month), Some(year)) => {
            accept(Field::Expiry, Expiry::from_parts(&month, &year, today), &mut wrong)
        }
        (month, year) => {
            wrong.extend(month.is_none().then_some(CardProblem::MonthBlank));
            wrong.extend(year.is_none().then_some(CardProblem::YearBlank));
            None
        }
    };
    let brand = number.as_ref().map(Number::brand);
    let security_code =
        code.and_then(|code| accept(Field::SecurityCode, SecurityCode::parse(&code, brand), &mut wrong));
    match (number, expiry, holder) {
        (Some(number), Some(expiry), Some(holder)) if wrong.is_empty() => {
            Ok(Card { number, expiry, security_code, holder: Some(holder) })
        }
        _ => Err(CardProblems(wrong).into()),
    }
}

/// The name beside a sealed card, for a form that has none of its own.
pub(super) fn holder(params: &mut Params) -> Result<Option<Holder>, ApiError> {
    let Some(name) = params.text("name")? else { return Ok(None) };
    let mut wrong = Vec::new();
    match accept(Field::Holder, Holder::parse(&name), &mut wrong) {
        Some(holder) => Ok(Some(holder)),
        None => Err(CardProblems(wrong).into()),
    }
}

/// The address and contact beside a card.
pub(super) fn billing(params: &mut Params) -> Result<Billing, BadRequest> {
    Ok(billing_change(params)?.applied(Billing::default()))
}

/// What is to be changed of a card on file that has this expiry.
pub(super) fn change(
    params: &mut Params,
    (month, year): (u8, u16),
    today: YearMonth,
) -> Result<CardChange, ApiError> {
    let mut wrong = Vec::new();
    let name = if params.names("name") {
        match params.text("name")?.filter(|name| !name.trim().is_empty()) {
            Some(name) => accept(Field::Holder, Holder::parse(&name), &mut wrong),
            None => refuse(CardProblem::NameBlank, &mut wrong),
        }
    } else {
        None
    };
    // Who sends only one of the two means the other to stay.
    let expiry = if params.names("expiration_month") || params.names("expiration_year") {
        let mut part = |name, before: u16| {
            let text = params.text_or_number(name)?;
            Ok::<_, BadRequest>(text.unwrap_or_else(|| Zeroizing::new(before.to_string())))
        };
        let (month, year) = (part("expiration_month", month.into())?, part("expiration_year", year)?);
        accept(Field::Expiry, Expiry::from_parts(&month, &year, today), &mut wrong)
    } else {
        None
    };
    let billing = billing_change(params)?;
    if wrong.is_empty() {
        Ok(CardChange { expiry: Change::of(expiry), name: Change::of(name), billing })
    } else {
        Err(CardProblems(wrong).into())
    }
}

fn billing_change(params: &mut Params) -> Result<BillingChange, BadRequest> {
    let mut line = |name, parse: fn(&str) -> Result<Line, NotALine>| {
        if !params.names(name) {
            return Ok(Change::Keep);
        }
        let Some(text) = params.text(name)? else { return Ok(Change::To(None)) };
        parse(&text).map(|line| Change::To(Some(line))).map_err(|why| params.malformed(name, why))
    };
    Ok(BillingChange {
        city: line("city", Line::parse)?,
        country: line("country", Line::parse_country)?,
        email: line("email", Line::parse)?,
        phone_number: line("phone_number", Line::parse_phone_number)?,
        postal_code: line("postal_code", Line::parse)?,
        state: line("state", Line::parse)?,
        street1: line("street1", Line::parse)?,
        street2: line("street2", Line::parse)?,
    })
}

fn accept<T>(field: Field, entry: Entry<T>, wrong: &mut Vec<CardProblem>) -> Option<T> {
    match entry {
        Entry::Valid(value) => return Some(value),
        Entry::Incomplete => wrong.extend(problems(field, None)),
        Entry::Invalid(reason) => wrong.extend(problems(field, Some(reason))),
    }
    None
}

fn refuse<T>(problem: CardProblem, wrong: &mut Vec<CardProblem>) -> Option<T> {
    wrong.push(problem);
    None
}

fn problems(field: Field, reason: Option<Reason>) -> Vec<CardProblem> {
    match (field, reason) {
        (Field::Number, Some(Reason::UnknownBrand)) => {
            vec![CardProblem::NumberInvalid, CardProblem::BrandNotSupported]
        }
        (Field::Number, _) => vec![CardProblem::NumberInvalid],
        (Field::Expiry, Some(Reason::MonthOutOfRange)) => {
            vec![CardProblem::MonthOutOfRange, CardProblem::ExpirationInvalid]
        }
        (Field::Expiry, Some(Reason::Past)) => vec![CardProblem::ExpirationPast],
        (Field::Expiry, Some(Reason::TooFarAhead)) => vec![CardProblem::YearInvalid],
        (Field::Expiry, _) => vec![CardProblem::ExpirationInvalid],
        (Field::SecurityCode, _) => vec![CardProblem::SecurityCodeInvalid],
        (Field::Holder, _) => vec![CardProblem::NameInvalid],
    }
}

/// Whether parameters of a clear card stand beside a sealed one.
pub(super) fn is_clear_too(params: &Params) -> bool {
    ["number", "expiration_month", "expiration_year", "security_code"]
        .into_iter()
        .any(|name| params.has(name))
}

/// A JWE in compact form (RFC 7516), as a regular expression.
pub(super) const JWE: &str = "^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]*){4}$";

/// What a sealed card looks like. There is nothing in it.
pub(super) const SEALED_EXAMPLE: &str =
    "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiLi4uIn0.a2V5.aXY.Y2FyZA.dGFn";

/// A card as parameter: what [`clear_card`], or `sealed` with [`holder`], and [`billing`] read.
pub(super) fn schema() -> Value {
    let name = || text("The cardholder's name.");
    let with_address = |others: &[(&'static str, Value)]| [others, &address()].concat();
    let sealed = object(
        "A card that is sealed.",
        &[("sealed", matching(JWE, "The card, as a JWE in compact form."))],
        &with_address(&[("name", optional(name()))]),
    );
    let mut clear = object(
        "A card in the clear, where the merchant may send it.",
        &[
            ("number", text("Its number. Spaces and hyphens do not matter.")),
            ("expiration_month", month()),
            ("expiration_year", year()),
            ("name", name()),
        ],
        &with_address(&[("security_code", nullable(number_or_text("Three or four digits.")))]),
    );
    clear["examples"] = json!([{
        "number": "4242424242424242",
        "expiration_month": 12,
        "expiration_year": 2030,
        "security_code": "123",
        "name": "Somchai Prasert",
    }]);
    json!({ "type": "object", "anyOf": [sealed, clear] })
}

fn month() -> Value {
    number_or_text("Month of expiry, 1 to 12.")
}

fn year() -> Value {
    number_or_text("Year of expiry, four digits or two.")
}

/// What [`change`] reads.
pub(super) fn changes() -> Vec<(&'static str, Value)> {
    let others = [
        ("name", text("The cardholder's name.")),
        ("expiration_month", optional(month())),
        ("expiration_year", optional(year())),
    ];
    [&others[..], &address()].concat()
}

/// What [`billing_change`] reads.
fn address() -> Vec<(&'static str, Value)> {
    let country = matching("^[A-Za-z]{2}$", "Country, two letters (ISO 3166-1).");
    let line = |name, about| (name, optional(line(about)));
    vec![
        line("street1", "First line of the street address."),
        line("street2", "Second line of the street address."),
        line("city", "City."),
        line("state", "State, province or prefecture."),
        line("postal_code", "Postal code."),
        ("country", optional(country)),
        line("phone_number", "Telephone number."),
        line("email", "E-mail address, for the acquirer. It is not shown."),
    ]
}
