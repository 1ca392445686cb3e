//! A person at an input, as a browser serves them: each action changes text and caret, then the mask has its say.

use std::fmt;
use std::ops::Range;

use cardseal::card::YearMonth;
use cardseal::form::mask::{self, Change, Edit, Shown};

/// November 2026.
pub(super) const TODAY: YearMonth = YearMonth::new(2026, 11).unwrap();

/// Which input it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input {
    Number,
    Expiry,
    /// With the most digits that a code has.
    SecurityCode(usize),
}

impl Input {
    pub(super) fn mask(self, edit: Edit<'_>) -> Shown {
        match self {
            Self::Number => mask::number(edit),
            Self::Expiry => mask::expiry(edit, TODAY),
            Self::SecurityCode(longest) => mask::security_code(edit, longest),
        }
    }
}

/// What a person does.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Keys, one after the other.
    Type(String),
    Paste(String),
    /// The browser or a password manager sets the whole text.
    Fill(String),
    Backspace,
    Delete,
    /// Backspace for a word, as Ctrl or Option make it.
    BackspaceWord,
    Cut,
    /// A click or the arrow keys, to somewhere in the text.
    Move(usize),
    /// A selection with the mouse.
    Select(usize, usize),
}

/// The person, what they see, and where they are in it. What a mask shows is ASCII: its bytes are UTF-16 code units.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) text: String,
    pub(super) selection: Range<usize>,
}

/// One action's effect on an input, between the browser and the mask.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub(super) before: String,
    pub(super) after: String,
    /// In UTF-16 code units.
    pub(super) caret: usize,
    pub(super) change: Change,
}

impl Raw {
    pub(super) fn edit(&self) -> Edit<'_> {
        Edit { before: &self.before, after: &self.after, caret: self.caret, change: self.change }
    }
}

impl Person {
    /// Someone who sees `seen`, in which `|` is the caret or `[` and `]` stand around what is selected.
    pub(super) fn who_sees(seen: &str) -> Self {
        let text = seen.replace(['|', '[', ']'], "");
        let selection = match (seen.find('|'), seen.find('['), seen.find(']')) {
            (Some(caret), None, None) => caret..caret,
            (None, Some(start), Some(end)) => start..end - 1,
            _ => panic!("no caret in {seen}"),
        };
        Self { text, selection }
    }

    /// Does something, and sees what the mask makes of it.
    pub(super) fn act(&mut self, input: Input, action: &Action) {
        match action {
            Action::Type(keys) => {
                for key in keys.chars() {
                    self.change(input, "insertText", key.encode_utf8(&mut [0; 4]));
                }
            }
            Action::Move(to) => {
                let to = self.place(*to);
                self.selection = to..to;
            }
            Action::Select(one, other) => {
                let (one, other) = (self.place(*one), self.place(*other));
                self.selection = one.min(other)..one.max(other);
            }
            Action::Paste(text) => self.change(input, "insertFromPaste", text),
            Action::Fill(text) => {
                self.selection = 0..self.text.len();
                self.change(input, "", text);
            }
            Action::Backspace => self.delete(input, "deleteContentBackward"),
            Action::BackspaceWord => self.delete(input, "deleteWordBackward"),
            Action::Delete => self.delete(input, "deleteContentForward"),
            Action::Cut if self.selection.is_empty() => {}
            Action::Cut => self.delete(input, "deleteByCut"),
        }
    }

    fn place(&self, wish: usize) -> usize {
        wish.min(self.text.len())
    }

    fn delete(&mut self, input: Input, input_type: &str) {
        let Range { start, end } = self.selection;
        if start == end {
            let head = self.text[..start].trim_end_matches([' ', '/']);
            self.selection = match input_type {
                "deleteContentForward" => start..self.place(end + 1),
                "deleteWordBackward" => head.rfind([' ', '/']).map_or(0, |gap| gap + 1)..end,
                _ => start.saturating_sub(1)..end,
            };
        }
        if self.selection.is_empty() {
            // Nothing to delete: a browser tells of nothing.
            return;
        }
        self.change(input, input_type, "");
    }

    fn change(&mut self, input: Input, input_type: &str, inserted: &str) {
        let raw = self.raw(input_type, inserted);
        let shown = input.mask(raw.edit());
        self.selection = shown.caret..shown.caret;
        self.text = shown.text.to_string();
    }

    /// What the browser makes of a change to the selection, before the mask has seen it.
    pub(super) fn raw(&self, input_type: &str, inserted: &str) -> Raw {
        let head = &self.text[..self.selection.start];
        Raw {
            before: self.text.clone(),
            after: [head, inserted, &self.text[self.selection.end..]].concat(),
            caret: [head, inserted].concat().encode_utf16().count(),
            change: Change::from_input(input_type, inserted),
        }
    }
}

/// The text with a `|` for the caret, or `[` and `]` around what is selected.
impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { start, end } = self.selection;
        let (head, selected, tail) = (&self.text[..start], &self.text[start..end], &self.text[end..]);
        if selected.is_empty() { write!(f, "{head}|{tail}") } else { write!(f, "{head}[{selected}]{tail}") }
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
