//! What Omise's answers come to (API version 2019-05-29).

use axum::http::StatusCode;
use serde::Deserialize;

use crate::acquirer::{AuthorizeUri, Code, Found, Outcome, Reference, Said};
use crate::charge::{Amount, Currency, FailureCode};
use crate::id::ChargeId;
use crate::vendor::http::Reply;

/// What an answer is held against.
pub(super) struct Asked<'a> {
    pub(super) charge: &'a ChargeId,
    pub(super) amount: Amount,
    pub(super) currency: &'a Currency,
}

/// An object of Omise's, as far as it is of use here. Its card is not read.
#[derive(Debug, Deserialize)]
#[serde(tag = "object", rename_all = "snake_case")]
enum Object {
    Charge(Charge),
    Error {
        code: String,
    },
    Token {
        id: String,
        #[serde(default)]
        used: bool,
        charge_status: Option<String>,
    },
}

#[derive(Debug, Deserialize)]
struct Charge {
    id: String,
    amount: i64,
    currency: String,
    status: String,
    failure_code: Option<String>,
    authorize_uri: Option<String>,
}

/// The token that was made; or why there is none, and with it no charge.
pub(super) fn to_token(reply: &Reply, charge: &ChargeId) -> Result<Reference, Said<Outcome>> {
    let failed = |code| Said::from(Outcome::Failed(code));
    match (reply.status, read(reply)) {
        (StatusCode::OK, Some(Object::Token { id, .. })) => Reference::parse(&id).ok_or_else(|| {
            refused(charge, reply, "it gave a token no name that could be used");
            failed(FailureCode::FailedProcessing)
        }),
        (_, Some(Object::Error { code })) => {
            refused(charge, reply, "it made no token");
            Err(Said { code: Code::parse(&code), ..failed(refusal(&code)) })
        }
        _ => {
            refused(charge, reply, "it made no token");
            Err(failed(FailureCode::FailedProcessing))
        }
    }
}

/// What came of a charge that was asked for.
pub(super) fn to_charge(reply: &Reply, asked: &Asked<'_>) -> Said<Outcome> {
    match (reply.status, read(reply)) {
        (StatusCode::OK, Some(Object::Charge(charge))) => {
            let Some(reference) = charge.reference(asked, reply) else { return Outcome::Unknown.into() };
            let outcome =
                match (charge.state(), charge.authorize_uri.as_deref().and_then(AuthorizeUri::parse)) {
                    (State::Pending, Some(uri)) => Outcome::Pending(uri),
                    (State::Successful, _) => Outcome::Successful,
                    (State::Failed(code), _) => Outcome::Failed(code),
                    (State::Pending | State::Unknown, _) => Outcome::Unknown,
                };
            Said { reference: Some(reference), code: charge.code(), ..outcome.into() }
        }
        // Its token was charged, and only this charge has it.
        (_, Some(Object::Error { code })) if code == "used_token" => Outcome::Unknown.into(),
        (status, Some(Object::Error { code })) if status.is_client_error() => {
            refused(asked.charge, reply, "it did not take a charge");
            Said { code: Code::parse(&code), ..Outcome::Failed(refusal(&code)).into() }
        }
        _ => {
            refused(asked.charge, reply, "it did not say what came of a charge");
            Outcome::Unknown.into()
        }
    }
}

/// What became of a charge, by its own name.
pub(super) fn to_charge_inquiry(reply: &Reply, asked: &Asked<'_>) -> Said<Found> {
    match (reply.status, read(reply)) {
        (StatusCode::OK, Some(Object::Charge(charge))) => {
            let Some(reference) = charge.reference(asked, reply) else { return Found::Unknown.into() };
            Said { reference: Some(reference), code: charge.code(), ..Found::from(charge.state()).into() }
        }
        _ => {
            refused(asked.charge, reply, "it did not say what became of a charge");
            Found::Unknown.into()
        }
    }
}

/// What became of a charge, by the name of the token that it was asked for with.
pub(super) fn to_token_inquiry(reply: &Reply, asked: &Asked<'_>, token: &Reference) -> Said<Found> {
    match (reply.status, read(reply)) {
        (StatusCode::OK, Some(Object::Token { id, used, charge_status })) if id == token.as_str() => {
            let found = match charge_status.as_deref() {
                _ if !used => Found::NeverArrived,
                // Why is not told here.
                Some(status) => Found::from(State::new(status, None)),
                None => Found::Unknown,
            };
            found.into()
        }
        _ => {
            refused(asked.charge, reply, "it did not say what became of a token");
            Found::Unknown.into()
        }
    }
}

