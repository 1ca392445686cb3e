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
            path: without_cards(&exchange.path),
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

/// A path as a text. No card belongs there, and one that is there all the same is not shown.
fn without_cards(path: &str) -> String {
    let shown = pieces(path).into_iter().map(|piece| match piece {
        Piece::Text(text) => text,
        Piece::Black(length) | Piece::Sealed(length) => "#".repeat(length),
    });
    shown.collect()
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

/// The digits of a card that begin within a word: a number whose check digit fits, in one piece or in groups, or the value
/// of a member that is called a code.
fn secret_digits(text: &str, at: usize, length: usize) -> Option<(usize, usize)> {
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let begins = |from: &usize| is_digit(*from) && !(*from > 0 && is_digit(*from - 1));
    (at..at + length).filter(begins).find_map(|from| {
        let digits = text[from..].bytes().take_while(u8::is_ascii_digit).count();
        let is_code = (3..=4).contains(&digits) && is_code(&text[..from]);
        let end = end_of_number(&text[from..]).or(is_code.then_some(digits))?;
        Some((from, from + end))
    })
}

/// How long the card number is that a text begins with. Between its groups there is one character, or a space as addresses
/// and forms have it.
fn end_of_number(text: &str) -> Option<usize> {
    let (mut digits, mut at, mut found) = (String::new(), 0, None);
    loop {
        let group = text[at..].bytes().take_while(u8::is_ascii_digit).count();
        digits.push_str(&text[at..at + group]);
        at += group;
        if group == 0 || digits.len() > 19 {
            return found;
        }
        if digits.len() >= 12 && passes_luhn(&digits) {
            found = Some(at);
        }
        match text.as_bytes().get(at) {
            Some(b' ' | b'-' | b'+') => at += 1,
            Some(b'%') if text[at..].starts_with("%20") => at += 3,
            _ => return found,
        }
    }
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
            ("number=4242-4242+4242%204242;", vec![text("number="), Piece::Black(21), text(";")]),
            (r#"{"amount":"1000","city":"กรุงเทพ"}"#, vec![text(r#"{"amount":"1000","city":"กรุงเทพ"}"#)]),
            ("", vec![]),
        ] {
            assert_eq!(pieces(body), expected, "{body}");
        }
    }
}
