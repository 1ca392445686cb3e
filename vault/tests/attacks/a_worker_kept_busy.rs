//! A text that takes long to look through for a card number: 8 kB of `4 4 4 …` in the metadata, in as many requests
//! at once as there are workers. The work is bounded for every text, and counted here; a thread's own time is looked at only to see
//! that nothing is left out of the count, and for what reads seals.

use base64ct::{Base64UrlUnpadded, Encoding};
use cardseal::seal::{Compact, Envelope};
use cardseal_vault::text::{MOST_STEPS, look};
use cardseal_vault::time::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::support::{Asked, NOON, VISA};

/// What is sent in a body at most.
const BYTES: usize = 8 * 1024;

/// The most steps a byte that any text took that a search came upon, and some room.
const WORST_KNOWN: usize = 48;

/// Pieces of which hostile texts are made: digits that begin numbers of many lengths or come close to it, what may be
/// between them, and what begins escapes and encodings.
const PIECES: [&str; 44] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "4 ", "2 ", "6 ", "50", "67 ", "2205", "3060 ", "4242",
    " ", ",", "-", "(", ")(", "%20", "%", "%25", "\\", "\\u0034", "&", "&#52;", "&nbsp;", "<", "<b>", "NDI0",
    "VVVV", "UUUU", "MzQz", "3432", "34 ", "52, ", "0x34,", "\u{200b}", "④", "４",
];

fn steps(text: &str) -> usize {
    let steps = look(text).steps;
    assert!(steps <= MOST_STEPS * text.len(), "{steps} steps for {} bytes", text.len());
    steps
}

fn filled(piece: &str) -> String {
    piece.repeat(BYTES / piece.len())
}

#[test]
fn texts_that_took_long_do_not() {
    for piece in PIECES.into_iter().chain([
        "4 4 4 ",
        "{\"4\":4},",
        "4 2 4 2 4 2 4 3 ",
        "6 6 6 6 ",
        "0 0 0 ",
        "%2525",
        "\\\\\\\\u0034",
    ]) {
        let text = filled(piece);
        let steps = steps(&text);
        assert!(steps <= WORST_KNOWN * text.len(), "{steps} steps for {} bytes of {piece:?}", text.len());
    }
}

#[test]
fn a_search_for_the_worst_text_finds_none_that_is_much_worse() {
    let mut worst = 0;
    for first in PIECES {
        // Climbs: of two neighbours the one that takes more steps a byte is kept.
        let mut pieces = vec![first, "4 "];
        let mut best = 0;
        for round in 0..60_usize {
            let mut next = pieces.clone();
            let piece = PIECES[(round * 31 + first.len() * 7) % PIECES.len()];
            match round % 3 {
                0 if next.len() < 12 => next.push(piece),
                1 => {
                    let at = (round * 17) % next.len();
                    next[at] = piece;
                }
                _ if next.len() > 1 => drop(next.remove((round * 13) % next.len())),
                _ => {}
            }
            let text = next.concat().repeat(20);
            let ratio = 100 * steps(&text) / text.len();
            if ratio >= best {
                (best, pieces) = (ratio, next);
            }
        }
        worst = worst.max(best);
    }
    assert!(worst <= 100 * WORST_KNOWN, "{worst} steps for 100 bytes");
}

#[test]
fn twice_the_text_takes_twice_the_steps() {
    for piece in PIECES {
        let (once, twice) = (steps(&piece.repeat(300)), steps(&piece.repeat(600)));
        assert!(twice <= 2 * once + 20 * MOST_STEPS, "{piece:?}: {once}, {twice}");
    }
}

