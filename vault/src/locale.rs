//! The languages that the form speaks.

/// A language of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locale {
    /// English.
    English,
    /// Japanese.
    Japanese,
    /// Thai.
    Thai,
}

impl Locale {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::English, Self::Japanese, Self::Thai];

    /// Its tag (RFC 5646).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
            Self::Thai => "th",
        }
    }

    /// The language with this tag.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.tag() == tag)
    }

    /// The language that a person likes best, by the browser's `Accept-Language` (RFC 9110 section 12.5.4); English for
    /// those who like none.
    #[must_use]
    pub fn preferred(accept_language: &str) -> Self {
        let mut best = (Self::English, 0.0);
        for range in accept_language.split(',') {
            let (range, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
            let language = range.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            // Of equals the first is meant.
            if let (Some(locale), Some(weight)) = (Self::of_tag(&language), weight)
                && weight > best.1
            {
                best = (locale, weight);
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_language_is_chosen() {
        use Locale::{English, Japanese, Thai};
        for (header, locale) in [
            ("", English),
            ("*", English),
            ("fr", English),
            ("ja", Japanese),
            ("TH-th", Thai),
            ("fr-FR,fr;q=0.9,th;q=0.8,en;q=0.7", Thai),
            ("en;q=0.5, ja;q=0.8, th", Thai),
            ("th;q=0, ja;q=0.1", Japanese),
            ("ja;q=0", English),
            ("ja, th", Japanese),
            ("ja;q=nonsense, th;q=0.1", Thai),
            ("jav", English),
            (",;,-,;q=", English),
        ] {
            assert_eq!(Locale::preferred(header), locale, "{header:?}");
        }
    }
}
