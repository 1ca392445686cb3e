use cardseal::card::{Entry, Expiry, Number, SecurityCode, brand, digits};
use cardseal::form::mask::{self, Change, Edit, Shown};
use proptest::prelude::*;

use super::person::Action::{self, *};
use super::person::{Input, Person, TODAY};

fn keys(keys: &str) -> Action {
    Type(keys.into())
}

fn paste(text: &str) -> Action {
    Paste(text.into())
}

fn fill(text: &str) -> Action {
    Fill(text.into())
}

/// What someone sees who saw `seen` and did `actions`.
#[track_caller]
fn check(input: Input, seen: &str, actions: &[Action], expected: &str) {
    let mut person = Person::who_sees(seen);
    for action in actions {
        person.act(input, action);
    }
    assert_eq!(person.to_string(), expected, "{input:?} {seen} {actions:?}");
}

/// Types `digits` and checks what is seen after each.
#[track_caller]
fn check_typing(input: Input, digits: &str, seen: &[&str]) {
    let mut person = Person::who_sees("|");
    assert_eq!(digits.chars().count(), seen.len());
    for (digit, expected) in digits.chars().zip(seen) {
        person.act(input, &keys(&digit.to_string()));
        assert_eq!(person.to_string(), *expected);
    }
}

mod a_number {
    use super::Input::Number as N;
    use super::*;

    #[test]
    fn of_visa_is_grouped_in_fours_as_it_is_typed() {
        check_typing(
            N,
            "4242424242424242",
            &[
                "4|",
                "42|",
                "424|",
                "4242|",
                "4242 4|",
                "4242 42|",
                "4242 424|",
                "4242 4242|",
                "4242 4242 4|",
                "4242 4242 42|",
                "4242 4242 424|",
                "4242 4242 4242|",
                "4242 4242 4242 4|",
                "4242 4242 4242 42|",
                "4242 4242 4242 424|",
                "4242 4242 4242 4242|",
            ],
        );
    }

    #[test]
    fn of_american_express_is_grouped_in_four_six_and_five() {
        check_typing(
            N,
            "378282246310005",
            &[
                "3|",
                "37|",
                "378|",
                "3782|",
                "3782 8|",
                "3782 82|",
                "3782 822|",
                "3782 8224|",
                "3782 82246|",
                "3782 822463|",
                "3782 822463 1|",
                "3782 822463 10|",
                "3782 822463 100|",
                "3782 822463 1000|",
                "3782 822463 10005|",
            ],
        );
    }

    #[test]
    fn of_19_digits_is_typed_to_its_end() {
        check(N, "|", &[keys("6447032400000000001")], "6447 0324 0000 0000 001|");
        check(N, "|", &[keys("36021042000004")], "3602 104200 0004|");
    }

    #[test]
    fn is_typed_with_spaces_and_hyphens_by_those_who_type_them() {
        check(N, "|", &[keys("4242 4242-4242 4242 ")], "4242 4242 4242 4242|");
        check(N, "|", &[keys("３７８２　８２２４６３　１０００５")], "3782 822463 10005|");
    }

    #[test]
    fn ignores_what_is_no_digit() {
        check(N, "|", &[keys("a4b2c")], "42|");
        check(N, "42|42 42", &[keys("x")], "42|42 42");
        check(N, "|4242", &[keys("x")], "|4242");
        check(N, "|4242", &[keys(" ")], "|4242");
        check(N, "|", &[keys("💳")], "|");
        check(N, "42|", &[paste("no digits here")], "42|");
    }

    #[test]
    fn takes_a_digit_in_its_middle_and_keeps_the_caret_behind_it() {
        check(N, "42|42 4242", &[keys("5")], "425|4 2424 2");
        check(N, "|4242 4242", &[keys("5")], "5|424 2424 2");
        check(N, "424|2 42", &[keys("5")], "4245 |242");
        check(N, "4242| 4242", &[keys("5")], "4242 5|424 2");
        check(N, "4242 |4242", &[keys("5")], "4242 5|424 2");
        check(N, "42|42 4242", &[keys("567")], "4256 7|424 242");
    }

