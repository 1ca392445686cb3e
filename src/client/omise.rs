//! Omise's vault, which takes cards from browsers (token API, version 2019-05-29): in the clear, over TLS.

use std::cell::RefCell;
use std::rc::Rc;

use zeroize::Zeroizing;

use super::cardseal::{self, Billing, CardSummary, VaultError, billing_members};
use super::connection::{Call, Connection, Pending, Repeat, Said, basic, read};
use super::vendor::{self, Vendor};
use super::{Answer, Cache, Error, Pkey, Profile, Refusal, RequestId, Token, Transport, VaultAddress};
use crate::card::{Card, Field};
use crate::plain::{self, FromPlain, Json, Plain, Wrong};

/// The way to Omise.
#[derive(Debug, Default)]
pub(super) struct Omise {
    /// The merchant there, once cardseal's vault said who that is.
    account: RefCell<Option<Rc<Account>>>,
}

impl Omise {
    /// Exchanges the card for a token.
    ///
    /// Omise has nothing that ties two requests into one. So it is sent again only where Omise says that it did nothing;
    /// after a lost answer another token may be there, which nobody knows of and nobody uses.
    pub(super) async fn tokenize<T: Transport>(
        &self,
        connection: &Connection<T>,
        card: Card,
        billing: &Billing,
        id: &RequestId,
    ) -> Result<Token, Error> {
        if card.holder.is_none() {
            return Err(Error::Incomplete(Field::Holder));
        }
        let account = self.account(connection, id).await?;
        let answer = connection.send(account.post(create_token(&card, billing))).await?;
        read_answer(&answer).map(|made| Token::Card(made.of(&card)))
    }

    /// The merchant's account, which is at hand from now on.
    pub(super) fn account<'a, T: Transport>(
        &'a self,
        connection: &'a Connection<T>,
        id: &'a RequestId,
    ) -> Pending<'a, Rc<Account>> {
        Box::pin(async move {
            if let Some(account) = self.known() {
                return Ok(account);
            }
            let answer = connection.get(&Profile::Omise.path(), Cache::Default, id).await?;
            self.learn(&answer)
        })
    }

    fn known(&self) -> Option<Rc<Account>> {
        self.account.borrow().clone()
    }

    fn learn(&self, answer: &Answer) -> Result<Rc<Account>, Error> {
        let account = Rc::new(read::<Account>(answer)?);
        *self.account.borrow_mut() = Some(Rc::clone(&account));
        Ok(account)
    }
}

/// A merchant at Omise.
#[derive(Debug)]
pub(super) struct Account {
    authorization: String,
    /// Where cards are posted.
    url: String,
}

impl Account {
    fn post(&self, body: Zeroizing<String>) -> Call<'_> {
        Call {
            url: self.url.clone(),
            body: Some(body),
            headers: vec![("Authorization", &self.authorization), ("Omise-Version", "2019-05-29")],
            cache: Cache::Default,
            repeat: Repeat::Unprocessed,
        }
    }
}

impl FromPlain for Account {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        let (key, address) = plain.object(|members| {
            let mut text = |name| members.required::<String>(name);
            (Pkey::parse(&text("public_key")), VaultAddress::parse(&text("address")))
        })?;
        let (Ok(key), Ok(address)) = (key, address) else {
            return Err(Wrong::new("expected a public key and an address"));
        };
        Ok(Self { authorization: basic(&key), url: [address.as_str(), "/tokens"].concat() })
    }
}

/// The body of `POST /tokens`, in a buffer that never grows and so leaves no copy behind.
fn create_token(card: &Card, billing: &Billing) -> Zeroizing<String> {
    let mut members = vec![
        // EXPOSE: Omise takes cards as they are. The page has no part in it: they go from here over TLS.
        ("name", card.holder.as_ref().map(|name| Json::Text(name.expose()))),
        ("number", Some(Json::Text(card.number.expose()))),
        ("expiration_month", Some(Json::Number(card.expiry.month().into()))),
        ("expiration_year", Some(Json::Number(card.expiry.year().into()))),
        ("security_code", card.security_code.as_ref().map(|code| Json::Text(code.expose()))),
    ];
    members.extend_from_slice(&billing_members(billing));
    let longest = |(_, value): &(_, Option<Json<'_>>)| match value {
        Some(Json::Text(text)) => MAX_ESCAPED * text.len(),
        _ => 0,
    };
    let room = ROOM + members.iter().map(longest).sum::<usize>();
    let mut json = Zeroizing::new(String::with_capacity(room));
    plain::write(&mut json, &[("card", Some(Json::Object(&members)))]);
    json
}

