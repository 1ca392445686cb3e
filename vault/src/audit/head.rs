//! Where a chain ends. Heads leave the database, so that whoever writes there can cut nothing off the end unseen.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde_json::json;

use crate::id::MerchantId;
use crate::keys::mac::MAC_BYTES;
use crate::time::Timestamp;

/// The last row of a chain, at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose chain it is; none for the vault's own.
    pub merchant: Option<MerchantId>,
    /// How many rows it has.
    pub seq: u64,
    /// The MAC of the last.
    pub mac: Vec<u8>,
}

/// What an event or a line that tells of a head is called.
const NAME: &str = "audit_head";

/// What the vault's own chain is called.
const VAULT: &str = "vault";

impl Head {
    /// Whose chain it is, in a word: `vault`, or the merchant's id.
    #[must_use]
    pub fn chain(&self) -> &str {
        chain(self.merchant.as_ref())
    }

    /// Tells the log. A MAC is no secret: without the key nobody can make one.
    pub fn log(&self) {
        let (chain, seq, mac) = (self.chain(), self.seq, letters(&self.mac));
        tracing::info!(chain, seq, mac, "audit_head");
    }

    /// A line for a file of heads, without its end, as the log in JSON would have it.
    #[must_use]
    pub fn line(&self, at: Timestamp) -> String {
        let (at, chain, mac) = (json!(at.to_string()), json!(self.chain()), json!(letters(&self.mac)));
        format!(r#"{{"time":{at},"message":"{NAME}","chain":{chain},"seq":{},"mac":{mac}}}"#, self.seq)
    }

    /// Reads what a line tells: of a file of heads, or of a log in text or JSON, with whatever a collector of logs has put
    /// around it.
    fn read(line: &str) -> Option<Self> {
        let merchant = match value(line, "chain")? {
            VAULT => None,
            id => Some(MerchantId::parse(id)?),
        };
        Some(Self { merchant, seq: value(line, "seq")?.parse().ok()?, mac: of_letters(value(line, "mac")?)? })
    }
}

/// Whose a chain is, in a word.
#[must_use]
pub fn chain(merchant: Option<&MerchantId>) -> &str {
    merchant.map_or(VAULT, MerchantId::as_str)
}

/// A MAC in the letters from a to p, one for four bits: among hexadecimal digits there may be some in a row that look like a
/// card's number.
#[must_use]
pub fn letters(mac: &[u8]) -> String {
    mac.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|bits| char::from(b'a' + bits)).collect()
}

fn of_letters(text: &str) -> Option<Vec<u8>> {
    let bits = |letter: u8| letter.checked_sub(b'a').filter(|bits| *bits < 16);
    let bytes = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(bits(*high)? << 4 | bits(*low)?),
        _ => None,
    });
    bytes.collect::<Option<Vec<_>>>().filter(|mac| mac.len() == MAC_BYTES)
}

/// The value of a field: `name=value`, `name="value"`, `"name":"value"`, `\"name\":value`.
fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    line.match_indices(name).find_map(|(at, _)| {
        if line[..at].ends_with(is_word) {
            return None;
        }
        let rest = line[at + name.len()..].trim_start_matches(['\\', '"']);
        let rest = rest.strip_prefix([':', '='])?.trim_start_matches(['\\', '"', ' ']);
        rest.split(|letter| !is_word(letter)).next().filter(|value| !value.is_empty())
    })
}

/// Heads that have left the database, from one or several files or logs.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    /// By chain and row. Of one row there may be several, where somebody has cut a chain and it has grown again.
    chains: BTreeMap<Option<MerchantId>, BTreeMap<u64, Vec<Vec<u8>>>>,
    /// Lines that name a head and cannot be read.
    unreadable: u64,
}

