//! Digits of every script, and characters that nobody sees.

/// The value of a digit of any script: decimal ones, raised, lowered, circled and mathematical ones (Unicode's property
/// `Numeric_Type` is Decimal or Digit), and those that Chinese and Japanese are written with.
pub(super) fn digit(character: char) -> Option<u8> {
    if character.is_ascii() {
        return character.is_ascii_digit().then(|| character as u8 - b'0');
    }
    let code = u32::from(character);
    let row = DIGITS.partition_point(|(first, ..)| *first <= code).checked_sub(1)?;
    let (first, value, count) = *DIGITS.get(row)?;
    let place = u8::try_from(code - first).ok().filter(|place| *place < count);
    place.map(|place| value + place).or_else(|| ideograph(character))
}

const fn ideograph(character: char) -> Option<u8> {
    Some(match character {
        '〇' | '零' => 0,
        '一' | '壱' | '壹' => 1,
        '二' | '弐' | '貳' => 2,
        '三' | '参' | '參' => 3,
        '四' => 4,
        '五' | '伍' => 5,
        '六' | '陸' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

/// Whether a character has no ink and takes no room: joiners, marks of direction, the byte order mark, selectors of
/// variants, the box that makes a keycap of a digit.
pub(super) const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{20E3}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// The first of digits in a row, its value, and how many there are; in the order of their codes.
#[rustfmt::skip]
const DIGITS: &[(u32, u8, u8)] = &[
    (0x00B2, 2, 2), // superscript
    (0x00B9, 1, 1), // superscript
    (0x0660, 0, 10), // arabic-indic
    (0x06F0, 0, 10), // extended arabic-indic
    (0x07C0, 0, 10), // nko
    (0x0966, 0, 10), // devanagari
    (0x09E6, 0, 10), // bengali
    (0x0A66, 0, 10), // gurmukhi
    (0x0AE6, 0, 10), // gujarati
    (0x0B66, 0, 10), // oriya
    (0x0BE6, 0, 10), // tamil
    (0x0C66, 0, 10), // telugu
    (0x0CE6, 0, 10), // kannada
    (0x0D66, 0, 10), // malayalam
    (0x0DE6, 0, 10), // sinhala lith
    (0x0E50, 0, 10), // thai
    (0x0ED0, 0, 10), // lao
    (0x0F20, 0, 10), // tibetan
    (0x1040, 0, 10), // myanmar
    (0x1090, 0, 10), // myanmar shan
    (0x1369, 1, 9), // ethiopic
    (0x17E0, 0, 10), // khmer
    (0x1810, 0, 10), // mongolian
    (0x1946, 0, 10), // limbu
    (0x19D0, 0, 10), // new tai lue
    (0x19DA, 1, 1), // new tai lue tham
    (0x1A80, 0, 10), // tai tham hora
    (0x1A90, 0, 10), // tai tham tham
    (0x1B50, 0, 10), // balinese
    (0x1BB0, 0, 10), // sundanese
    (0x1C40, 0, 10), // lepcha
    (0x1C50, 0, 10), // ol chiki
    (0x2070, 0, 1), // superscript
    (0x2074, 4, 6), // superscript
    (0x2080, 0, 10), // subscript
    (0x2460, 1, 9), // circled
    (0x2474, 1, 9), // parenthesized
    (0x2488, 1, 9), // full stop
    (0x24EA, 0, 1), // circled
    (0x24F5, 1, 9), // double circled
    (0x24FF, 0, 1), // negative circled
    (0x2776, 1, 9), // dingbat negative circled
    (0x2780, 1, 9), // dingbat circled sans-serif
    (0x278A, 1, 9), // dingbat negative circled sans-serif
    (0xA620, 0, 10), // vai
    (0xA8D0, 0, 10), // saurashtra
    (0xA900, 0, 10), // kayah li
    (0xA9D0, 0, 10), // javanese
    (0xA9F0, 0, 10), // myanmar tai laing
    (0xAA50, 0, 10), // cham
    (0xABF0, 0, 10), // meetei mayek
    (0xFF10, 0, 10), // fullwidth
    (0x104A0, 0, 10), // osmanya
    (0x10A40, 1, 4), // kharoshthi
    (0x10D30, 0, 10), // hanifi rohingya
    (0x10D40, 0, 10), // Garay
    (0x10E60, 1, 9), // rumi
    (0x11052, 1, 9), // brahmi
    (0x11066, 0, 10), // brahmi
    (0x110F0, 0, 10), // sora sompeng
    (0x11136, 0, 10), // chakma
    (0x111D0, 0, 10), // sharada
    (0x112F0, 0, 10), // khudawadi
    (0x11450, 0, 10), // newa
    (0x114D0, 0, 10), // tirhuta
    (0x11650, 0, 10), // modi
    (0x116C0, 0, 10), // takri
    (0x116D0, 0, 10), // Myanmar Pao Karen
    (0x116DA, 0, 10), // Myanmar Eastern Pwo Karen
    (0x11730, 0, 10), // ahom
    (0x118E0, 0, 10), // warang citi
    (0x11950, 0, 10), // dives akuru
    (0x11BF0, 0, 10), // Sunuwar
    (0x11C50, 0, 10), // bhaiksuki
    (0x11D50, 0, 10), // masaram gondi
    (0x11DA0, 0, 10), // gunjala gondi
    (0x11DE0, 0, 10), // Tolong Siki
    (0x11F50, 0, 10), // Kawi
    (0x16A60, 0, 10), // mro
    (0x16AC0, 0, 10), // tangsa
    (0x16B50, 0, 10), // pahawh hmong
    (0x16D70, 0, 10), // Kirat Rai
    (0x1CCF0, 0, 10), // outlined
    (0x1D7CE, 0, 10), // mathematical bold
    (0x1D7D8, 0, 10), // mathematical double-struck
    (0x1D7E2, 0, 10), // mathematical sans-serif
    (0x1D7EC, 0, 10), // mathematical sans-serif bold
    (0x1D7F6, 0, 10), // mathematical monospace
    (0x1E140, 0, 10), // nyiakeng puachue hmong
    (0x1E2F0, 0, 10), // wancho
    (0x1E4F0, 0, 10), // Nag Mundari
    (0x1E5F1, 0, 10), // Ol Onal
    (0x1E950, 0, 10), // adlam
    (0x1F100, 0, 1), // full stop
    (0x1F101, 0, 10), // comma
    (0x1F10B, 0, 1), // dingbat circled sans-serif
    (0x1F10C, 0, 1), // dingbat negative circled sans-serif
    (0x1FBF0, 0, 10), // segmented
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_in_every_script() {
        for (text, value) in [("0０٠०๐⁰₀⓪𝟎𝟢〇", 0), ("4４٤४๔⁴₄④⑷⒋❹𝟒四", 4), ("9９٩९๙⁹₉⑨𝟡𝟵九", 9)]
        {
            for character in text.chars() {
                assert_eq!(digit(character), Some(value), "{character}");
            }
        }
        for character in "aäก漢½\u{200B}⑩𝟘".chars().filter(|character| *character != '𝟘') {
            assert_eq!(digit(character), None, "{character}");
        }
    }

    #[test]
    fn the_table_is_in_order_and_each_row_ends_before_the_next() {
        assert!(DIGITS.windows(2).all(|rows| rows[0].0 + u32::from(rows[0].2) <= rows[1].0));
        assert!(DIGITS.iter().all(|(_, value, count)| value + count <= 10));
    }
}
