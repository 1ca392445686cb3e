use cardseal::card::{Entry, Expiry, Reason, YearMonth};
use proptest::prelude::*;

const TODAY: YearMonth = YearMonth::new(2026, 11).unwrap();

fn parsed(text: &str) -> Entry<(u8, u16)> {
    Expiry::parse(text, TODAY).map(|expiry| (expiry.month(), expiry.year()))
}

#[test]
fn every_way_of_writing_a_date_is_read() {
    for text in [
        "12/30",
        "12 / 2030",
        "12/2030",
        "122030",
        "1230",
        "12-30",
        "12.30",
        "12 30",
        " 12 /30 ",
        "１２／３０",
        "１２３０",
        "１２／２０３０",
        "12・30",
        "12ー30",
        "12–30",
        "2030-12",
        "2030/12",
        "203012",
        "2030年12月",
        "２０３０−１２",
        "\u{200E}12/30",
        "12\u{200F}/30",
        "١٢/٣٠",
        "๑๒/๓๐",
        "12//30",
        "12/30/",
    ] {
        assert_eq!(parsed(text), Entry::Valid((12, 2030)), "{text}");
    }
    for text in ["1/30", "01/30", "1/2030", "01-30", "0130", "012030", "2030-01", "1 30"] {
        assert_eq!(parsed(text), Entry::Valid((1, 2030)), "{text}");
    }
    assert_eq!(parsed("2030-2"), Entry::Valid((2, 2030)));
}

#[test]
fn what_may_still_become_a_date_is_incomplete() {
    for text in [
        "", " ", "/", "0", "1", "2", "9", "12", "12/", "12 / ", "1/", "12/3", "12/203", "123", "12203", "01",
        "/30", "20", "203", "2030", "2030-", "2030-0", "2030-1", "20301",
    ] {
        assert_eq!(parsed(text), Entry::Incomplete, "{text}");
    }
    // A year that lacks its month.
    for text in ["26", "30", "76", "2026", "2099"] {
        assert_eq!(parsed(text), Entry::Incomplete, "{text}");
    }
    // The first half of 12/2030, which is more likely than a card that ended six years ago.
    assert_eq!(parsed("12/20"), Entry::Incomplete);
    assert_eq!(parsed("1220"), Entry::Incomplete);
}

#[test]
fn a_month_that_is_none_is_refused() {
    for text in [
        "13", "25", "77", "00", "13/30", "0/30", "00/30", "1330", "132030", "99", "20/30", "2030-13",
        "2030-00", "203000", "19/30",
    ] {
        assert_eq!(parsed(text), Entry::Invalid(Reason::MonthOutOfRange), "{text}");
    }
}

#[test]
fn a_card_is_valid_through_the_end_of_its_month() {
    assert_eq!(parsed("11/26"), Entry::Valid((11, 2026)));
    for text in ["10/26", "12/25", "12/2025", "01/01", "10/2026", "2020-12", "12/1999", "12/0030", "12/2020"]
    {
        assert_eq!(parsed(text), Entry::Invalid(Reason::Past), "{text}");
    }
}

#[test]
fn a_date_too_far_ahead_is_refused() {
    assert_eq!(parsed("12/76"), Entry::Valid((12, 2076)));
    for text in ["01/77", "12/99", "12/2077", "12/9999", "12/2573"] {
        assert_eq!(parsed(text), Entry::Invalid(Reason::TooFarAhead), "{text}");
    }
}

#[test]
fn other_text_is_refused() {
    for text in ["12/3o", "Dec 30", "12_30", "12:30", "½"] {
        assert_eq!(parsed(text), Entry::Invalid(Reason::UnexpectedCharacter), "{text}");
    }
    for text in ["12/30/2030", "12/20300", "1220300", "123/30", "012/30", "2030-123", "12203/0"] {
        assert_eq!(parsed(text), Entry::Invalid(Reason::TooLong), "{text}");
    }
}

#[test]
fn month_and_year_may_come_apart() {
    let of =
        |month, year| Expiry::from_parts(month, year, TODAY).map(|expiry| (expiry.month(), expiry.year()));
    for (month, year, expected) in [
        ("12", "2030", Entry::Valid((12, 2030))),
        ("1", "30", Entry::Valid((1, 2030))),
        ("０１", " 30 ", Entry::Valid((1, 2030))),
        ("", "2030", Entry::Incomplete),
        ("12", "", Entry::Incomplete),
        ("12", "203", Entry::Incomplete),
        ("13", "30", Entry::Invalid(Reason::MonthOutOfRange)),
        ("0", "30", Entry::Invalid(Reason::MonthOutOfRange)),
        ("12", "20", Entry::Invalid(Reason::Past)),
        ("12", "2077", Entry::Invalid(Reason::TooFarAhead)),
        ("012", "30", Entry::Invalid(Reason::TooLong)),
        ("12", "20300", Entry::Invalid(Reason::TooLong)),
        ("Dec", "30", Entry::Invalid(Reason::UnexpectedCharacter)),
        ("12", "30/1", Entry::Invalid(Reason::UnexpectedCharacter)),
    ] {
        assert_eq!(of(month, year), expected, "{month} {year}");
    }
}