/// Where a charge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Successful,
    Failed(FailureCode),
    Pending,
    Unknown,
}

impl State {
    fn new(status: &str, failure: Option<&str>) -> Self {
        match status {
            "successful" => Self::Successful,
            // One that is not known here is some bank's no.
            "failed" => {
                Self::Failed(failure.and_then(FailureCode::parse).unwrap_or(FailureCode::PaymentRejected))
            }
            // Nobody came to let it happen; or it was taken back.
            "expired" | "reversed" => Self::Failed(FailureCode::FailedProcessing),
            "pending" => Self::Pending,
            _ => Self::Unknown,
        }
    }
}

impl From<State> for Found {
    fn from(state: State) -> Self {
        match state {
            State::Successful => Self::Successful,
            State::Failed(code) => Self::Failed(code),
            State::Pending => Self::Unpaid,
            State::Unknown => Self::Unknown,
        }
    }
}

impl Charge {
    fn state(&self) -> State {
        State::new(&self.status, self.failure_code.as_deref())
    }

    fn code(&self) -> Option<Code> {
        Code::parse(self.failure_code.as_deref()?)
    }

    /// Its name, if it is for what was asked for.
    fn reference(&self, asked: &Asked<'_>, reply: &Reply) -> Option<Reference> {
        let fits = self.amount == asked.amount.units()
            && self.currency.eq_ignore_ascii_case(asked.currency.as_str());
        let reference = Reference::parse(&self.id).filter(|_| fits);
        if reference.is_none() {
            refused(asked.charge, reply, "its charge is not the one that was asked for");
        }
        reference
    }
}

/// Why Omise did not do what it was asked for, by the code of its error.
fn refusal(code: &str) -> FailureCode {
    match code {
        "invalid_card" | "brand_not_supported" => FailureCode::InvalidAccountNumber,
        "failed_fraud_check" => FailureCode::FailedFraudCheck,
        _ => FailureCode::FailedProcessing,
    }
}

fn read(reply: &Reply) -> Option<Object> {
    serde_json::from_slice(&reply.body).ok()
}