    #[test]
    fn changes_its_groups_when_its_first_digits_change_and_the_caret_keeps_its_digit() {
        check(N, "|7828 2246 3100 05", &[keys("3")], "3|782 822463 10005");
        check(N, "3782 8224[63 10005]", &[keys("9")], "3782 82249|");
        check(N, "[37]82 822463 10005", &[keys("4")], "4|828 2246 3100 05");
    }

    #[test]
    fn loses_the_digit_beyond_a_gap_that_is_deleted() {
        check(N, "4242 |4242", &[Backspace], "424|4 242");
        check(N, "4242| 4242", &[Delete], "4242| 242");
        check(N, "3782 |822463 10005", &[Backspace], "378|8 224631 0005");
        check(N, "4242 |", &[Backspace], "424|");
    }

    #[test]
    fn loses_one_digit_a_stroke_whichever_way_it_is_deleted() {
        check(N, "4242 4|", &[Backspace], "4242|");
        check(N, "4242 42|42", &[Backspace], "4242 4|42");
        check(N, "42|42 4242", &[Delete], "42|2 4242".replace("2 4242", "24 242").as_str());
        check(N, "|4242 4242", &[Delete], "|2424 242");
        check(N, "1|", &[Backspace], "|");
    }

    #[test]
    fn is_deleted_to_nothing_from_either_end() {
        check(N, "3782 822463 10005|", &vec![Backspace; 15], "|");
        check(N, "|3782 822463 10005", &vec![Delete; 15], "|");
    }

    #[test]
    fn stays_as_it_is_when_there_is_nothing_to_delete() {
        check(N, "|4242 4242", &[Backspace], "|4242 4242");
        check(N, "4242 4242|", &[Delete], "4242 4242|");
        check(N, "|", &[Backspace, Delete, Cut], "|");
        for change in [Change::DeleteBackward, Change::DeleteForward] {
            let shown = mask::number(Edit { before: "4242 42", after: "4242 42", caret: 5, change });
            assert_eq!(&**shown.text, "4242 42");
        }
    }

    #[test]
    fn loses_what_was_selected() {
        check(N, "42[42 42]42", &[Backspace], "42|42");
        check(N, "42[42 42]42", &[Delete], "42|42");
        check(N, "42[42 42]42", &[Cut], "42|42");
        check(N, "[4242 4242]", &[Backspace], "|");
        check(N, "4242 [4242] 4242", &[Delete], "4242| 4242");
        check(N, "4242 [4242 ]4242", &[Backspace], "4242| 4242");
        check(N, "4242 4242|", &[BackspaceWord], "4242|");
        check(N, "4242 4242 |42", &[BackspaceWord], "4242| 42");
    }

    #[test]
    fn takes_what_is_pasted_over_a_selection() {
        check(N, "[4242 4242]", &[paste("3782 822463 10005")], "3782 822463 10005|");
        check(N, "4242 [4242] 4242", &[paste("55")], "4242 55|42 42");
        check(N, "42[42 42]42", &[paste("1111")], "4211 11|42");
        check(N, "[4]242", &[keys("5")], "5|242");
    }

    #[test]
    fn takes_what_is_pasted_in_any_writing() {
        for text in [
            "4242424242424242",
            " 4242 4242 4242 4242\t",
            "4242-4242-4242-4242",
            "4242\u{A0}4242\u{3000}4242\u{200B}4242",
            "４２４２　４２４２　４２４２　４２４２",
            "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
            "۴۲۴۲ ۴۲۴۲ ۴۲۴۲ ۴۲۴۲",
            "๔๒๔๒๔๒๔๒๔๒๔๒๔๒๔๒",
            "PAN: 4242 4242 4242 4242.",
        ] {
            check(N, "|", &[paste(text)], "4242 4242 4242 4242|");
            check(N, "5|", &[fill(text)], "4242 4242 4242 4242|");
            check(N, "[5555 55]", &[paste(text)], "4242 4242 4242 4242|");
        }
        check(N, "42|42", &[paste("1-1 1x１")], "4211 11|42");
        check(N, "42|42", &[paste("💳1")], "421|4 2");
    }

