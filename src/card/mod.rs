//! What a card is. Text goes in, and either a card that cannot be wrong comes out or the reason why not.
//!
//! Every field has one parser that takes what people type and paste and answers with an [`Entry`]. Nothing
//! here needs a browser, a clock or a network: the month it is comes in as a [`YearMonth`].
//!
//! Clear values are zeroized on drop. `Debug` and `Display` show a number's first and last four digits and of
//! the other fields nothing; the clear text is had only through the methods called `expose`.

pub mod brand;
pub mod digits;
mod entry;
mod expiry;
mod field;
mod holder;
mod number;
mod reason;
mod security_code;
mod unicode;
mod year_month;

pub use brand::Brand;
pub use entry::Entry;
pub use expiry::Expiry;
pub use field::Field;
pub use holder::Holder;
pub use number::Number;
pub use reason::Reason;
pub use security_code::SecurityCode;
pub use year_month::YearMonth;

/// A card whose every field has been parsed: the only thing that can be sealed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Card {
    /// The primary account number.
    pub number: Number,
    /// The month the card is valid through.
    pub expiry: Expiry,
    /// The code printed on the card; absent where none was asked for. Never stored past authorization (PCI
    /// DSS 3.3.1).
    pub security_code: Option<SecurityCode>,
    /// The name on the card, where it was asked for.
    pub holder: Option<Holder>,
}
