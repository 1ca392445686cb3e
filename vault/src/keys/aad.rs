//! What a ciphertext is bound to.

/// Additional authenticated data: fields, each after its length, so that no two lists of fields give the same bytes.
///
/// A ciphertext that someone with access to the database moves to another row, column or merchant no longer opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aad(Vec<u8>);

impl Aad {
    /// Binds to what the plaintext is for.
    #[must_use]
    pub fn new(purpose: &str) -> Self {
        Self(Vec::with_capacity(128)).field(purpose)
    }

    /// Binds to one thing more.
    #[must_use]
    pub fn field(self, field: &str) -> Self {
        self.bytes(field.as_bytes())
    }

    /// Binds to bytes that are no text.
    #[must_use]
    pub fn bytes(mut self, field: &[u8]) -> Self {
        self.0.extend_from_slice(&(field.len() as u64).to_be_bytes());
        self.0.extend_from_slice(field);
        self
    }

    /// Binds to the version of the key. The last field.
    #[must_use]
    pub(crate) fn version(mut self, version: u32) -> Vec<u8> {
        self.0.extend_from_slice(&version.to_be_bytes());
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        assert_ne!(Aad::new("a").field("bc"), Aad::new("ab").field("c"));
        assert_ne!(Aad::new("a").field("").field("b"), Aad::new("a").field("b").field(""));
    }
}