#[test]
fn the_last_year_of_the_calendar_does_not_overflow() {
    let last = YearMonth::new(u16::MAX, 12).unwrap();
    assert_eq!(Expiry::parse("12/30", last), Entry::Invalid(Reason::Past));
}

#[test]
fn printing_shows_nothing() {
    assert_eq!(format!("{:?}", Expiry::parse("12/30", TODAY)), "Valid(••/••)");
}

#[test]
fn seconds_become_months() {
    for (seconds, year, month) in [
        (0, 1970, 1),
        (2_678_399, 1970, 1),
        (2_678_400, 1970, 2),
        (68_255_999, 1972, 2),
        (68_256_000, 1972, 3),
        (951_782_400, 2000, 2),
        (951_868_800, 2000, 3),
        (1_798_761_599, 2026, 12),
        (1_798_761_600, 2027, 1),
        (4_107_542_399, 2100, 2),
        (4_107_542_400, 2100, 3),
        (u64::MAX, u16::MAX, 12),
    ] {
        let expected = YearMonth::new(year, month).unwrap();
        assert_eq!(YearMonth::from_unix_seconds(seconds), expected, "{seconds}");
    }
}

#[test]
fn today_is_the_month_that_it_still_is_somewhere() {
    let december = YearMonth::new(2026, 12).unwrap();
    assert_eq!(YearMonth::today(1_798_761_600 + 12 * 3600 - 1), december);
    assert_eq!(YearMonth::today(1_798_761_600 + 12 * 3600), YearMonth::new(2027, 1).unwrap());
    assert_eq!(YearMonth::today(0), YearMonth::new(1970, 1).unwrap());
}

#[test]
fn a_month_is_1_to_12() {
    assert_eq!((YearMonth::new(2030, 0), YearMonth::new(2030, 13)), (None, None));
}

proptest! {
    #[test]
    fn each_way_of_writing_gives_the_date(month in 1_u8..=12, year in 2027_u16..=2076) {
        let short = year % 100;
        for text in [
            format!("{month}/{short:02}"), format!("{month:02}{short:02}"), format!("{month:02}{year}"),
            format!("{month:02} / {year}"), format!("{year}-{month:02}"), format!("{year}{month:02}"),
        ] {
            prop_assert_eq!(parsed(&text), Entry::Valid((month, year)), "{}", text);
        }
        let parts = Expiry::from_parts(&month.to_string(), &year.to_string(), TODAY);
        prop_assert_eq!(parts, Expiry::parse(&format!("{month}/{year}"), TODAY));
    }

    #[test]
    fn typing_a_date_is_never_wrong_on_the_way(month in 1_u8..=12, year in 2027_u16..=2076) {
        for text in [format!("{month:02}/{:02}", year % 100), format!("{month:02} / {year}"), format!("{year}-{month:02}")] {
            for end in 0..text.len() {
                let entry = parsed(&text[..end]);
                prop_assert!(!matches!(entry, Entry::Invalid(_)), "{}", &text[..end]);
            }
        }
    }

    #[test]
    fn months_follow_one_another(seconds in any::<u64>()) {
        let now = YearMonth::from_unix_seconds(seconds);
        let later = YearMonth::from_unix_seconds(seconds.saturating_add(31 * 86_400));
        prop_assert!(now < later || now == YearMonth::new(u16::MAX, 12).unwrap());
        prop_assert!((1..=12).contains(&now.month()));
        prop_assert!(YearMonth::today(seconds) <= now);
    }

    #[test]
    fn no_text_panics(text in any::<String>(), other in any::<String>()) {
        let _ = Expiry::parse(&text, TODAY);
        let _ = Expiry::from_parts(&text, &other, TODAY);
    }

    #[test]
    fn no_text_of_digits_and_separators_panics(text in "[0-9/. 年-]{0,12}") {
        let _ = Expiry::parse(&text, TODAY);
        let _ = Expiry::from_parts(&text, &text, TODAY);
    }
}
