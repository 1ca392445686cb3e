use cardseal::card::{Card, Entry, Expiry, Field, Holder, Number, Reason, SecurityCode, YearMonth};

#[test]
fn an_entry_gives_its_value_or_its_reason() {
    let entries = [Entry::Incomplete, Entry::Valid(1), Entry::Invalid(Reason::Luhn)];
    assert_eq!(entries.map(Entry::valid), [None, Some(1), None]);
    assert_eq!(entries.map(|entry| entry.reason()), [None, None, Some(Reason::Luhn)]);
    assert_eq!(entries.map(|entry| entry.map(|value| value + 1).valid()), [None, Some(2), None]);
    assert_eq!(entries[1].as_ref(), Entry::Valid(&1));
}

#[test]
fn fields_are_named_as_in_javascript() {
    let ids: Vec<&str> = Field::ALL.iter().map(|field| field.id()).collect();
    assert_eq!(ids, ["number", "expiry", "security_code", "name"]);
}

#[test]
fn a_card_prints_no_more_than_eight_digits() {
    let today = YearMonth::new(2026, 11).unwrap();
    let card = Card {
        number: Number::parse("4242424242424242").valid().unwrap(),
        expiry: Expiry::parse("12/30", today).valid().unwrap(),
        security_code: SecurityCode::parse("123", None).valid(),
        holder: Holder::parse("Taro Yamada").valid(),
    };
    assert_eq!(
        format!("{card:?}"),
        "Card { number: 4242••••••••4242, expiry: ••/••, security_code: Some(•••), holder: Some(•••) }"
    );
}