/// Steps are what the code counts of itself. So what a thread has had of the processor is held against what a harmless input as
/// long takes of it.
#[test]
fn no_input_takes_much_longer_than_a_harmless_one_as_long() {
    /// A look at each number from each of its digits took 600 times as long for the worst text.
    const MOST: i64 = 100;
    let harmless = |work: &dyn Fn()| (0..5).map(|_| processor_nanos_of(work)).min().unwrap();
    let assert_bounded = |most: i64, what: &str, work: &dyn Fn()| {
        // Whatever made one run longer does not make four.
        let mut runs = (0..4).map(|_| processor_nanos_of(work));
        assert!(runs.any(|nanos| nanos <= most), "{what} takes more than {most} ns");
    };

    let prose = filled("Two pairs of shoes, to be sent to Soi Two. ");
    let most = MOST * harmless(&|| assert!(!look(&prose).holds_card_number));
    for piece in PIECES.into_iter().chain(["4 4 4 ", "{\"4\":4},", "4 2 4 2 4 2 4 3 ", "%2525", "\\\\u0034"])
    {
        let text = filled(piece);
        assert_bounded(most, piece, &|| {
            steps(&text);
        });
    }

    // What comes before a seal is opened.
    let part = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let (key, iv, tag) = (part(&[7; 256]), part(&[7; 12]), part(&[7; 16]));
    let jwe = |header: &str| format!("{}.{key}.{iv}..{tag}", part(header.as_bytes()));
    let genuine =
        format!("{{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\"kid\":\"{}\"}}", "k".repeat(5000));
    assert!(Compact::parse(&jwe(&genuine)).is_ok());
    let most = MOST * harmless(&|| drop(Compact::parse(&jwe(&genuine))));
    for (begin, piece) in [
        ("", "["),
        ("", "{\"alg\":"),
        ("", "{}"),
        ("{\"kid\":\"", "\\u0041"),
        ("{\"kid\":\"", "\\ud800"),
        ("{", "\"alg\":\"RSA-OAEP-256\","),
        ("{\"a\":[", "1e300,"),
        ("{\"a\":", "9"),
        ("", " "),
        ("", "é"),
    ] {
        let text = jwe(&format!("{begin}{}", piece.repeat(5000 / piece.len())));
        assert_bounded(most, piece, &|| drop(Compact::parse(&text)));
    }
    for text in [filled("."), filled("A"), format!("{}{}", jwe(&genuine), ".".repeat(500)), filled("A.")] {
        assert_bounded(most, &text[..8], &|| drop(Compact::parse(&text)));
    }

    // And what a stranger has put into one, which anybody can seal.
    let today = Timestamp::from_unix_seconds(NOON).month();
    let sealed = |member: &str, value: &str| {
        let mut content = json!({ "number": VISA, "expiration_month": 12, "expiration_year": 2030, "name": "A B",
            "merchant": "pkey_test_0", "iat": NOON, "jti": "0123456789abcdef" });
        content[member] = value.into();
        content.to_string()
    };
    let name = sealed("name", &"a".repeat(5000));
    let most = MOST * harmless(&|| drop(Envelope::parse(name.as_bytes(), today)));
    for member in
        ["number", "expiration_month", "expiration_year", "security_code", "name", "merchant", "jti", "x"]
    {
        for piece in
            ["4", "4 ", "42-", "9", "0", "1/", "一", "①", "\u{200b}", "４", "a4", "é", "\u{301}", "\\", "\0"]
        {
            let content = sealed(member, &piece.repeat(5000 / piece.len()));
            assert_bounded(most, &format!("{member} of {piece}"), &|| {
                drop(Envelope::parse(content.as_bytes(), today));
            });
        }
    }
}

/// What this thread has of the processor while it works; other threads' turns do not count.
fn processor_nanos_of(work: &dyn Fn()) -> i64 {
    let nanos = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec * 1_000_000_000 + time.tv_nsec
    };
    let before = nanos();
    work();
    nanos() - before
}

#[tokio::test]
async fn metadata_of_ones_is_taken_like_any_other() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let text = "4 ".repeat(3900);
    assert!(steps(&text) <= WORST_KNOWN * text.len());
    let body = json!({ "metadata": { "note": text } });
    assert_eq!(asked.post("/customers", &account.secret_key, &body).await.status, 200);
}

proptest! {
    #[test]
    fn no_text_takes_more_steps_than_there_are_for_its_bytes(
        pieces in vec(select(&PIECES[..]), 1..200),
        any in ".{0,200}",
    ) {
        let text = pieces.concat();
        prop_assert!(steps(&text) <= WORST_KNOWN * text.len());
        steps(&any);
    }
}
