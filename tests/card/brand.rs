use cardseal::card::Brand::{self, *};
use cardseal::card::brand::format;
use proptest::prelude::*;

use super::published;

#[test]
fn ids_and_names_are_each_their_own() {
    let mut ids: Vec<&str> = Brand::ALL.iter().map(|brand| brand.id()).collect();
    assert_eq!(ids.len(), 19);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 19);
    assert_eq!(
        (Mastercard.name(), Amex.name(), CartesBancaires.id()),
        ("MasterCard", "American Express", "cartes_bancaires")
    );
}

#[test]
fn every_brand_has_lengths_gaps_and_a_code() {
    for brand in Brand::ALL {
        assert!((12..=19).contains(&brand.lengths().longest()), "{brand:?}");
        assert!(brand.gaps().is_sorted() && brand.gaps()[0] == 4, "{brand:?}");
        assert_eq!(brand.code().length, if *brand == Amex { 4 } else { 3 }, "{brand:?}");
        assert!(brand.code().name.starts_with('C'), "{brand:?}");
    }
    let without: Vec<&Brand> = Brand::ALL.iter().filter(|brand| !brand.code().required).collect();
    assert_eq!(without, [&Maestro, &Bancontact, &Uatp]);
}

#[test]
fn candidates_come_best_first() {
    for (digits, best, first) in [
        ("4", Some(Visa), &[Visa, Dankort][..]),
        ("45", Some(Visa), &[Visa, Dankort, Elo]),
        ("4571", Some(Dankort), &[Dankort, Visa]),
        ("401178", Some(Elo), &[Elo]),
        ("5", None, &[Mastercard, Maestro]),
        ("55", Some(Mastercard), &[Mastercard]),
        ("50", Some(Maestro), &[Maestro]),
        ("5019", Some(Dankort), &[Dankort]),
        ("3", None, &[Amex, Diners]),
        ("34", Some(Amex), &[Amex]),
        ("36", Some(Diners), &[Diners]),
        ("30", None, &[Diners, Jcb]),
        ("3528", Some(Jcb), &[Jcb]),
        ("6", None, &[Unionpay, Discover, Maestro]),
        ("60", None, &[Discover, Maestro]),
        ("6011", Some(Discover), &[Discover]),
        ("6012", Some(Maestro), &[Maestro]),
        ("64", None, &[Discover, Maestro]),
        ("67", Some(Maestro), &[Maestro]),
        ("62", Some(Unionpay), &[Unionpay]),
        ("65", Some(Discover), &[Discover]),
        ("2", None, &[Mastercard, Mir]),
        ("23", Some(Mastercard), &[Mastercard]),
        ("220", Some(Mir), &[Mir]),
        ("9", Some(Troy), &[Troy]),
        ("1", Some(Uatp), &[Uatp]),
        ("8171", Some(Unionpay), &[Unionpay]),
        ("8172", Some(Rupay), &[Rupay]),
        ("0", None, &[]),
    ] {
        let candidates = Brand::candidates(digits);
        assert_eq!(candidates.best(), best, "{digits}");
        assert!(candidates.as_slice().starts_with(first), "{digits}: {candidates:?}");
    }
}

#[test]
fn before_the_first_digit_every_brand_with_a_range_is_open() {
    let candidates = Brand::candidates("");
    assert_eq!(candidates.as_slice().len(), Brand::ALL.len());
    assert_eq!(candidates.best(), None);
}

#[test]
fn digits_are_grouped_as_they_are_typed() {
    for (digits, text) in [
        ("", ""),
        ("4", "4"),
        ("4242", "4242"),
        ("424242424", "4242 4242 4"),
        ("4242424242424242", "4242 4242 4242 4242"),
        ("4013250000000000006", "4013 2500 0000 0000 006"),
        ("378282246310005", "3782 822463 10005"),
        ("37828", "3782 8"),
        ("36021042000004", "3602 104200 0004"),
        ("3056930009020004", "3056 9300 0902 0004"),
        ("135410014004955", "1354 10014 004955"),
        ("6447032400000000001", "6447 0324 0000 0000 001"),
        ("0000000", "0000 000"),
    ] {
        assert_eq!(format(digits), text);
    }
}

proptest! {
    #[test]
    fn grouping_keeps_the_digits_and_no_gap_is_at_an_end(digits in "[0-9]{0,24}") {
        let text = format(&digits);
        prop_assert_eq!(text.replace(' ', ""), digits);
        prop_assert_eq!(text.trim(), &text);
        prop_assert!(!text.contains("  "));
        prop_assert_eq!(format(&text), text);
    }

    #[test]
    fn a_brand_once_ruled_out_stays_out(index in any::<prop::sample::Index>()) {
        let all: Vec<_> = published::all().collect();
        let (_, number) = all[index.index(all.len())];
        for end in 1..number.len() {
            let before = Brand::candidates(&number[..end]);
            for brand in Brand::candidates(&number[..=end]).as_slice() {
                prop_assert!(before.as_slice().contains(brand), "{:?} at {}", brand, &number[..=end]);
            }
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = (Brand::candidates(&text), format(&text));
    }
}