    #[test]
    fn ignores_a_key_too_many() {
        check(N, "3782 822463 10005|", &[keys("9")], "3782 822463 10005|");
        check(N, "3782 82|2463 10005", &[keys("9")], "3782 82|2463 10005");
        check(N, "3782| 822463 10005", &[keys("9")], "3782 |822463 10005");
        check(N, "5555 5555 5555 4444|", &[keys("123")], "5555 5555 5555 4444|");
        check(N, "4242 4242 4242 4242 424|", &[keys("2")], "4242 4242 4242 4242 424|");
        check(N, "3782 822463 1000[5]", &[keys("6")], "3782 822463 10006|");
    }

    #[test]
    fn of_a_visa_goes_on_to_19_digits() {
        check(N, "4242 4242 4242 4242|", &[keys("1234")], "4242 4242 4242 4242 123|");
    }

    #[test]
    fn that_is_pasted_too_long_is_shown_as_far_as_any_number_goes() {
        check(N, "|", &[paste("378282246310005123")], "3782 822463 10005123|");
        check(N, "[3782 822463 10005]", &[paste("3714496353984310")], "3714 496353 984310|");
        check(N, "5555 5555 5555 44[44]", &[paste("123")], "5555 5555 5555 4412 3|");
        check(N, "|", &[paste(&"4".repeat(1_000))], "4444 4444 4444 4444 444|");
        check(N, "4242 4242 4242 4242|", &[paste("99999")], "4242 4242 4242 4242 999|");
        check(N, "|", &[paste("378282246310005123"), keys("4"), Backspace], "3782 822463 1000512|");
    }

    #[test]
    fn of_no_known_brand_stays_readable_up_to_19_digits() {
        check(N, "|", &[keys("99999999999999999999")], "9999 9999 9999 9999 999|");
    }
}

mod an_expiry {
    use super::Input::Expiry as E;
    use super::*;

    #[test]
    fn is_typed_as_four_digits() {
        check_typing(E, "1230", &["1|", "12 / |", "12 / 3|", "12 / 30|"]);
        check_typing(E, "0430", &["0|", "04 / |", "04 / 3|", "04 / 30|"]);
    }

    #[test]
    fn gives_a_month_its_zero_that_can_have_no_second_digit() {
        check_typing(E, "430", &["04 / |", "04 / 3|", "04 / 30|"]);
        check_typing(E, "130", &["1|", "01 / 3|", "01 / 30|"]);
        check(E, "|", &[keys("2")], "02 / |");
        check(E, "|", &[keys("9")], "09 / |");
    }

    #[test]
    fn takes_a_separator_as_the_end_of_the_month() {
        for separator in ["/", " ", "-", ".", "／", "・", "ー", "月", "ฝ"] {
            check(E, "|", &[keys(&format!("1{separator}"))], "01 / |");
            check(E, "|", &[keys(&format!("1{separator}30"))], "01 / 30|");
            check(E, "|", &[keys(&format!("12{separator}30"))], "12 / 30|");
            check(E, "|", &[keys(&format!("4{separator}30"))], "04 / 30|");
        }
        check(E, "|", &[keys("12 / 30")], "12 / 30|");
        check(E, "|", &[keys("/")], "|");
    }

    #[test]
    fn ignores_letters() {
        check(E, "|", &[keys("x1x")], "1|");
        check(E, "|", &[keys("x1x2x/x3x0x")], "12 / 30|");
        check(E, "12| / 30", &[keys("x")], "12 / |30");
        check(E, "1|2 / 30", &[keys("x")], "1|2 / 30");
    }

    #[test]
    fn may_have_a_year_of_four_digits() {
        check(E, "|", &[keys("122030")], "12 / 2030|");
        check(E, "|", &[keys("42030")], "04 / 2030|");
    }

