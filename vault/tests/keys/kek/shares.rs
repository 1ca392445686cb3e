use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use cardseal_vault::keys::kek::Kek;
use cardseal_vault::keys::kek::shares::{Count, Locked, Refused, Share, Taken};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{open, opens, opens_only_what_was_wrapped, refusal, source, wrap, write_private};

fn new_set(count: u8) -> Vec<Share> {
    Share::new_set(Count::new(count).unwrap())
}

fn bytes(share: &Share) -> [u8; 32] {
    let text = share.expose();
    let mut bytes = [0; 32];
    Base64UrlUnpadded::decode(text.split('.').nth(3).unwrap(), &mut bytes).unwrap();
    bytes
}

/// A share as a custodian would have it who has made it up.
fn made_up(body: &str) -> String {
    let sum: String =
        digest(&SHA256, body.as_bytes()).as_ref()[..4].iter().map(|b| format!("{b:02x}")).collect();
    format!("{body}.{sum}")
}

fn join(shares: &[Share]) -> Kek {
    let mut locked = Locked::new(Count::new(shares.len() as u8).unwrap());
    for (index, share) in shares.iter().enumerate() {
        match locked.take(share).unwrap() {
            Taken::All(kek) => return kek,
            Taken::More(taken) => assert_eq!(usize::from(taken), index + 1),
        }
    }
    panic!("all shares are there: {locked:?}");
}

fn kek_of(key: [u8; 32]) -> Kek {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kek");
    write_private(&path, &Base64::encode_string(&key));
    Kek::load(&path).unwrap()
}

#[test]
fn all_of_them_make_the_key_in_any_order() {
    for count in [2, 3, 16] {
        let mut shares = new_set(count);
        let kek = join(&shares);
        opens_only_what_was_wrapped(&kek);
        shares.reverse();
        assert!(opens(&join(&shares), &wrap(&kek)));
        let key =
            shares.iter().map(bytes).fold([0; 32], |key, share| std::array::from_fn(|i| key[i] ^ share[i]));
        assert!(opens(&kek_of(key), &wrap(&kek)));
    }
}

#[test]
fn all_but_one_are_as_likely_with_every_key() {
    // Whatever the key: to the shares that are known there is exactly one last share that gives it.
    for count in [2, 3, 5] {
        for missing in 0..usize::from(count) {
            let mut shares = new_set(count);
            let text = shares[missing].expose();
            let mut key = [0; 32];
            rand::fill(&mut key).unwrap();
            let mut last = key;
            for (index, share) in shares.iter().enumerate() {
                if index != missing {
                    last.iter_mut().zip(bytes(share)).for_each(|(last, byte)| *last ^= byte);
                }
            }
            let parts: Vec<&str> = text.split('.').collect();
            let body = [parts[0], parts[1], parts[2], &Base64UrlUnpadded::encode_string(&last)].join(".");
            shares[missing] = Share::parse(&made_up(&body)).unwrap();
            assert!(opens(&join(&shares), &wrap(&kek_of(key))));
        }
    }
}

#[test]
fn none_tells_a_bit_of_the_key_or_of_another() {
    // 256 bits of each of 400 sets: a fair coin is further than 6 standard deviations from half in 2 of 10⁹ trials.
    const SETS: usize = 400;
    let bits = (SETS * 256) as f64;
    let fair = |ones: u32| (f64::from(ones) - bits / 2.0).abs() < 6.0 * bits.sqrt() / 2.0;
    let ones = |a: &[u8; 32], b: &[u8; 32]| a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
    let (mut alone, mut pairs, mut with_key) = ([0; 3], [0; 3], [0; 3]);
    for _ in 0..SETS {
        let set: Vec<[u8; 32]> = new_set(3).iter().map(bytes).collect();
        let key = std::array::from_fn(|i| set[0][i] ^ set[1][i] ^ set[2][i]);
        for share in 0..3 {
            alone[share] += ones(&set[share], &[0; 32]);
            pairs[share] += ones(&set[share], &set[(share + 1) % 3]);
            with_key[share] += ones(&set[share], &key);
        }
    }
    for counts in [alone, pairs, with_key] {
        assert!(counts.into_iter().all(fair), "{counts:?}");
    }
}

#[test]
fn each_is_taken_once_and_with_its_own_set() {
    let (set, other, larger) = (new_set(3), new_set(3), new_set(4));
    let mut locked = Locked::new(Count::new(3).unwrap());
    assert_eq!(locked.take(&larger[0]).unwrap_err(), Refused::OtherCount { of: 4, needed: 3 });
    assert!(matches!(locked.take(&set[1]), Ok(Taken::More(1))));
    assert_eq!(locked.take(&set[1]).unwrap_err(), Refused::Again { index: 2 });
    assert_eq!(locked.take(&other[0]).unwrap_err(), Refused::OtherSet);
    assert!(matches!(locked.take(&set[2]), Ok(Taken::More(2))));
    let Ok(Taken::All(kek)) = locked.take(&set[0]) else { panic!("{locked:?}") };
    assert!(opens(&join(&set), &wrap(&kek)));
    // What is done is forgotten.
    assert!(matches!(locked.take(&other[0]), Ok(Taken::More(1))));
}

#[test]
fn are_shown_to_nobody_but_their_custodian() {
    let set = new_set(2);
    let mut locked = Locked::new(Count::new(2).unwrap());
    locked.take(&set[0]).unwrap();
    let secret = set[0].expose().split('.').nth(3).unwrap().to_owned();
    for shown in [format!("{:?}", set[0]), format!("{locked:?}")] {
        assert!(!shown.contains(&secret) && shown.len() < 120, "{shown}");
    }
}

