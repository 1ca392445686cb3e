use super::Reason;

/// What a text typed into a field amounts to so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entry<T> {
    /// Nothing is wrong yet: typing on can make it valid. An empty text is incomplete.
    Incomplete,
    /// A complete value. Typing on may still give another one: some brands have numbers of several lengths.
    Valid(T),
    /// No further typing can make it valid.
    Invalid(Reason),
}

impl<T> Entry<T> {
    /// The value, if there is one.
    pub fn valid(self) -> Option<T> {
        match self {
            Self::Valid(value) => Some(value),
            Self::Incomplete | Self::Invalid(_) => None,
        }
    }

    /// Why the text can never become valid, if it cannot.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Invalid(reason) => Some(*reason),
            Self::Incomplete | Self::Valid(_) => None,
        }
    }

    /// The same entry with its value changed by `change`.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Entry<U> {
        match self {
            Self::Incomplete => Entry::Incomplete,
            Self::Valid(value) => Entry::Valid(change(value)),
            Self::Invalid(reason) => Entry::Invalid(reason),
        }
    }

    /// The same entry with its value borrowed.
    pub fn as_ref(&self) -> Entry<&T> {
        match self {
            Self::Incomplete => Entry::Incomplete,
            Self::Valid(value) => Entry::Valid(value),
            Self::Invalid(reason) => Entry::Invalid(*reason),
        }
    }
}
