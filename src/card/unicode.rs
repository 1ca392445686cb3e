//! What Unicode calls a letter and what a numeral. In a browser its regular expressions know: tables of our own weigh two
//! kilobytes.

/// Whether `c` is numeric (general categories Nd, Nl and No).
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn is_numeral(c: char) -> bool {
    c.is_numeric()
}

/// Whether `c` is alphabetic (Unicode Standard, section 4.10).
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn is_letter(c: char) -> bool {
    c.is_alphabetic()
}

#[cfg(target_arch = "wasm32")]
pub(super) fn is_numeral(c: char) -> bool {
    has(c, r"\p{N}")
}

#[cfg(target_arch = "wasm32")]
pub(super) fn is_letter(c: char) -> bool {
    has(c, r"\p{Alpha}")
}

#[cfg(target_arch = "wasm32")]
fn has(c: char, property: &str) -> bool {
    js_sys::RegExp::new(property, "u").test(c.encode_utf8(&mut [0; 4]))
}
