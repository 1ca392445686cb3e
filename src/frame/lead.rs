//! Who leads the focus: the person, or the page that the frame stands in.
//!
//! A page that led the caret out of a number while it is typed would have the rest of the number typed where the page
//! wants it, into the name for one. So the page leads only where the person is not: when nothing in the frame has the
//! focus, or when it is where the page itself has put it and the person has done nothing there since, or when the form
//! was just submitted. And since a page can take the focus away whenever it likes, an entry that has lost it half way,
//! through nothing that the person did here, is the only place where it can be put back.
//!
//! A click on the page is nothing that a frame of another site hears of. To it, that looks like a page that takes the
//! focus; then the entry that was left half way says so, which is no harm.

use crate::card::Field;

/// What the frame knows of who is where.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Lead {
    /// Nothing in the frame has the focus, or it was led there and the person has done nothing since.
    #[default]
    Free,
    /// The person is in this field: with a key or a pointer, they have come there or done something there.
    Person(Field),
    /// This field has lost the focus half way through its entry, and not by the person's doing.
    Interrupted(Field),
}

/// By whose doing the focus moves.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Way {
    /// The person's: Tab, or a pointer within the frame.
    Person,
    /// The form's, for the page or for a card that needs the person.
    Form,
    /// The window's, which has lost its own focus and keeps the field for when it is back.
    Window,
    /// Nobody's that the frame knows of.
    #[default]
    Unknown,
}

/// How far the entry of a field is, for the question whether the person is at it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// Nothing is there yet, or all that is expected.
    Resting,
    /// It was begun and is not whole.
    HalfWay,
}

/// What becomes of the focus where it arrives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Arrival {
    /// It stays.
    Stays(Lead),
    /// It goes back to this field.
    GoesBack(Field),
}

impl Lead {
    /// The person has pressed a key or a pointer in a field.
    #[must_use]
    pub const fn acted(field: Field) -> Self {
        Self::Person(field)
    }

    /// The focus has left a field.
    #[must_use]
    pub fn left(self, field: Field, way: Way, progress: Progress) -> Self {
        match (way, self) {
            (Way::Window | Way::Form, _) => self,
            (Way::Person, _) => Self::Free,
            (Way::Unknown, _) if progress == Progress::HalfWay => Self::Interrupted(field),
            // Another field than that may be passed through meanwhile.
            (Way::Unknown, Self::Interrupted(of)) if of != field => self,
            (Way::Unknown, _) => Self::Free,
        }
    }

    /// The focus has come to a field.
    #[must_use]
    pub fn came(self, field: Field, way: Way) -> Arrival {
        match (way, self) {
            (Way::Person, _) => Arrival::Stays(Self::Person(field)),
            (_, Self::Person(of) | Self::Interrupted(of)) if of == field => Arrival::Stays(self),
            (Way::Form, _) | (_, Self::Free) => Arrival::Stays(Self::Free),
            // As by a page that goes to the field's place in the frame's document.
            (_, Self::Person(of) | Self::Interrupted(of)) => Arrival::GoesBack(of),
        }
    }

    /// Whether the page may lead to a field.
    #[must_use]
    pub fn allows(self, field: Field) -> bool {
        match self {
            Self::Free => true,
            Self::Person(_) => false,
            Self::Interrupted(of) => of == field,
        }
    }

    /// Where a form leads that was submitted and needs the person in a field. A submit is the page's to ask for at any
    /// time, so it leads out of no entry that is half way.
    #[must_use]
    pub fn after_submit(self, field: Field, progress: impl FnOnce(Field) -> Progress) -> Field {
        match self {
            Self::Interrupted(of) => of,
            Self::Person(of) if progress(of) == Progress::HalfWay => of,
            Self::Free | Self::Person(_) => field,
        }
    }

    /// The field that nothing may be changed of, for now: the person is typing there.
    #[must_use]
    pub fn typing(self, progress: impl FnOnce(Field) -> Progress) -> Option<Field> {
        match self {
            Self::Person(of) if progress(of) == Progress::HalfWay => Some(of),
            Self::Free | Self::Person(_) | Self::Interrupted(_) => None,
        }
    }
}
