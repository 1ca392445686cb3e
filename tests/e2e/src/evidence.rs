//! Looking for a card where none may be, in every form that bytes of it might take.

use std::fs;
use std::path::Path;

use anyhow::Result;
use base64ct::{Base64, Encoding};

/// A form of a card number, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Such as `hexadecimal`.
    pub form: &'static str,
    /// The file or message.
    pub place: String,
}

/// Every trace of a card number in some bytes.
#[must_use]
pub fn search(number: &str, place: &str, bytes: &[u8]) -> Vec<Trace> {
    let found = |(form, pattern): (&'static str, Vec<u8>)| {
        bytes
            .windows(pattern.len())
            .any(|window| window.eq_ignore_ascii_case(&pattern))
            .then(|| Trace { form, place: place.to_owned() })
    };
    forms(number).into_iter().filter_map(found).collect()
}

/// Every trace of a card number in the files of a folder and the folders in it, and how many files were looked into.
///
/// # Errors
/// When a file cannot be read.
pub fn search_files(number: &str, folder: &Path) -> Result<(Vec<Trace>, usize)> {
    let (mut traces, mut files) = (Vec::new(), 0);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            let (inner, count) = search_files(number, &path)?;
            traces.extend(inner);
            files += count;
        } else if path.is_file() {
            // A socket keeps nothing, and cannot be read.
            traces.extend(search(number, &path.display().to_string(), &fs::read(&path)?));
            files += 1;
        }
    }
    Ok((traces, files))
}

/// What a card number looks like when somebody has kept it.
fn forms(number: &str) -> Vec<(&'static str, Vec<u8>)> {
    let groups: Vec<&str> =
        number.as_bytes().chunks(4).filter_map(|group| str::from_utf8(group).ok()).collect();
    let spaced = groups.join(" ");
    let mut forms = vec![
        ("plain", number.into()),
        ("spaced", spaced.clone().into()),
        ("hyphenated", groups.join("-").into()),
        ("spaced, in a form body", groups.join("+").into()),
        ("spaced, in an address", groups.join("%20").into()),
        ("hexadecimal", hex(number.as_bytes())),
        ("hexadecimal, spaced", hex(spaced.as_bytes())),
        ("UTF-16", number.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        (
            "packed decimal",
            number.as_bytes().chunks(2).map(|pair| (pair[0] & 15) << 4 | (pair[1] & 15)).collect(),
        ),
        ("reversed", number.bytes().rev().collect()),
    ];
    // Base64 of a text looks different at each of the three places it can begin at within a longer one.
    for text in [number, &spaced] {
        for skipped in 0..3 {
            let whole = &text.as_bytes()[skipped..];
            let whole = &whole[..whole.len() / 3 * 3];
            forms.push(("base64", Base64::encode_string(whole).into()));
        }
    }
    forms
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_form_within_other_bytes() {
        let number = "3530111333300000";
        for (form, pattern) in forms(number) {
            let bytes = [b"before ".as_slice(), &pattern, b" after"].concat();
            assert!(search(number, "here", &bytes).iter().any(|trace| trace.form == form), "{form}");
        }
    }

    #[test]
    fn finds_base64_wherever_the_number_stands_in_the_encoded_text() {
        let number = "3530111333300000";
        for before in ["", "x", "xy", "{\"number\":\""] {
            let encoded = Base64::encode_string(format!("{before}{number}\"}}").as_bytes());
            assert!(!search(number, "here", encoded.as_bytes()).is_empty(), "after {before:?}");
        }
    }

    #[test]
    fn is_silent_about_the_last_four_digits() {
        assert_eq!(search("3530111333300000", "here", b"JCB **** 0000, 353011"), []);
    }
}
