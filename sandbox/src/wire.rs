//! What went over each wire, for people to look at: a card is blacked out where somebody on the way could have read it,
//! and a seal is named where nobody could. What comes out of here holds no card.

use serde::Serialize;

use crate::luhn::passes_luhn;
use crate::record::Exchange;

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wire {
    /// Its number, in the order in which all servers answered.
    pub number: u64,
    /// Who asked: `browser`, `shop` or `vault`.
    pub from: &'static str,
    /// Who was asked: `vault`, or a vendor's name.
    pub to: String,
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The status; none if the connection ended instead.
    pub status: Option<u16>,
    /// The request's body.
    pub request: Vec<Piece>,
    /// The answer's body.
    pub answer: Vec<Piece>,
}

/// A piece of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// A card number or a security code that stood there in the clear, by how many digits it had.
    Black(usize),
    /// A JWE, by how many characters it had.
    Sealed(usize),
    /// Anything else, as it was.
    Text(String),
}

impl Wire {
    /// What a server was asked.
    #[must_use]
    pub fn new(to: &str, exchange: &Exchange) -> Self {
        Self {
            number: exchange.number,
            from: sender(exchange),
            to: to.into(),
            method: exchange.method.clone(),
            path: exchange.path.clone(),
            status: exchange.answer.as_ref().map(|answer| answer.status),
            request: pieces(&exchange.body),
            answer: exchange.answer.as_ref().map(|answer| pieces(&answer.body)).unwrap_or_default(),
        }
    }
}

/// Browsers all say that they are Mozilla, or name the page that asks; the vault names itself.
fn sender(exchange: &Exchange) -> &'static str {
    let agent = exchange.header("user-agent").unwrap_or_default();
    if exchange.header("origin").is_some() || agent.starts_with("Mozilla/") {
        "browser"
    } else if agent == "cardseal-vault" {
        "vault"
    } else {
        "shop"
    }
}

/// Takes a body apart.
#[must_use]
pub fn pieces(body: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (start, end, piece) = next_secret(rest).unwrap_or((rest.len(), rest.len(), None));
        if start > 0 {
            pieces.push(Piece::Text(rest[..start].into()));
        }
        pieces.extend(piece);
        rest = &rest[end..];
    }
    pieces
}

/// Where the next card number, security code or JWE begins and ends.
fn next_secret(text: &str) -> Option<(usize, usize, Option<Piece>)> {
    let of_jwe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let mut at = 0;
    while at < text.len() {
        let run = text[at..].bytes().take_while(|byte| of_jwe(*byte)).count();
        let word = &text[at..at + run];
        if word.matches('.').count() == 4 && word.starts_with("ey") {
            return Some((at, at + run, Some(Piece::Sealed(run))));
        }
        if let Some((start, end)) = secret_digits(text, at, run) {
            return Some((start, end, Some(Piece::Black(end - start))));
        }
        at += run;
        at += text[at..].chars().next().map_or(0, char::len_utf8);
    }
    None
}

/// The digits of a card within a word: a number whose check digit fits, or the value of a member that is called a code.
fn secret_digits(text: &str, at: usize, length: usize) -> Option<(usize, usize)> {
    let word = &text[at..at + length];
    let mut from = 0;
    while from < length {
        let digits = word[from..].bytes().take_while(u8::is_ascii_digit).count();
        let is_number = (12..=19).contains(&digits) && passes_luhn(&word[from..from + digits]);
        if is_number || ((3..=4).contains(&digits) && is_code(&text[..at + from])) {
            return Some((at + from, at + from + digits));
        }
        from += digits.max(1);
    }
    None
}

/// Whether what comes next is the value of a security code, in JSON or in a form.
fn is_code(before: &str) -> bool {
    let before = before.trim_end_matches(|character: char| " :=\"]".contains(character));
    let before = before.strip_suffix("%5D").unwrap_or(before);
    ["cvc", "cvv", "security_code"].iter().any(|name| before.ends_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_black_and_seals_are_named() {
        let text = |text: &str| Piece::Text(text.into());
        for (body, expected) in [
            (
                r#"{"number":"4242424242424242","cvc":"123"}"#,
                vec![
                    text(r#"{"number":""#),
                    Piece::Black(16),
                    text(r#"","cvc":""#),
                    Piece::Black(3),
                    text(r#""}"#),
                ],
            ),
            (
                "card[number]=4242424242424242&card[security_code]=1234&card%5Bcvv%5D=123",
                vec![
                    text("card[number]="),
                    Piece::Black(16),
                    text("&card[security_code]="),
                    Piece::Black(4),
                    text("&card%5Bcvv%5D="),
                    Piece::Black(3),
                ],
            ),
            (
                r#"{"sealed":"eyJh.aa.bb.cc.dd"}"#,
                vec![text(r#"{"sealed":""#), Piece::Sealed(16), text(r#""}"#)],
            ),
            ("Err3004: PAN 4000000000001000 is found", {
                vec![text("Err3004: PAN "), Piece::Black(16), text(" is found")]
            }),
            (r#"{"amount":"1000","city":"กรุงเทพ"}"#, vec![text(r#"{"amount":"1000","city":"กรุงเทพ"}"#)]),
            ("", vec![]),
        ] {
            assert_eq!(pieces(body), expected, "{body}");
        }
    }
}