    #[test]
    fn ignores_a_key_too_many() {
        check(E, "12 / 2030|", &[keys("5")], "12 / 2030|");
        check(E, "1|2 / 2030", &[keys("5")], "1|2 / 2030");
        check(E, "|12 / 2030", &[keys("5")], "|12 / 2030");
    }

    #[test]
    fn is_deleted_from_its_end_digit_by_digit() {
        check(E, "12 / 30|", &[Backspace], "12 / 3|");
        check(E, "12 / 3|", &[Backspace], "12|");
        check(E, "12 / |", &[Backspace], "1|");
        check(E, "12|", &[Backspace], "1|");
        check(E, "12 / 30|", &[Backspace, Backspace, Backspace, Backspace], "|");
        check(E, "01 / |", &[Backspace, Backspace], "|");
        check(E, "12|", &[keys("3")], "12 / 3|");
        check(E, "12|", &[keys("/")], "12 / |");
    }

    #[test]
    fn loses_the_digit_beyond_a_separator_that_is_deleted() {
        check(E, "12 / |30", &[Backspace], "1|3 / 0");
        check(E, "12 |/ 30", &[Delete], "12| / 0");
        check(E, "12| / 30", &[Delete], "12| / 0");
        check(E, "12 / [30]", &[Backspace], "12|");
        check(E, "[12 / 30]", &[Backspace], "|");
    }

    #[test]
    fn takes_digits_in_the_middle_and_keeps_the_caret_behind_them() {
        check(E, "1| / 30".replace(" / 30", "3 / 0").as_str(), &[keys("2")], "12 / |30");
        check(E, "|2 / 30".replace("2 / 30", "23 / 0").as_str(), &[keys("0")], "0|2 / 30");
        check(E, "0|1 / 30", &[keys("9")], "09 / |130");
        check(E, "12 / |30", &[keys("2")], "12 / 2|30");
        check(E, "12| / 30", &[keys("2")], "12 / 2|30");
        check(E, "1|2", &[keys("1")], "11 / |2");
    }

    #[test]
    fn lets_the_month_be_typed_over() {
        check(E, "[12] / 30", &[keys("4")], "04 / |30");
        check(E, "[12] / 30", &[keys("11")], "11 / |30");
        check(E, "[12] / 30", &[keys("01")], "01 / |30");
        check(E, "12 / [30]", &[keys("31")], "12 / 31|");
        check(E, "[12 / 30]", &[keys("4")], "04 / |");
        check(E, "[12 / 30]", &[keys("131")], "01 / 31|");
    }

    #[test]
    fn takes_what_is_pasted_or_filled_in_in_any_writing() {
        for text in [
            "12/30",
            "12/2030",
            "12 / 30",
            "1230",
            "122030",
            "12-30",
            "12.2030",
            "2030-12",
            "2030/12",
            "203012",
            "2030年12月",
            "１２／３０",
            "２０３０年１２月",
            "12・30",
            " 12/30\n",
            "١٢/٣٠",
            "๑๒/๓๐",
        ] {
            for seen in ["|", "[01 / 29]", "[01 / 2029]", "[12 / 30]", "[0]"] {
                check(E, seen, &[paste(text)], "12 / 30|");
                check(E, seen, &[fill(text)], "12 / 30|");
            }
        }
        for text in ["1/30", "01/30", "1/2030", "2030-01"] {
            for seen in ["|", "[12 / 29]", "[12 / 2029]", "[01 / 30]"] {
                check(E, seen, &[paste(text)], "01 / 30|");
            }
        }
    }

    #[test]
    fn takes_a_year_that_is_pasted_behind_its_month() {
        check(E, "12 / |", &[paste("30")], "12 / 30|");
        check(E, "12 / |", &[paste("2030")], "12 / 30|");
        check(E, "12 / [30]", &[paste("31")], "12 / 31|");
        check(E, "|", &[paste("12"), paste("30")], "12 / 30|");
    }