/// Bytes that a character takes at the most: `\u001f`.
const MAX_ESCAPED: usize = 6;
/// Bytes for the names of all members, and for the numbers.
const ROOM: usize = 512;

/// What Omise's answer says.
fn read_answer(answer: &Answer) -> Result<Made, Error> {
    let status = answer.status;
    let vendor = |code| Vendor { name: Profile::Omise, status: Some(status), code, correlation_id: None };
    match Said::hear(answer)? {
        Said::Done(plain) => Made::from_plain(&plain).map_err(|_| Error::BadAnswer { status }),
        Said::Refused(VaultError { code, message, .. }) => {
            let (refusal, message) = match &*code {
                "invalid_card" => {
                    let Complaint { field, message } = Complaint::parse(&message);
                    (Refusal::InvalidCard(field), message)
                }
                _ => (Refusal::VendorRefused, message),
            };
            let message = vendor::sentence(message).unwrap_or_else(|| "Omise refused the card".into());
            let vendor = Some(vendor(vendor::identifier(code)));
            Err(Error::Refused { refusal, status, message, vendor })
        }
        Said::Unavailable(complaint) => {
            let code = complaint.and_then(|complaint| vendor::identifier(complaint.code));
            Err(Error::VendorUnavailable { status, vendor: vendor(code) })
        }
    }
}

/// What Omise finds wrong with a card. Its `invalid_card` says it in a sentence, which its SDKs take apart in this way
/// (omise-ios, `OmiseError.APIErrorCode.InvalidCardReason`).
struct Complaint {
    /// The first field that it names.
    field: Option<Field>,
    message: String,
}

impl Complaint {
    fn parse(message: &str) -> Self {
        #[expect(clippy::manual_pattern_char_comparison, reason = "for a char there is memchr, which weighs")]
        let parts = message.split(|c| c == ',').map(|part| without_and(part.trim_start_matches(' ')));
        let mut parts: Vec<&str> = parts.collect();
        // No brand has a number that is none, and nobody needs to be told.
        if parts.iter().any(|part| has(part, "number")) {
            parts.retain(|part| has(part, "number") || !has(part, "brand"));
        }
        Self { field: parts.iter().find_map(|part| field(part)), message: parts.join(", ") }
    }
}

fn without_and(part: &str) -> &str {
    part.strip_prefix("and ").unwrap_or(part)
}

fn field(part: &str) -> Option<Field> {
    let fields = [
        ("number", Field::Number),
        ("expiration", Field::Expiry),
        ("name", Field::Holder),
        ("brand", Field::Number),
    ];
    fields.into_iter().find(|(word, _)| has(part, word)).map(|(_, field)| field)
}

/// Whether a word is in a text. What `str` has for it is made for long texts, and weighs.
fn has(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|window| window == word.as_bytes())
}

/// Omise's token. Its card may be empty, or missing.
struct Made {
    id: String,
    livemode: bool,
    used: bool,
    card: MadeCard,
    created_at: String,
}

#[derive(Default)]
struct MadeCard {
    brand: Option<String>,
    last_digits: Option<String>,
    expiration_month: Option<u8>,
    expiration_year: Option<u16>,
    name: Option<String>,
    security_code_check: Option<bool>,
}

impl FromPlain for Made {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.object(|members| Self {
            id: members.required("id"),
            livemode: members.required("livemode"),
            used: members.optional("used").unwrap_or_default(),
            card: members.optional("card").unwrap_or_default(),
            created_at: members.required("created_at"),
        })
    }
}

impl FromPlain for MadeCard {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.object(|members| Self {
            brand: members.optional("brand"),
            last_digits: members.optional("last_digits"),
            expiration_month: members.optional("expiration_month"),
            expiration_year: members.optional("expiration_year"),
            name: members.optional("name"),
            security_code_check: members.optional("security_code_check"),
        })
    }
}

impl Made {
    /// The token, with what Omise left out of its card from the card itself.
    fn of(self, card: &Card) -> cardseal::Token {
        let Self { id, livemode, used, card: told, created_at } = self;
        let summary = CardSummary {
            brand: told.brand.unwrap_or_else(|| card.number.brand().name().into()),
            last_digits: told.last_digits.unwrap_or_else(|| card.number.last_digits().into()),
            expiration_month: told.expiration_month.unwrap_or_else(|| card.expiry.month()),
            expiration_year: told.expiration_year.unwrap_or_else(|| card.expiry.year()),
            name: told.name,
            security_code_check: told.security_code_check.unwrap_or_default(),
        };
        cardseal::Token { id, livemode, used, card: summary, created_at }
    }
}
