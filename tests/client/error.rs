use std::collections::HashSet;

use cardseal::card::{Field, Reason};
use cardseal::client::{Error, Profile, Refusal, Vendor};
use cardseal::seal::jwk::Unusable;

const REFUSALS: &[(&str, Refusal)] = &[
    ("authentication_failure", Refusal::AuthenticationFailure),
    ("bad_request", Refusal::BadRequest),
    ("expired_seal", Refusal::ExpiredSeal),
    ("invalid_card", Refusal::InvalidCard(None)),
    ("invalid_seal", Refusal::InvalidSeal),
    ("origin_not_allowed", Refusal::OriginNotAllowed),
    ("profile_not_allowed", Refusal::ProfileNotAllowed),
    ("unknown_kid", Refusal::UnknownKid),
    ("vendor_outcome_unknown", Refusal::VendorOutcomeUnknown),
    ("vendor_refused", Refusal::VendorRefused),
];

fn refused(refusal: Refusal) -> Error {
    Error::Refused { refusal, status: 400, message: "the vault's own words".into(), vendor: None }
}

fn vendor() -> Vendor {
    Vendor { name: Profile::ThalesPci, status: Some(503), code: None, correlation_id: None }
}

/// One of each, with its code, whether to try again, and its status.
fn all() -> Vec<(Error, &'static str, bool, Option<u16>)> {
    let mut all = vec![
        (Error::Incomplete(Field::Expiry), "incomplete_card", false, None),
        (Error::Invalid(Field::Number, Reason::Luhn), "invalid_card", false, None),
        (Error::MissingBilling(vec!["city"]), "missing_billing", false, None),
        (Error::NoSeal, "invalid_options", false, None),
        (Error::VendorUnavailable { status: 502, vendor: vendor() }, "vendor_unavailable", true, Some(502)),
        (Error::RateLimited, "rate_limited", true, Some(429)),
        (Error::Unavailable { status: 503 }, "vault_unavailable", true, Some(503)),
        (Error::Network, "network_error", true, None),
        (Error::Timeout, "timeout", true, None),
        (Error::BadAnswer { status: 200 }, "bad_answer", false, Some(200)),
        (Error::Key(Unusable::Empty), "unusable_key", false, None),
        (Error::Random, "random_failure", true, None),
    ];
    all.extend(REFUSALS.iter().map(|(code, refusal)| (refused(*refusal), *code, false, Some(400))));
    all
}

#[test]
fn every_error_says_its_code_whether_to_try_again_and_the_status_behind_it() {
    for (error, code, retryable, status) in all() {
        assert_eq!(
            (error.code(), error.is_retryable(), error.status()),
            (code, retryable, status),
            "{error:?}"
        );
    }
}

#[test]
fn only_the_cards_own_faults_name_a_field() {
    for (error, ..) in all() {
        let field = match error {
            Error::Incomplete(_) => Some(Field::Expiry),
            Error::Invalid(..) => Some(Field::Number),
            _ => None,
        };
        assert_eq!(error.field(), field, "{error:?}");
    }
    let refusal = Refusal::InvalidCard(Some(Field::Holder));
    assert_eq!(refused(refusal).field(), Some(Field::Holder), "a vendor may say which");
}

#[test]
fn an_error_that_is_about_a_vendor_names_it() {
    let unavailable = Error::VendorUnavailable { status: 502, vendor: vendor() };
    assert_eq!(unavailable.vendor(), Some(&vendor()));
    let (refusal, message) = (Refusal::VendorRefused, String::new());
    let refused = Error::Refused { refusal, status: 424, message, vendor: Some(vendor()) };
    assert_eq!(refused.vendor(), Some(&vendor()));
    for error in [Error::Network, Error::Unavailable { status: 503 }, Error::MissingBilling(vec!["city"])] {
        assert_eq!(error.vendor(), None, "{error:?}");
    }
}

#[test]
fn every_code_is_in_the_list_that_a_page_is_given() {
    let declarations = include_str!("../../www/error.ts");
    for (_, code, ..) in all() {
        assert!(declarations.contains(&format!("| \"{code}\"")), "{code}");
    }
}

#[test]
fn every_error_says_something_of_its_own() {
    let texts: HashSet<String> = all()
        .into_iter()
        .filter(|(error, ..)| !matches!(error, Error::Refused { .. }))
        .map(|(error, ..)| error.to_string())
        .collect();
    assert_eq!(texts.len(), all().len() - REFUSALS.len());
    assert_eq!(refused(Refusal::InvalidSeal).to_string(), "the vault's own words");
}

#[test]
fn a_code_of_the_vaults_is_a_refusal_and_one_that_is_not_known_a_bad_request() {
    for (code, refusal) in REFUSALS {
        assert_eq!(Refusal::from_code(code), *refusal);
    }
    for code in ["replayed_seal", "wrong_merchant"] {
        assert_eq!(Refusal::from_code(code), Refusal::InvalidSeal, "{code}");
    }
    for code in ["", "used_token", "UNKNOWN_KID", "unknown_kid ", "teapot"] {
        assert_eq!(Refusal::from_code(code), Refusal::BadRequest, "{code}");
    }
}