    #[test]
    fn that_is_a_year_alone_stays_one_and_lacks_its_month() {
        for text in ["2030", "30", "２０３０", " 2030 ", "203", "20"] {
            for seen in ["|", "[12 / 30]", "[12 / 2030]", "[01 / 29]", "[2030]", "[30]", "[12 / ]"] {
                let mut person = Person::who_sees(seen);
                person.act(E, &fill(text));
                assert_eq!(person.text, digits::fold(text), "{text} {seen}");
                assert_eq!(Expiry::parse(&person.text, TODAY), Entry::Incomplete, "{text} {seen}");
            }
        }
        // Told again what it has.
        check(E, "|", &[fill("2030"), fill("2030")], "2030|");
        check(E, "|", &[fill("2030"), fill("12/2030")], "12 / 30|");
        check(E, "|", &[fill("30"), fill("12/30")], "12 / 30|");
        // Its month, typed before it or, as ISO 8601 has it, behind.
        check(E, "|2030", &[keys("12")], "12 / |2030");
        check(E, "|30", &[keys("12")], "12 / |30");
        check(E, "|", &[fill("2030"), keys("12")], "203012|");
        assert!(Expiry::parse("203012", TODAY).valid().is_some());
    }

    #[test]
    fn whose_month_is_deleted_is_a_year_alone() {
        check(E, "[12 / ]2030", &[Backspace], "|2030");
        check(E, "12| / 2030", &[Backspace, Backspace], "|2030");
        check(E, "|2030", &[keys("0"), keys("1")], "01 / |2030");
    }

    #[test]
    fn of_a_month_that_is_none_is_not_given_a_separator() {
        check(E, "|", &[paste("77")], "77|");
        check(E, "|", &[paste("99")], "99|");
        check(E, "|", &[paste("12")], "12 / |");
    }

    #[test]
    fn of_the_past_stays_readable() {
        check(E, "|", &[paste("1/20")], "01 / 20|");
        check(E, "|", &[paste("12/24")], "12 / 24|");
        check(E, "|", &[paste("12/2024")], "12 / 2024|");
        check(E, "|", &[fill("2024-12")], "12 / 2024|");
        check(E, "|", &[fill("2020-01")], "01 / 2020|");
        check(E, "|", &[fill("1999-12")], "12 / 1999|");
    }

    #[test]
    fn that_cannot_be_right_stays_readable() {
        check(E, "|", &[paste("13/30")], "13 / 30|");
        check(E, "|", &[paste("00/30")], "00 / 30|");
        check(E, "|", &[paste("12/2099")], "12 / 2099|");
        check(E, "|", &[paste("12/2030 123")], "12 / 2030|");
    }

    #[test]
    fn is_shown_in_four_digits_once_it_was_left() {
        for text in ["12/2030", "12 / 30", "2030-12"] {
            let expiry = Expiry::parse(text, TODAY).valid().unwrap();
            assert_eq!(*mask::month_and_year(&expiry), "12 / 30");
        }
        let expiry = Expiry::parse("1/2076", TODAY).valid().unwrap();
        assert_eq!(*mask::month_and_year(&expiry), "01 / 76");
    }
}

mod a_security_code {
    use super::Input::SecurityCode as Code;
    use super::*;

    #[test]
    fn has_as_many_digits_as_its_brand_says() {
        check(Code(3), "|", &[keys("1234")], "123|");
        check(Code(4), "|", &[keys("12345")], "1234|");
        check(Code(4), "|", &[fill(" 12-34 ")], "1234|");
    }

    #[test]
    fn ignores_letters_and_a_key_too_many_wherever_it_comes() {
        check(Code(3), "|", &[keys("1a 2-b3")], "123|");
        check(Code(3), "1|23", &[keys("4")], "1|23");
        check(Code(3), "|123", &[keys("4")], "|123");
        check(Code(3), "1[2]3", &[keys("4")], "14|3");
    }