/// Tells the operator, without Omise's own words.
fn refused(charge: &ChargeId, reply: &Reply, why: &'static str) {
    let code = match read(reply) {
        Some(Object::Error { code }) => Code::parse(&code),
        _ => None,
    };
    let code = code.as_ref().map_or("", Code::as_str);
    tracing::error!(charge = %charge, status = reply.status.as_u16(), code, why, "Omise did not do what it was asked for");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};
    use zeroize::Zeroizing;

    use super::*;

    fn charge(status: &str) -> Value {
        json!({
            "object": "charge", "id": "chrg_test_1", "amount": 10_000, "currency": "thb", "status": status,
            "failure_code": null, "authorize_uri": null, "card": { "object": "card" },
        })
    }

    fn error(code: &str) -> Value {
        json!({ "object": "error", "location": "https://www.omise.co/api-errors", "code": code, "message": "no" })
    }

    fn reply(status: u16, body: &Value) -> Reply {
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            body: Zeroizing::new(body.to_string().into_bytes()),
        }
    }

    fn with<T>(interpret: impl FnOnce(&Asked<'_>) -> T) -> T {
        let (charge, currency) = (ChargeId::parse("chrg_test_0").unwrap(), Currency::parse("THB").unwrap());
        interpret(&Asked { charge: &charge, amount: Amount::new(10_000).unwrap(), currency: &currency })
    }

    #[test]
    fn each_status_of_a_charge_has_its_meaning() {
        let rejected = FailureCode::PaymentRejected;
        for (status, outcome, found) in [
            ("successful", Outcome::Successful, Found::Successful),
            ("failed", Outcome::Failed(rejected), Found::Failed(rejected)),
            (
                "expired",
                Outcome::Failed(FailureCode::FailedProcessing),
                Found::Failed(FailureCode::FailedProcessing),
            ),
            (
                "reversed",
                Outcome::Failed(FailureCode::FailedProcessing),
                Found::Failed(FailureCode::FailedProcessing),
            ),
            ("pending", Outcome::Unknown, Found::Unpaid),
            ("something_new", Outcome::Unknown, Found::Unknown),
        ] {
            let reply = reply(200, &charge(status));
            assert_eq!(with(|asked| to_charge(&reply, asked)).what, outcome, "{status}");
            assert_eq!(with(|asked| to_charge_inquiry(&reply, asked)).what, found, "{status}");
        }
    }

    #[test]
    fn failure_codes_are_taken_by_name() {
        for code in FailureCode::ALL {
            let mut body = charge("failed");
            body["failure_code"] = code.as_str().into();
            let said = with(|asked| to_charge(&reply(200, &body), asked));
            assert_eq!((said.what, said.code.unwrap().as_str()), (Outcome::Failed(code), code.as_str()));
        }
        let mut body = charge("failed");
        body["failure_code"] = "some_new_code".into();
        let said = with(|asked| to_charge(&reply(200, &body), asked));
        assert_eq!(said.what, Outcome::Failed(FailureCode::PaymentRejected));
        assert_eq!(said.code.unwrap().as_str(), "some_new_code");
    }

    #[test]
    fn a_charge_that_waits_for_its_holder_says_where() {
        let mut body = charge("pending");
        body["authorize_uri"] = "https://api.omise.co/payments/paym_test_1/authorize".into();
        let said = with(|asked| to_charge(&reply(200, &body), asked));
        assert!(matches!(said.what, Outcome::Pending(_)));
        assert_eq!(said.reference.unwrap().as_str(), "chrg_test_1");
        body["authorize_uri"] = "javascript:alert(1)".into();
        assert_eq!(with(|asked| to_charge(&reply(200, &body), asked)).what, Outcome::Unknown);
    }

    #[test]
    fn another_charge_than_the_one_asked_for_is_none() {
        for (name, value) in [("amount", json!(10_001)), ("currency", json!("jpy")), ("id", json!("../x"))] {
            let mut body = charge("successful");
            body[name] = value;
            assert_eq!(with(|asked| to_charge(&reply(200, &body), asked)), Outcome::Unknown.into(), "{name}");
        }
    }

    #[test]
    fn only_omises_own_refusals_mean_that_nothing_was_paid() {
        for (status, body, outcome) in [
            (400, error("invalid_card"), Outcome::Failed(FailureCode::InvalidAccountNumber)),
            (400, error("failed_fraud_check"), Outcome::Failed(FailureCode::FailedFraudCheck)),
            (401, error("authentication_failure"), Outcome::Failed(FailureCode::FailedProcessing)),
            (429, error("too_many_requests"), Outcome::Failed(FailureCode::FailedProcessing)),
            (404, error("used_token"), Outcome::Unknown),
            (429, json!({}), Outcome::Unknown),
            (500, error("internal_error"), Outcome::Unknown),
            (503, error("service_unavailable"), Outcome::Unknown),
            (502, json!("<html>"), Outcome::Unknown),
            (200, json!({}), Outcome::Unknown),
        ] {
            assert_eq!(
                with(|asked| to_charge(&reply(status, &body), asked)).what,
                outcome,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_token_tells_what_became_of_its_charge() {
        let token = Reference::parse("tokn_test_1").unwrap();
        for (used, status, found) in [
            (false, "unknown", Found::NeverArrived),
            (true, "successful", Found::Successful),
            (true, "failed", Found::Failed(FailureCode::PaymentRejected)),
            (true, "pending", Found::Unpaid),
            (true, "unknown", Found::Unknown),
        ] {
            let body =
                json!({ "object": "token", "id": "tokn_test_1", "used": used, "charge_status": status });
            assert_eq!(
                with(|asked| to_token_inquiry(&reply(200, &body), asked, &token)).what,
                found,
                "{status}"
            );
        }
        let other =
            json!({ "object": "token", "id": "tokn_test_2", "used": true, "charge_status": "successful" });
        assert_eq!(with(|asked| to_token_inquiry(&reply(200, &other), asked, &token)).what, Found::Unknown);
        assert_eq!(
            with(|asked| to_token_inquiry(&reply(404, &error("not_found")), asked, &token)).what,
            Found::Unknown
        );
    }
}
