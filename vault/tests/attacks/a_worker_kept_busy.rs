//! A text that takes long to look through for a card number: 8 kB of `4 4 4 …` in the metadata, in as many requests
//! at once as there are workers. The work is bounded for every text, and counted here, not timed.

use cardseal_vault::text::{MOST_STEPS, look};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::support::Asked;

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
