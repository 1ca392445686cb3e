use cardseal::card::digits::fold;
use proptest::prelude::*;

#[test]
fn digits_of_every_script_become_ascii() {
    for text in [
        "0123456789",
        "０１２３４５６７８９",
        "٠١٢٣٤٥٦٧٨٩",
        "۰۱۲۳۴۵۶۷۸۹",
        "०१२३४५६७८९",
        "০১২৩৪৫৬৭৮৯",
        "੦੧੨੩੪੫੬੭੮੯",
        "૦૧૨૩૪૫૬૭૮૯",
        "୦୧୨୩୪୫୬୭୮୯",
        "௦௧௨௩௪௫௬௭௮௯",
        "౦౧౨౩౪౫౬౭౮౯",
        "೦೧೨೩೪೫೬೭೮೯",
        "൦൧൨൩൪൫൬൭൮൯",
        "๐๑๒๓๔๕๖๗๘๙",
        "໐໑໒໓໔໕໖໗໘໙",
        "၀၁၂၃၄၅၆၇၈၉",
        "០១២៣៤៥៦៧៨៩",
    ] {
        assert_eq!(fold(text), "0123456789");
    }
}

#[test]
fn everything_else_is_left_out() {
    assert_eq!(fold("card: 4242-4242\u{3000}[ ½²Ⅳ四 ] ok"), "42424242");
}

proptest! {
    #[test]
    fn folding_twice_is_folding_once(text in any::<String>()) {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once.clone());
        prop_assert!(once.bytes().all(|byte| byte.is_ascii_digit()));
        prop_assert_eq!(once.capacity(), once.len());
    }
}