    #[test]
    fn is_edited_where_the_caret_is() {
        check(Code(4), "1|23", &[keys("4")], "14|23");
        check(Code(4), "1|23", &[Backspace], "|23");
        check(Code(4), "1|23", &[Delete], "1|3");
        check(Code(3), "|123", &[Backspace], "|123");
        check(Code(3), "[123]", &[paste("987")], "987|");
    }

    #[test]
    fn of_four_digits_that_comes_in_one_go_is_kept_beside_a_number_whose_brand_has_three() {
        check(Code(3), "|", &[paste("１２３４")], "1234|");
        check(Code(3), "|", &[fill("1234")], "1234|");
        check(Code(3), "[123]", &[fill("1234")], "1234|");
        check(Code(3), "[987]", &[fill("1234")], "1234|");
        check(Code(3), "|", &[fill("12345")], "1234|");
        check(Code(3), "1234|", &[keys("5")], "1234|");
        check(Code(3), "1234|", &[Backspace, keys("5")], "123|");
    }
}

#[test]
fn the_type_of_an_input_event_says_what_was_done() {
    for (input_type, change) in [
        ("insertText", Change::Type),
        ("insertCompositionText", Change::Type),
        ("insertFromComposition", Change::Type),
        ("insertFromPaste", Change::Insert),
        ("insertReplacementText", Change::Insert),
        ("historyUndo", Change::Insert),
        ("", Change::Insert),
        ("somethingNew", Change::Insert),
        ("deleteContentBackward", Change::DeleteBackward),
        ("deleteWordBackward", Change::DeleteBackward),
        ("deleteSoftLineBackward", Change::DeleteBackward),
        ("deleteByCut", Change::DeleteBackward),
        ("deleteContent", Change::DeleteBackward),
        ("deleteContentForward", Change::DeleteForward),
        ("deleteWordForward", Change::DeleteForward),
        ("deleteHardLineForward", Change::DeleteForward),
    ] {
        assert_eq!(Change::from_input(input_type, ""), change, "{input_type}");
        assert_eq!(Change::from_input(input_type, "４"), change, "{input_type}");
    }
    assert_eq!(Change::from_input("insertText", "1234"), Change::Insert, "more than a key has");
}

#[test]
fn printing_an_edit_or_what_is_shown_shows_no_text() {
    let edit = Edit { before: "4242 4242", after: "4242 42429", caret: 10, change: Change::Insert };
    let printed = format!("{edit:?} {:?}", mask::number(edit));
    assert!(printed.contains("caret: 11") && !printed.contains("42"), "{printed}");
}

fn inputs() -> impl Strategy<Value = Input> {
    prop_oneof![
        Just(Input::Number),
        Just(Input::Expiry),
        Just(Input::SecurityCode(3)),
        Just(Input::SecurityCode(4))
    ]
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let digits = prop_oneof!["[0-9]{1,3}", "[34][0-9]{0,3}", "[0-9０-９x /-]{1,4}"];
    let action = prop_oneof![
        6 => digits.prop_map(Type),
        1 => "[0-9]{0,24}".prop_map(Paste),
        1 => "[0-9０-９٠-٩a-z /年月-]{0,12}".prop_map(Paste),
        1 => "[0-9 /-]{0,20}".prop_map(Fill),
        3 => Just(Backspace),
        2 => Just(Delete),
        1 => Just(BackspaceWord),
        1 => Just(Cut),
        3 => (0..24_usize).prop_map(Move),
        1 => (0..24_usize, 0..24_usize).prop_map(|(one, other)| Select(one, other)),
    ];
    prop::collection::vec(action, 1..24)
}