/// Nearly a share.
const SHARELIKE: &str = "share\\.[0-9]{0,4}of[0-9]{0,4}\\.[0-9a-f+]{0,9}\\.[A-Za-z0-9_=-]{0,50}";

proptest! {
    #[test]
    fn are_read_as_they_are_written(count in 2_u8..=16, spaces in "[ \t\r\n]{0,3}") {
        for share in new_set(count) {
            let text = share.expose();
            prop_assert!(text.len() <= 80);
            let read = Share::parse(&format!("{spaces}{}{spaces}\n", *text)).unwrap();
            prop_assert_eq!(&*read.expose(), &*text);
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_found(position: prop::sample::Index, letter in "[0-9A-Za-z_.-]") {
        let text = new_set(2)[0].expose();
        let position = position.index(text.len());
        let mistyped = format!("{}{letter}{}", &text[..position], &text[position + 1..]);
        prop_assume!(mistyped != *text);
        prop_assert!(matches!(Share::parse(&mistyped), Err(Refused::Mistyped | Refused::Malformed)));
    }

    #[test]
    fn any_text_is_a_share_or_refused(text in ".{0,100}", body in SHARELIKE) {
        prop_assert!(Share::parse(&text).is_err());
        let _ = Share::parse(&body);
        let _ = Share::parse(&made_up(&body));
    }
}

#[test]
fn what_looks_like_a_share_and_is_none_is_refused() {
    let secret = "A".repeat(43);
    assert!(Share::parse(&made_up(&format!("share.1of2.00000000.{secret}"))).is_ok());
    for body in [
        format!("share.0of2.00000000.{secret}"),
        format!("share.3of2.00000000.{secret}"),
        format!("share.1of1.00000000.{secret}"),
        format!("share.1of17.00000000.{secret}"),
        format!("share.12.00000000.{secret}"),
        format!("share.1of2.xyz.{secret}"),
        format!("share.1of2.000000000.{secret}"),
        format!("share.1of2.00000000.{secret}A"),
        format!("share.1of2.00000000.{}", &secret[1..]),
        format!("share.1of2.00000000.{secret}.{secret}"),
        format!("share.+1of2.00000000.{secret}"),
        format!("share.01of2.00000000.{secret}"),
        format!("share.1of2.+0000000.{secret}"),
        format!("share.1of2.0000000A.{secret}"),
        format!("share.1of2.00000000.{}", &secret[3..]),
        format!("share.1of2.00000000.{}B", &secret[1..]),
        format!("Share.1of2.00000000.{secret}"),
        format!("1of2.00000000.{secret}"),
    ] {
        assert_eq!(Share::parse(&made_up(&body)).unwrap_err(), Refused::Malformed, "{body}");
    }
}

/// Three files with shares, and the source that they are.
fn files() -> (TempDir, [PathBuf; 3], String) {
    let dir = tempfile::tempdir().unwrap();
    let paths = ["a", "b", "c"].map(|name| dir.path().join(name));
    let text = format!("shares:{}", paths.each_ref().map(|path| path.display().to_string()).join(","));
    (dir, paths, text)
}

#[test]
fn files_are_made_for_their_owners_and_join() {
    let (_dir, paths, text) = files();
    assert!(refusal(&text).contains("a is missing"));
    source(&text).create().unwrap();
    for path in &paths {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let kek = open(&text).unwrap();
    opens_only_what_was_wrapped(&kek);
    assert!(opens(&open(&text).unwrap(), &wrap(&kek)));

    let before = paths.each_ref().map(|path| fs::read(path).unwrap());
    let message = source(&text).create().unwrap_err().to_string();
    assert!(message.contains("a is there already"), "{message}");
    // One is in the way: the others are not left over.
    for path in &paths[..2] {
        fs::remove_file(path).unwrap();
    }
    let message = source(&text).create().unwrap_err().to_string();
    assert!(message.contains("c is there already"), "{message}");
    assert!(!paths[0].exists() && !paths[1].exists());
    assert_eq!(fs::read(&paths[2]).unwrap(), before[2]);
}

#[test]
fn files_that_do_not_fit_are_named() {
    let (_dir, paths, text) = files();
    let (_other_dir, other_paths, other_text) = files();
    for text in [&text, &other_text] {
        source(text).create().unwrap();
    }
    let share = fs::read_to_string(&paths[1]).unwrap();
    let named = |message: String, words: &str| {
        assert!(message.contains(&paths[1].display().to_string()) && message.contains(words), "{message}");
        assert!(!message.contains(&share[20..40]), "{message}");
    };

    fs::copy(&other_paths[1], &paths[1]).unwrap();
    named(refusal(&text), "another set");
    fs::copy(&paths[0], &paths[1]).unwrap();
    named(refusal(&text), "share 1 was brought already");
    write_private(&paths[1], &share.replace(".2of3.", ".3of3."));
    named(refusal(&text), "a letter of it is wrong");
    write_private(&paths[1], "swordfish");
    named(refusal(&text), "it is no share");
    let two = text.rsplit_once(',').unwrap().0;
    assert!(refusal(two).contains("it is one of 3 shares, and 2 are asked for"));

    write_private(&paths[1], &share);
    fs::set_permissions(&paths[1], Permissions::from_mode(0o640)).unwrap();
    named(refusal(&text), "chmod 600");
    fs::set_permissions(&paths[1], Permissions::from_mode(0o400)).unwrap();
    open(&text).unwrap();
}
