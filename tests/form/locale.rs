use std::collections::HashSet;

use cardseal::card::{Entry, Field, Reason};
use cardseal::form::locale::Texts;
use cardseal::plain;
use serde_json::{Map, Value};

const FILES: &[(&str, &str)] = &[
    ("en", include_str!("../../www/locales/en.json")),
    ("ja", include_str!("../../www/locales/ja.json")),
    ("th", include_str!("../../www/locales/th.json")),
];

const REASONS: &[Reason] = &[
    Reason::IsCardNumber,
    Reason::Luhn,
    Reason::MonthOutOfRange,
    Reason::Past,
    Reason::TooFarAhead,
    Reason::TooLong,
    Reason::UnexpectedCharacter,
    Reason::UnknownBrand,
];

fn languages() -> impl Iterator<Item = (&'static str, Map<String, Value>, Texts)> {
    FILES.iter().map(|(language, file)| {
        let texts = plain::parse(file).unwrap_or_else(|error| panic!("{language}: {error}"));
        (*language, serde_json::from_str(file).unwrap(), texts)
    })
}

/// Everything that can be wrong with a field.
fn complaints() -> impl Iterator<Item = (Field, Entry<()>)> {
    Field::ALL.iter().flat_map(|field| {
        let invalid = REASONS.iter().map(|reason| Entry::Invalid(*reason));
        invalid.chain([Entry::Incomplete]).map(|entry| (*field, entry))
    })
}

#[test]
fn every_language_there_is_has_a_test() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/www/locales");
    let files: HashSet<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, FILES.iter().map(|(language, _)| format!("{language}.json")).collect());
}

#[test]
fn every_language_has_every_text_once_and_in_the_same_order() {
    let keys = |file: &str| -> Vec<String> {
        file.lines()
            .filter_map(|line| Some(line.trim().strip_prefix('"')?.split_once('"')?.0.to_owned()))
            .collect()
    };
    let english = keys(FILES[0].1);
    assert_eq!(english.iter().collect::<HashSet<_>>().len(), english.len());
    for ((language, file), (_, members, _)) in FILES.iter().zip(languages()) {
        assert_eq!(keys(file), english, "{language}");
        assert_eq!(members.len(), english.len(), "{language}");
    }
}

#[test]
fn no_text_but_a_placeholder_is_empty_and_none_has_space_around_it() {
    for (language, members, _) in languages() {
        for (key, text) in members {
            let text = text.as_str().unwrap();
            assert!(!text.is_empty() || key.ends_with("_placeholder"), "{language}: {key}");
            assert_eq!(text.trim(), text, "{language}: {key}");
        }
    }
}

#[test]
fn no_text_of_another_language_was_left_in_english() {
    let english: HashSet<String> =
        languages().next().unwrap().1.values().map(|text| text.as_str().unwrap().to_owned()).collect();
    for (language, members, _) in languages().skip(1) {
        for (key, text) in members {
            let text = text.as_str().unwrap();
            assert!(!english.contains(text) || key.ends_with("_placeholder"), "{language}: {key}");
        }
    }
}

#[test]
fn every_field_has_a_label_of_its_own() {
    for (language, _, texts) in languages() {
        let labels: HashSet<&str> = Field::ALL.iter().map(|field| texts.label(*field)).collect();
        assert_eq!(labels.len(), Field::ALL.len(), "{language}");
    }
}

#[test]
fn whatever_is_wrong_with_a_field_is_said_and_nothing_is_said_of_what_is_right() {
    for (language, _, texts) in languages() {
        for (field, entry) in complaints() {
            assert!(!texts.complaint(field, &entry).is_empty(), "{language}: {field:?} {entry:?}");
        }
        for field in Field::ALL {
            assert_eq!(texts.complaint(*field, &Entry::Valid(())), "");
        }
    }
}

#[test]
fn no_two_fields_complain_in_the_same_words() {
    for (language, _, texts) in languages() {
        let said: HashSet<(Field, &str)> =
            complaints().map(|(field, entry)| (field, texts.complaint(field, &entry))).collect();
        let words: HashSet<&str> = said.iter().map(|(_, words)| *words).collect();
        assert_eq!(words.len(), said.len(), "{language}");
    }
}

#[test]
fn what_a_person_can_mend_best_has_words_of_its_own() {
    for (language, _, texts) in languages() {
        for (field, reason) in [
            (Field::Number, Reason::UnknownBrand),
            (Field::Expiry, Reason::Past),
            (Field::Holder, Reason::IsCardNumber),
        ] {
            let special = texts.complaint(field, &Entry::Invalid(reason));
            assert_ne!(special, texts.complaint(field, &Entry::Invalid(Reason::TooLong)), "{language}");
            assert_ne!(special, texts.complaint(field, &Entry::Incomplete), "{language}");
        }
    }
}

#[test]
fn a_text_that_is_missing_or_not_known_is_refused() {
    let (_, members, _) = languages().next().unwrap();
    for key in members.keys() {
        let mut fewer = members.clone();
        fewer.remove(key);
        assert!(plain::parse::<Texts>(&Value::from(fewer).to_string()).is_err(), "{key}");
    }
    let mut more = members;
    more.insert("email_label".into(), "E-mail".into());
    assert!(plain::parse::<Texts>(&Value::from(more).to_string()).is_err());
}