/// What a person may expect of the digits of a number or a code: those the browser would have, but that a gap deleted
/// stands for the digit beyond it, that a key too many is ignored, and that there is an end.
fn expected_digits(input: Input, before: &Person, raw: &super::person::Raw) -> String {
    let (old, mut new) = (digits::fold(&raw.before), digits::fold(&raw.after));
    let caret = digits::fold(&before.text[..before.selection.start]).len();
    let gap_deleted = raw.after.len() < raw.before.len() && old == new;
    match raw.change {
        Change::DeleteBackward if gap_deleted => {
            let end = digits::fold(&before.text[..before.selection.end]).len();
            new.replace_range(end.saturating_sub(1)..end, "");
        }
        Change::DeleteForward if gap_deleted && caret < new.len() => {
            new.remove(caret);
        }
        _ => {}
    }
    let longest = match input {
        Input::SecurityCode(_) => SecurityCode::MAX_DIGITS,
        _ => Number::MAX_DIGITS,
    };
    let fits = match input {
        Input::SecurityCode(longest) => longest,
        _ => brand::Brand::candidates(&new).best().map_or(longest, |brand| brand.lengths().longest()),
    };
    let is_key = (0..new.len()).any(|place| [&new[..place], &new[place + 1..]].concat() == old);
    if raw.change == Change::Type && new.len() > fits && is_key {
        return old;
    }
    new.truncate(longest);
    new
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_is_done_the_digits_stay_those_of_the_text(
        input in prop_oneof![Just(Input::Number), Just(Input::SecurityCode(3)), Just(Input::SecurityCode(4))],
        actions in actions(),
        last in prop_oneof!["[0-9]", "[0-9x -]{0,22}"],
        kind in prop::sample::select(vec!["insertText", "deleteContentBackward", "deleteContentForward"]),
        reach in 0..3_usize,
    ) {
        let mut person = Person::who_sees("|");
        for action in &actions {
            person.act(input, action);
        }
        if kind != "insertText" {
            person.selection.end = (person.selection.start + reach).min(person.text.len());
            if person.selection.is_empty() {
                return Ok(());
            }
        }
        let raw = person.raw(kind, if kind == "insertText" { &last } else { "" });
        let shown = input.mask(raw.edit());
        prop_assert_eq!(digits::fold(&shown.text), expected_digits(input, &person, &raw), "{} {:?}", person, raw);
    }

    #[test]
    fn whatever_is_done_the_text_is_grouped_and_the_caret_stands_at_a_digit(input in inputs(), actions in actions()) {
        let mut person = Person::who_sees("|");
        for action in &actions {
            let before = person.clone();
            person.act(input, action);
            let text = &*person.text;
            if before == person || matches!(action, Move(_) | Select(..)) {
                continue;
            }
            let digits = digits::fold(text);
            let grouped = match input {
                Input::Number => vec![brand::format(&digits)],
                Input::SecurityCode(_) => vec![digits],
                Input::Expiry => {
                    let (month, year) = digits.split_at(digits.len().min(2));
                    prop_assert!(year.len() <= 4);
                    let whole = format!("{month} / {year}");
                    match (month, year) {
                        ("20", _) => vec![digits.clone()],
                        (_, "") => vec![digits.clone(), whole],
                        _ => vec![whole],
                    }
                }
            };
            prop_assert!(grouped.iter().any(|grouped| grouped == text), "{}", person);
            let caret = person.selection.end;
            prop_assert!(caret <= text.len());
            // Never inside a separator: at its beginning, or at its end.
            let (head, tail) = text.split_at(caret);
            let is_digit = |c: char| c.is_ascii_digit();
            prop_assert!(
                head.is_empty() || tail.is_empty() || head.ends_with(is_digit) || tail.starts_with(is_digit),
                "{}", person
            );
        }
    }

    #[test]
    fn a_key_leaves_the_caret_behind_the_digit_it_brought(actions in actions(), key in "[0-9]") {
        let mut person = Person::who_sees("|");
        for action in &actions {
            person.act(Input::Number, action);
        }
        let before = person.clone();
        person.act(Input::Number, &keys(&key));
        let digits_before = |person: &Person| digits::fold(&person.text[..person.selection.start]);
        let nothing_replaced = digits::fold(&before.text[before.selection.clone()]).is_empty();
        if nothing_replaced && digits::fold(&person.text) == digits::fold(&before.text) {
            prop_assert_eq!(digits_before(&person).len(), digits_before(&before).len());
        } else {
            prop_assert_eq!(digits_before(&person), digits_before(&before) + &key);
        }
    }

    #[test]
    fn an_expiry_is_what_was_typed_but_for_the_months_zero(actions in actions(), key in "[0-9]") {
        let mut person = Person::who_sees("|");
        for action in &actions {
            person.act(Input::Expiry, action);
        }
        let raw = person.raw("insertText", &key);
        let shown = digits::fold(&mask::expiry(raw.edit(), TODAY).text);
        let typed = digits::fold(&raw.after);
        let before = digits::fold(&raw.before);
        prop_assert!(
            shown == typed || shown == format!("0{typed}") || (typed.len() > 6 && shown == before),
            "{} {} {}", person, key, shown
        );
    }

    #[test]
    fn an_expiry_that_is_filled_in_means_what_was_filled_in(
        actions in actions(),
        month in 1..=12_u8,
        year in 2027..=2076_u16,
        writing in 0..7_usize,
    ) {
        let short = year % 100;
        let text = [
            format!("{month:02}/{short:02}"),
            format!("{month}/{short:02}"),
            format!("{month:02} / {year}"),
            format!("{month}/{year}"),
            format!("{month:02}{short:02}"),
            format!("{month:02}{year}"),
            format!("{year}-{month:02}"),
        ][writing].clone();
        let mut person = Person::who_sees("|");
        for action in &actions {
            person.act(Input::Expiry, action);
        }
        person.act(Input::Expiry, &fill(&text));
        // Four digits of the year, where they stood there already.
        let shown = [format!("{month:02} / {short:02}|"), format!("{month:02} / {year}|")];
        prop_assert!(shown.contains(&person.to_string()), "{}: {}", text, person);
    }

    #[test]
    fn what_is_shown_is_shown_the_same_again(input in inputs(), actions in actions()) {
        let mut person = Person::who_sees("|");
        for action in &actions {
            person.act(input, action);
        }
        let again = |shown: &Shown| {
            let edit = Edit { before: &shown.text, after: &shown.text, caret: shown.caret, change: Change::Insert };
            input.mask(edit)
        };
        person.selection.start = person.selection.end;
        let raw = person.raw("insertText", "");
        let once = input.mask(raw.edit());
        let twice = again(&once);
        prop_assert_eq!((&**once.text, once.caret), (&**twice.text, twice.caret));
    }

    #[test]
    fn what_a_valid_field_shows_is_valid(actions in actions()) {
        let mut person = Person::who_sees("|");
        for action in &actions {
            person.act(Input::Expiry, action);
            if let Entry::Valid(expiry) = Expiry::parse(&person.text, TODAY) {
                prop_assert_eq!(Expiry::parse(&mask::month_and_year(&expiry), TODAY), Entry::Valid(expiry));
            }
        }
    }

    #[test]
    fn no_edit_panics(
        input in inputs(),
        before in any::<String>(),
        after in any::<String>(),
        caret in prop_oneof![0..40_usize, any::<usize>()],
        change in prop::sample::select(vec![
            Change::Type, Change::Insert, Change::DeleteBackward, Change::DeleteForward,
        ]),
    ) {
        let shown = input.mask(Edit { before: &before, after: &after, caret, change });
        prop_assert!(shown.caret <= shown.text.len() && shown.text.is_ascii());
    }

    #[test]
    fn no_edit_with_digits_of_any_script_among_wide_characters_panics(
        input in inputs(),
        before in "[0-9０-９٠-٩𝟎-𝟗😀 /]{0,30}",
        after in "[0-9０-９٠-٩𝟎-𝟗😀 /年]{0,30}",
        caret in 0..64_usize,
        change in prop::sample::select(vec![
            Change::Type, Change::Insert, Change::DeleteBackward, Change::DeleteForward,
        ]),
    ) {
        let shown = input.mask(Edit { before: &before, after: &after, caret, change });
        prop_assert!(shown.caret <= shown.text.len() && shown.text.is_ascii());
    }
}
