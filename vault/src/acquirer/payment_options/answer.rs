//! What Payment Options' answers come to. Nothing of them is believed but what fits what was asked, and none of their
//! words gets further than the log: they may have a card number in them.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Number;

use super::response_code::failure;
use crate::acquirer::decimal::Decimal;
use crate::acquirer::{AuthorizeUri, Code, Found, Keeping, Outcome, Reference, Said, StoredMethod};
use crate::charge::{Currency, FailureCode};
use crate::id::ChargeId;
use crate::vendor::http::Reply;

/// What an answer is held against.
pub(super) struct Asked<'a> {
    pub(super) charge: &'a ChargeId,
    pub(super) amount: Decimal,
    pub(super) currency: &'a Currency,
}

/// An answer to a purchase, or to the question what became of one. Members that are of no use here, the card among them,
/// are not read. It is never shown: a number may be in a message.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    success: Option<bool>,
    redirect_url: Option<String>,
    message: Option<String>,
    error: Option<String>,
    gateway_response: Option<GatewayResponse>,
    merchant_details: Option<MerchantDetails>,
    payment_details: Option<PaymentDetails>,
    transaction_details: Option<TransactionDetails>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GatewayResponse {
    message: Option<String>,
    code: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MerchantDetails {
    merchant_txn_ref: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PaymentDetails {
    amount: Option<Scalar>,
    currency: Option<String>,
    response_code: Option<Scalar>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TransactionDetails {
    id: Option<String>,
    merchant_txn_ref: Option<String>,
    stored_payment_method_id: Option<String>,
}

/// A number, or the same as a text: its documents have both.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(Number),
    Text(String),
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// What an answer says of a purchase.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Paid,
    Declined(FailureCode),
    /// The holder is to go there first.
    Redirected(AuthorizeUri),
    /// Not what was asked about, or nothing that one could go by.
    Unclear(&'static str),
}

/// What came of a purchase. `by_method` says whether it was asked for with a stored payment method.
pub(super) fn to_purchase(reply: &Reply, asked: &Asked<'_>, by_method: bool) -> Said<Outcome> {
    let body = read(reply);
    let failed = |code| Outcome::Failed(code);
    let mut said = match (reply.status, &body) {
        (StatusCode::OK | StatusCode::CREATED, Some(body)) => {
            let told = body.told(asked);
            let believed = !matches!(told, Told::Unclear(_));
            let outcome = match told {
                Told::Paid => Outcome::Successful,
                Told::Declined(code) => failed(code),
                Told::Redirected(uri) => Outcome::Pending(uri),
                Told::Unclear(why) => {
                    unclear(asked, reply, why);
                    Outcome::Unknown
                }
            };
            body.said(outcome, believed)
        }
        // A refusal of something else tells nothing of this.
        (status, Some(body)) if status.is_client_error() && body.contradiction(asked).is_some() => {
            unclear(asked, reply, "it refuses another purchase");
            return Outcome::Unknown.into();
        }
        // The documented refusals: nothing was paid.
        (StatusCode::BAD_REQUEST | StatusCode::PRECONDITION_FAILED, _) => {
            failed(refusal(body.as_ref())).into()
        }
        (StatusCode::NOT_ACCEPTABLE, _) => failed(FailureCode::InvalidAccountNumber).into(),
        (StatusCode::UNAUTHORIZED, _) => failed(FailureCode::FailedProcessing).into(),
        (StatusCode::NOT_FOUND, _) => {
            let method = if by_method { Keeping::Gone } else { Keeping::AsBefore };
            Said { method, ..failed(FailureCode::FailedProcessing).into() }
        }
        _ => {
            unclear(asked, reply, "it is no answer of its documents");
            return Outcome::Unknown.into();
        }
    };
    if said.what != Outcome::Unknown {
        let risk = body.as_ref().and_then(Body::risk_code).and_then(|code| Code::parse(&code));
        said.code = risk.or(said.code);
    }
    if matches!(said.what, Outcome::Failed(_)) {
        tell(asked, reply, body.as_ref());
    }
    said
}

/// What became of a purchase. `is_found_by_ours` says that a purchase would be found by the name that was asked with, so
/// that one that is not found was never made.
pub(super) fn to_inquiry(reply: &Reply, asked: &Asked<'_>, is_found_by_ours: bool) -> Said<Found> {
    let body = read(reply);
    match (reply.status, &body) {
        (StatusCode::OK | StatusCode::CREATED, Some(body)) => {
            // No answer to this question is documented to leave the name out.
            let told = body.mismatch(asked).map_or_else(|| body.told(asked), Told::Unclear);
            let believed = !matches!(told, Told::Unclear(_));
            let found = match told {
                Told::Paid => Found::Successful,
                Told::Declined(code) => Found::Failed(code),
                Told::Redirected(_) => Found::Unpaid,
                Told::Unclear(why) => {
                    unclear(asked, reply, why);
                    Found::Unknown
                }
            };
            body.said(found, believed)
        }
        (StatusCode::NOT_FOUND, _) if is_found_by_ours => Found::NeverArrived.into(),
        // As good as no answer, and what comes of most that wait for their holder.
        (StatusCode::NOT_FOUND, _) => Found::Unknown.into(),
        _ => {
            unclear(asked, reply, "it does not say what became of the purchase");
            Found::Unknown.into()
        }
    }
}

/// The name that a notice gives to a purchase: a hint.
pub(crate) fn hint(notice: &[u8]) -> Option<Reference> {
    let body: Body = serde_json::from_slice(notice).ok()?;
    Reference::parse(body.transaction_details?.id.as_deref()?)
}

fn read(reply: &Reply) -> Option<Body> {
    serde_json::from_slice(&reply.body).ok()
}

impl Body {
    fn told(&self, asked: &Asked<'_>) -> Told {
        // Looked at before anything else: what names another purchase says nothing of this one, an address included.
        if let Some(why) = self.contradiction(asked) {
            return Told::Unclear(why);
        }
        // A success with an address is none yet. Its documents show it without the purchase's name.
        if let Some(address) = &self.redirect_url {
            return match (self.success, AuthorizeUri::parse(address)) {
                (Some(true), Some(address)) => Told::Redirected(address),
                _ => Told::Unclear("it sends the holder to no address that could be used"),
            };
        }
        // What was not even tried has no details.
        if self.success == Some(false) && self.payment_details.is_none() && self.risk_code().is_some() {
            return Told::Declined(FailureCode::FailedFraudCheck);
        }
        if let Some(why) = self.mismatch(asked) {
            return Told::Unclear(why);
        }
        let code = self.payment_details.as_ref().and_then(|details| details.response_code.as_ref());
        let code = code.and_then(|code| code.text().parse::<i64>().ok());
        match (self.success, code) {
            (Some(true), Some(0)) if self.gateway_code() == Some(CANCELLED) => {
                Told::Declined(FailureCode::FailedProcessing)
            }
            (Some(true), Some(0)) => Told::Paid,
            // The first of two may have been paid.
            (Some(false), Some(DUPLICATE)) => Told::Unclear("it is a duplicate of another purchase"),
            (Some(false), Some(code)) if code != 0 => Told::Declined(failure(code)),
            _ => Told::Unclear("success and response_code do not fit"),
        }
    }

    /// Why this is not about the purchase that was asked about, or does not say that it is.
    fn mismatch(&self, asked: &Asked<'_>) -> Option<&'static str> {
        if self.names().next().is_none() {
            return Some("there is no merchant_txn_ref");
        }
        if let Some(details) = &self.payment_details
            && (details.amount.is_none() || details.currency.is_none())
        {
            return Some("there is no amount or no currency");
        }
        self.contradiction(asked)
    }

    /// Why this is about another purchase than the one that was asked about, if anything in it says so.
    fn contradiction(&self, asked: &Asked<'_>) -> Option<&'static str> {
        if !self.names().all(|name| name == asked.charge.as_str()) {
            return Some("merchant_txn_ref is not the charge's");
        }
        let details = self.payment_details.as_ref()?;
        if !details.amount.as_ref().is_none_or(|amount| asked.amount.is(&amount.text())) {
            return Some("amount is not the charge's");
        }
        let same = |currency: &String| currency.eq_ignore_ascii_case(asked.currency.as_str());
        (!details.currency.as_ref().is_none_or(same)).then_some("currency is not the charge's")
    }

    /// Every name of the merchant's for the purchase that is in it.
    fn names(&self) -> impl Iterator<Item = &String> {
        let of_merchant =
            self.merchant_details.as_ref().and_then(|details| details.merchant_txn_ref.as_ref());
        let transaction = self.transaction_details.as_ref();
        let of_transaction = transaction.and_then(|details| details.merchant_txn_ref.as_ref());
        of_merchant.into_iter().chain(of_transaction)
    }

    /// What it comes to, with its own words for it if it is about what was asked.
    fn said<T>(&self, what: T, believed: bool) -> Said<T> {
        let code = self.payment_details.as_ref().and_then(|details| details.response_code.as_ref());
        let code = code.and_then(|code| Code::parse(&code.text()));
        let details = self.transaction_details.as_ref().filter(|_| believed);
        let method =
            details.and_then(|details| StoredMethod::parse(details.stored_payment_method_id.as_deref()?));
        Said {
            what,
            reference: details.and_then(|details| Reference::parse(details.id.as_deref()?)),
            code: code.filter(|_| believed),
            method: method.map_or(Keeping::AsBefore, Keeping::Kept),
        }
    }

    fn gateway_code(&self) -> Option<&str> {
        self.gateway_response.as_ref()?.code.as_deref()
    }

    fn message(&self) -> Option<&str> {
        let of_gateway = self.gateway_response.as_ref().and_then(|response| response.message.as_deref());
        of_gateway.or(self.message.as_deref()).or(self.error.as_deref())
    }

    /// The code of the risk engine, `Err3004`, wherever in the message it stands.
    fn risk_code(&self) -> Option<String> {
        let texts = [self.gateway_code(), self.message()];
        texts.into_iter().flatten().find_map(|text| {
            let code: String = text[text.find("Err30")?..].chars().take(RISK_CODE_CHARS).collect();
            let is_one = code.len() == RISK_CODE_CHARS && code[3..].bytes().all(|byte| byte.is_ascii_digit());
            is_one.then_some(code)
        })
    }
}

/// `Err3004`
const RISK_CODE_CHARS: usize = 7;

/// A purchase that was taken back.
const CANCELLED: &str = "INFO0003";

/// A purchase of which there was another one (its code for "duplicate transmission").
const DUPLICATE: i64 = 94;

/// Why a purchase was not even tried.
fn refusal(body: Option<&Body>) -> FailureCode {
    let code =
        body.and_then(|body| body.payment_details.as_ref()?.response_code.as_ref()?.text().parse().ok());
    match (body.and_then(Body::risk_code), code) {
        (Some(_), _) => FailureCode::FailedFraudCheck,
        (None, Some(code)) if code != 0 => failure(code),
        _ => FailureCode::FailedProcessing,
    }
}

fn unclear(asked: &Asked<'_>, reply: &Reply, why: &'static str) {
    let status = reply.status.as_u16();
    tracing::error!(charge = %asked.charge, status, why, "Payment Options' answer says nothing certain");
}

/// Tells the operator in Payment Options' words. Whatever stood in digits there does not get this far.
fn tell(asked: &Asked<'_>, reply: &Reply, body: Option<&Body>) {
    let (status, said) =
        (reply.status.as_u16(), body.and_then(Body::message).map(scrubbed).unwrap_or_default());
    match reply.status {
        StatusCode::OK | StatusCode::CREATED => {
            tracing::info!(charge = %asked.charge, status, said, "Payment Options declined a purchase");
        }
        _ => tracing::error!(charge = %asked.charge, status, said, "Payment Options refused a purchase"),
    }
}

/// Most characters of a message that are logged.
const MOST_CHARS: usize = 200;

/// A message without its digits, of whatever script, for those may be a card's.
fn scrubbed(message: &str) -> String {
    let digitless = |character: char| if character.is_numeric() { '#' } else { character };
    message.chars().take(MOST_CHARS).map(digitless).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};
    use zeroize::Zeroizing;

    use super::*;
    use crate::charge::Amount;

    const CHARGE: &str = "chrg_test_1";

    fn purchase() -> Value {
        json!({
            "success": true,
            "gateway_response": { "message": "Payment Successful.", "code": "INFO0000" },
            "merchant_details": { "merchant_txn_ref": CHARGE },
            "payment_details": { "amount": 100, "response_code": 0, "currency": "THB" },
            "transaction_details": {
                "id": "fc565b43-26f5-4906-92ae-d849edc3c3a1",
                "merchant_txn_ref": CHARGE,
                "stored_payment_method_id": "094db781-fabc-4c6d-8fcd-18bee06a527a",
            },
        })
    }

    fn reply(status: u16, body: &Value) -> Reply {
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            body: Zeroizing::new(body.to_string().into_bytes()),
        }
    }

    fn with<T>(interpret: impl FnOnce(&Asked<'_>) -> T) -> T {
        let (charge, currency) = (ChargeId::parse(CHARGE).unwrap(), Currency::parse("THB").unwrap());
        let amount = Decimal::new(Amount::new(10_000).unwrap(), &currency).unwrap();
        interpret(&Asked { charge: &charge, amount, currency: &currency })
    }

    fn outcome(status: u16, body: &Value) -> Said<Outcome> {
        with(|asked| to_purchase(&reply(status, body), asked, false))
    }

    #[test]
    fn a_purchase_that_is_the_one_asked_for_is_paid_with_its_names() {
        let said = outcome(201, &purchase());
        assert_eq!(said.what, Outcome::Successful);
        assert_eq!(said.reference.unwrap().as_str(), "fc565b43-26f5-4906-92ae-d849edc3c3a1");
        assert_eq!(said.code.unwrap().as_str(), "0");
        assert_eq!(
            said.method,
            Keeping::Kept(StoredMethod::parse("094db781-fabc-4c6d-8fcd-18bee06a527a").unwrap())
        );
    }

    /// The document's example of what a schema describes, put together from those of its members.
    fn example(schema: &Value) -> Value {
        match schema["properties"].as_object() {
            Some(members) => members.iter().map(|(name, schema)| (name.clone(), example(schema))).collect(),
            None => schema["example"].clone(),
        }
    }

    #[test]
    fn the_answer_that_its_document_shows_is_understood() {
        let document: Value = serde_json::from_str(cardseal_sandbox::payment_options::OPENAPI).unwrap();
        let path = "/paths/~1api~1v1~1server-to-server-interface~1payment/post/responses/201/content/application~1json/schema";
        let mut shown = example(document.pointer(path).unwrap());
        // The one thing that is the merchant's own.
        for part in ["merchant_details", "transaction_details"] {
            assert_eq!(shown[part]["merchant_txn_ref"], "qwe");
            shown[part]["merchant_txn_ref"] = CHARGE.into();
        }
        let (charge, currency) = (ChargeId::parse(CHARGE).unwrap(), Currency::parse("JPY").unwrap());
        let amount = Decimal::new(Amount::new(1000).unwrap(), &currency).unwrap();
        let asked = Asked { charge: &charge, amount, currency: &currency };
        let said = to_purchase(&reply(201, &shown), &asked, false);
        assert_eq!(said.what, Outcome::Successful);
        assert_eq!(said.reference.unwrap().as_str(), shown["transaction_details"]["id"]);
        let stored = shown["transaction_details"]["stored_payment_method_id"].as_str().unwrap();
        assert_eq!(said.method, Keeping::Kept(StoredMethod::parse(stored).unwrap()));
    }

    #[test]
    fn whatever_does_not_fit_what_was_asked_is_unknown_and_its_names_are_not_kept() {
        let changes: [(&str, Value); 9] = [
            ("/payment_details/amount", json!(101)),
            ("/payment_details/amount", json!("10000")),
            ("/payment_details/amount", Value::Null),
            ("/payment_details/currency", json!("JPY")),
            ("/merchant_details/merchant_txn_ref", json!("chrg_test_2")),
            ("/transaction_details/merchant_txn_ref", json!("chrg_test_2")),
            ("/payment_details/response_code", json!(5)),
            ("/payment_details/response_code", Value::Null),
            ("/success", json!(false)),
        ];
        for (path, value) in changes {
            let mut body = purchase();
            *body.pointer_mut(path).unwrap() = value;
            assert_eq!(outcome(201, &body), Outcome::Unknown.into(), "{path}");
        }
        for body in [json!({}), json!([]), json!("ok"), json!({ "success": true })] {
            assert_eq!(outcome(201, &body).what, Outcome::Unknown, "{body}");
        }
    }

    #[test]
    fn the_status_call_names_the_purchase_in_one_place_only() {
        let mut body = purchase();
        body["transaction_details"].as_object_mut().unwrap().remove("merchant_txn_ref");
        body["payment_details"]["amount"] = json!("100.00");
        with(|asked| {
            assert_eq!(to_inquiry(&reply(200, &body), asked, false).what, Found::Successful);
            assert_eq!(to_inquiry(&reply(404, &json!({})), asked, true).what, Found::NeverArrived);
            assert_eq!(to_inquiry(&reply(404, &json!({})), asked, false).what, Found::Unknown);
            for status in [400, 401, 429, 500, 502, 503, 504] {
                assert_eq!(to_inquiry(&reply(status, &body), asked, true).what, Found::Unknown, "{status}");
            }
        });
    }

    #[test]
    fn statuses_are_taken_as_documented_and_others_as_unknown() {
        for (status, what) in [
            (400, Outcome::Failed(FailureCode::FailedProcessing)),
            (401, Outcome::Failed(FailureCode::FailedProcessing)),
            (404, Outcome::Failed(FailureCode::FailedProcessing)),
            (406, Outcome::Failed(FailureCode::InvalidAccountNumber)),
            (412, Outcome::Failed(FailureCode::FailedProcessing)),
            (302, Outcome::Unknown),
            (403, Outcome::Unknown),
            (429, Outcome::Unknown),
            (500, Outcome::Unknown),
            (502, Outcome::Unknown),
            (503, Outcome::Unknown),
            (504, Outcome::Unknown),
        ] {
            assert_eq!(outcome(status, &json!({})), what.into(), "{status}");
        }
        let said = with(|asked| to_purchase(&reply(404, &json!({})), asked, true));
        assert_eq!(said.method, Keeping::Gone);
    }

    #[test]
    fn the_risk_engine_is_heard_wherever_it_speaks() {
        for number in [3001, 3002, 3003, 3004, 3005, 3006, 3008, 3012, 3013, 3015] {
            let message = format!("Err{number}: PAN 4000000000001000 is found on Entity's blacklist");
            for body in [
                json!({ "success": false, "gateway_response": { "message": message } }),
                json!({ "success": false, "message": message }),
                json!({ "success": false, "error": message }),
            ] {
                for status in [200, 400] {
                    let said = outcome(status, &body);
                    assert_eq!(said.what, Outcome::Failed(FailureCode::FailedFraudCheck));
                    assert_eq!(said.code.unwrap().as_str(), format!("Err{number}"));
                }
            }
        }
    }

    #[test]
    fn a_success_with_an_address_is_none_yet() {
        let body = |url| json!({ "success": true, "statusCode": 200, "redirect_url": url });
        let said = outcome(200, &body("https://3ds.example/a"));
        assert_eq!(said.what, Outcome::Pending(AuthorizeUri::parse("https://3ds.example/a").unwrap()));
        assert_eq!(outcome(200, &body("http://3ds.example/a")).what, Outcome::Unknown);
        assert_eq!(outcome(200, &body("https://3ds.example/4242424242424242")).what, Outcome::Unknown);
    }

    /// Another purchase's address, refusal or warning is none of this one, wherever it says whose it is.
    #[test]
    fn what_names_another_purchase_is_not_believed_in_anything() {
        let other = json!({ "merchant_txn_ref": "chrg_test_2" });
        let wrong = [
            json!({ "merchant_details": other }),
            json!({ "transaction_details": other }),
            json!({ "merchant_details": { "merchant_txn_ref": CHARGE }, "transaction_details": other }),
            json!({ "payment_details": { "amount": 101 } }),
            json!({ "payment_details": { "currency": "JPY" } }),
        ];
        let told = [
            (200, json!({ "success": true, "redirect_url": "https://3ds.example/a" })),
            (200, json!({ "success": false, "message": "Err3004: on the blacklist" })),
            (400, json!({ "success": false, "message": "Err3004: on the blacklist" })),
            (401, json!({})),
            (404, json!({})),
            (406, json!({})),
            (412, json!({ "payment_details": { "response_code": 51 } })),
        ];
        for (status, body) in told {
            assert_ne!(outcome(status, &body).what, Outcome::Unknown, "{status} {body}");
            for wrong in &wrong {
                let mut body = body.clone();
                for (name, member) in wrong.as_object().unwrap() {
                    body[name] = member.clone();
                }
                assert_eq!(outcome(status, &body), Outcome::Unknown.into(), "{status} {body}");
                let found = with(|asked| to_inquiry(&reply(200, &body), asked, true));
                assert_eq!(found, Found::Unknown.into(), "{body}");
            }
        }
        // Whoever is asked what became of a purchase has to say of which one it speaks.
        let nameless = json!({ "success": true, "redirect_url": "https://3ds.example/a" });
        assert_eq!(with(|asked| to_inquiry(&reply(200, &nameless), asked, true)).what, Found::Unknown);
    }

    #[test]
    fn duplicates_and_purchases_that_were_taken_back_are_not_taken_for_others() {
        let mut body = purchase();
        body["success"] = false.into();
        body["payment_details"]["response_code"] = json!(94);
        assert_eq!(outcome(201, &body).what, Outcome::Unknown);
        let mut body = purchase();
        body["gateway_response"]["code"] = "INFO0003".into();
        assert_eq!(outcome(201, &body).what, Outcome::Failed(FailureCode::FailedProcessing));
    }

    #[test]
    fn messages_are_logged_without_digits() {
        assert_eq!(scrubbed("PAN 4000 ٤٢ is found"), "PAN #### ## is found");
        assert_eq!(scrubbed(&"x".repeat(500)).len(), MOST_CHARS);
    }

    #[test]
    fn hints_are_names_and_nothing_else() {
        let notice = |id: &str| json!({ "transaction_details": { "id": id } }).to_string();
        assert_eq!(hint(notice("fc565b43").as_bytes()), Reference::parse("fc565b43"));
        for notice in [notice("../payment"), notice("4242424242424242"), "{}".into(), "<html>".into()] {
            assert_eq!(hint(notice.as_bytes()), None, "{notice}");
        }
    }
}