impl Heads {
    /// Adds those that a log or a file of heads tells of. Other lines are passed over.
    ///
    /// # Errors
    /// What the system said.
    pub fn read(&mut self, mut lines: impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            if text.contains(NAME) {
                match Head::read(&text) {
                    Some(head) => self.add(head),
                    None => self.unreadable += 1,
                }
            }
            line.clear();
        }
        Ok(())
    }

    /// Adds one.
    pub fn add(&mut self, Head { merchant, seq, mac }: Head) {
        let macs = self.chains.entry(merchant).or_default().entry(seq).or_default();
        if !macs.contains(&mac) {
            macs.push(mac);
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }

    /// How many lines name a head and cannot be read: cut off, or from elsewhere.
    #[must_use]
    pub const fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Whose they are.
    pub fn whose(&self) -> impl Iterator<Item = &Option<MerchantId>> {
        self.chains.keys()
    }

    /// The last row of a chain that is known to have been there.
    #[must_use]
    pub fn last(&self, merchant: &Option<MerchantId>) -> Option<u64> {
        Some(*self.chains.get(merchant)?.last_key_value()?.0)
    }

    /// Whether a row of a chain may have this MAC: nothing is known of another.
    #[must_use]
    pub fn allow(&self, merchant: &Option<MerchantId>, seq: u64, mac: &[u8]) -> bool {
        let known = self.chains.get(merchant).and_then(|rows| rows.get(&seq));
        known.is_none_or(|macs| macs.iter().all(|known| known == mac))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::log::redact;
    use crate::merchant::Mode;

    fn head(merchant: Option<MerchantId>) -> Head {
        Head { merchant, seq: 17, mac: (0..32).map(|byte| byte * 8).collect() }
    }

    #[test]
    fn a_head_is_read_as_it_is_written_wherever_it_went() {
        for head in [head(None), head(Some(MerchantId::random(Mode::Live)))] {
            let line = head.line(Timestamp::from_unix_seconds(1));
            let (chain, mac) = (head.chain(), letters(&head.mac));
            let text =
                format!("2026-11-22T12:00:00Z INFO  audit_head chain=\"{chain}\" seq=17 mac=\"{mac}\"");
            for line in [
                line.clone(),
                format!("Nov 22 12:00:00 vault1 cardseal-vault[7]: {text} request_id=\"1\"\n"),
                format!("{{\"log\":{},\"stream\":\"stderr\"}}\n", json!(line)),
                text,
            ] {
                assert_eq!(redact(&line), line);
                let mut heads = Heads::default();
                heads.read(line.as_bytes()).unwrap();
                assert_eq!((heads.last(&head.merchant), heads.unreadable()), (Some(17), 0), "{line}");
                assert!(
                    heads.allow(&head.merchant, 17, &head.mac) && !heads.allow(&head.merchant, 17, b"other")
                );
            }
        }
    }

    #[test]
    fn other_lines_are_passed_over_and_broken_ones_counted() {
        let line = head(None).line(Timestamp::from_unix_seconds(1));
        let mut heads = Heads::default();
        heads.read(&b"{\"message\":\"request\",\"status\":200}\n\xff\n\n"[..]).unwrap();
        assert!(heads.is_empty() && heads.unreadable() == 0);
        heads.read(&line.as_bytes()[..line.len() - 10]).unwrap();
        heads.read(line.replace("\"vault\"", "\"merchant\"").as_bytes()).unwrap();
        heads.read(line.replace("\"seq\":17", "\"seq\":-1").as_bytes()).unwrap();
        assert!(heads.is_empty() && heads.unreadable() == 3);
    }

    #[test]
    fn a_row_that_was_told_of_twice_and_otherwise_is_neither() {
        let mut heads = Heads::default();
        heads.add(head(None));
        heads.add(Head { mac: vec![1; 32], ..head(None) });
        assert!(!heads.allow(&None, 17, &head(None).mac) && !heads.allow(&None, 17, &[1; 32]));
        assert!(heads.allow(&None, 16, &[1; 32]));
    }
}
