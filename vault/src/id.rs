//! The names of things: a prefix that says what kind, then letters that nobody can guess.

use std::fmt;

use aws_lc_rs::rand;
use cardseal::client::Pkey;
use cardseal::seal::Jti;
use zeroize::Zeroizing;

use crate::keys::Sha256Digest;
use crate::keys::aad::Aad;
use crate::keys::mac::MacKey;
use crate::merchant::Mode;

/// 32 letters, so that a random byte's low five bits are one of them with no bias. Those that are misread are left out.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Letters of an id: 130 bits.
const ID_LETTERS: usize = 26;

/// Letters of a secret key: 200 bits.
const SECRET_LETTERS: usize = 40;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// A new one.
            #[must_use]
            pub fn random(mode: Mode) -> Self {
                Self([$prefix, mode.infix(), &*random_letters(ID_LETTERS)].concat())
            }

            /// Reads one; `None` if the text has another form.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let rest = text.strip_prefix($prefix)?;
                let letters = rest.strip_prefix(Mode::Test.infix()).unwrap_or(rest);
                is_letters(letters).then(|| Self(text.into()))
            }

            /// What every text that [`parse`](Self::parse) reads matches, as a regular expression of ECMA-262.
            #[must_use]
            pub fn pattern() -> String {
                pattern($prefix)
            }

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A merchant: `mrch_test_…`, `mrch_…`.
    MerchantId, "mrch_"
);
id!(
    /// A token: `tokn_test_…`, `tokn_…`. Whoever has made it and its merchant know it, the store only its [`TokenHash`].
    TokenId, "tokn_"
);
id!(
    /// The card behind a token: `card_test_…`, `card_…`.
    CardId, "card_"
);
id!(
    /// A customer: `cust_test_…`, `cust_…`.
    CustomerId, "cust_"
);
id!(
    /// A PCI token: `ptok_test_…`, `ptok_…`.
    PciTokenId, "ptok_"
);
id!(
    /// An API key, not the key itself: `akey_test_…`, `akey_…`.
    KeyId, "akey_"
);
id!(
    /// A charge: `chrg_test_…`, `chrg_…`.
    ChargeId, "chrg_"
);
id!(
    /// A card that an acquirer keeps: `mthd_test_…`, `mthd_…`.
    MethodId, "mthd_"
);
id!(
    /// A merchant's account with a vendor: `vacc_test_…`, `vacc_…`.
    AccountId, "vacc_"
);
id!(
    /// An event: `evnt_test_…`, `evnt_…`.
    EventId, "evnt_"
);
id!(
    /// A vendor's token, by a name of the vault's own: `vtok_test_…`, `vtok_…`.
    VendorTokenId, "vtok_"
);
id!(
    /// A webhook: `hook_test_…`, `hook_…`.
    WebhookId, "hook_"
);

/// What is kept of a token's id, and called by: `tokh_…`. The id does not follow from it, which is what a security code is
/// locked with (see [`CodeLock`](crate::keys::code::CodeLock)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash(String);

/// Letters of a hash: 160 of SHA-256's bits.
const HASH_LETTERS: usize = 32;

impl TokenId {
    /// The id of the token that a seal gives, which is the same however often it is sent. Nobody can tell it without `key`,
    /// or without the seal's own id, of which the store has only a hash too.
    #[must_use]
    pub fn of_seal(key: &MacKey, merchant: &MerchantId, mode: Mode, seal: &Jti) -> Self {
        let fields = Aad::new("token of a seal").field(merchant.as_str()).field(seal.as_str());
        let mac = Zeroizing::new(key.mac(fields).bytes);
        Self(["tokn_", mode.infix(), &*letters(&mac, ID_LETTERS)].concat())
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        let hash = Sha256Digest::of(self.0.as_bytes());
        TokenHash(["tokh_", &*letters(hash.as_bytes(), HASH_LETTERS)].concat())
    }
}

impl TokenHash {
    /// Reads one; `None` if the text has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix("tokh_").is_some_and(is_letters).then(|| Self(text.into()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is kept of a seal's own id, to know the seal again.
#[must_use]
pub fn seal_hash(seal: &Jti) -> String {
    let hash = Sha256Digest::of(seal.as_str().as_bytes());
    letters(hash.as_bytes(), HASH_LETTERS).to_string()
}

/// A new public key, `pkey_test_…` or `pkey_…`.
#[must_use]
#[expect(clippy::expect_used, reason = "prefix and letters are those that Pkey::parse takes")]
pub fn random_public_key(mode: Mode) -> Pkey {
    let text = ["pkey_", mode.infix(), &*random_letters(ID_LETTERS)].concat();
    Pkey::parse(&text).expect("a public key's form")
}

/// A merchant's secret key, `skey_test_…` or `skey_…`. Shown once, when it is made; the vault keeps its hash.
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    /// A new one.
    #[must_use]
    pub fn random(mode: Mode) -> Self {
        let letters = random_letters(SECRET_LETTERS);
        Self(Zeroizing::new(["skey_", mode.infix(), &*letters].concat()))
    }

    /// Reads one; `None` if the text has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("skey_")?;
        let letters = rest.strip_prefix(Mode::Test.infix()).unwrap_or(rest);
        is_letters(letters).then(|| Self(Zeroizing::new(text.into())))
    }

    /// Its text, to be printed when it is made.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What tells it apart for people: prefix and last four of its forty letters.
    #[must_use]
    pub fn hint(&self) -> String {
        let prefix = self.0.trim_end_matches(|letter: char| letter != '_');
        format!("{prefix}…{}", &self.0[self.0.len() - 4.min(self.0.len())..])
    }

    /// What is kept of it. Looking a key up by its hash tells an onlooker with a stopwatch about hashes only.
    #[must_use]
    pub fn hash(&self) -> Sha256Digest {
        Sha256Digest::of(self.0.as_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(…)")
    }
}

/// `count` random letters, five bits each.
#[expect(clippy::expect_used, reason = "AWS-LC ends the process rather than give no random bytes")]
pub(crate) fn random_letters(count: usize) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(vec![0; count]);
    rand::fill(&mut bytes).expect("random bytes");
    letters(&bytes, count)
}

/// A letter of each of the first `count` bytes.
fn letters(bytes: &[u8], count: usize) -> Zeroizing<String> {
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte & 31)]);
    Zeroizing::new(bytes.iter().take(count).map(letter).collect())
}

/// Most letters of an id that is read.
const MOST_LETTERS: usize = 64;

fn is_letters(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=MOST_LETTERS).contains(&text.len()) && text.bytes().all(allowed)
}

fn pattern(prefix: &str) -> String {
    format!("^{prefix}({test})?[0-9a-z]{{1,{MOST_LETTERS}}}$", test = Mode::Test.infix())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn have_the_form_that_omise_clients_expect() {
        for mode in [Mode::Test, Mode::Live] {
            let id = TokenId::random(mode);
            let prefix = if mode == Mode::Test { "tokn_test_" } else { "tokn_" };
            let letters = id.as_str().strip_prefix(prefix).unwrap();
            assert_eq!(letters.len(), 26);
            assert!(letters.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z')), "{id}");
            assert_eq!(TokenId::parse(id.as_str()), Some(id));
        }
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in [
            "",
            "tokn_",
            "tokn_test_",
            "card_test_0",
            "tokn_test_A",
            "tokn_test_0 ",
            "tokn_test_0_1",
            "tokn-0",
        ] {
            assert_eq!(TokenId::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn secret_keys_have_200_bits_and_show_none_of_them() {
        let key = SecretKey::random(Mode::Test);
        assert_eq!(key.expose().len(), "skey_test_".len() + 40);
        assert_eq!(format!("{key:?}"), "SecretKey(…)");
    }
}
