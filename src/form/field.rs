//! One field of the form: its label, its input, and what is said when it is left with something wrong in it.

use std::cell::{Cell, RefCell};

use wasm_bindgen::prelude::*;
use web_sys::{Document, HtmlElement, HtmlInputElement};
use zeroize::Zeroizing;

use super::element::element;
use super::locale::Texts;
use super::mask::Shown;
use crate::card::Field;

/// The elements of a field and what they show.
pub(super) struct FieldView {
    pub(super) field: Field,
    /// Label, input and complaint.
    pub(super) root: HtmlElement,
    pub(super) input: HtmlInputElement,
    label: HtmlElement,
    complaint: HtmlElement,
    /// What the input showed after the last edit.
    shown: RefCell<Zeroizing<String>>,
    /// Whether the person has left the field, so that it may be complained about.
    pub(super) left: Cell<bool>,
    /// Whether what it shows was typed, key by key, rather than filled in or submitted.
    pub(super) is_typed: Cell<bool>,
}

impl FieldView {
    /// `beside` stands in the input's box, at its end.
    pub(super) fn new(
        document: &Document,
        field: Field,
        texts: &Texts,
        beside: Option<&HtmlElement>,
    ) -> Result<Self, JsValue> {
        let id = field.id();
        let complaint_id = [id, "-complaint"].concat();
        let Input { autocomplete, inputmode } = Input::of(field);
        // There is no `name` attribute: an input without one is part of no form's data (HTML, "constructing the entry
        // list"), so no form can carry a card away.
        let input: HtmlInputElement = element(
            document,
            "input",
            &[
                ("id", id),
                ("type", "text"),
                ("autocomplete", autocomplete),
                ("inputmode", inputmode),
                ("enterkeyhint", "done"),
                ("autocapitalize", if field == Field::Holder { "words" } else { "off" }),
                ("autocorrect", "off"),
                ("spellcheck", "false"),
                ("aria-required", "true"),
                ("aria-describedby", &complaint_id),
            ],
            &[],
        )?;
        if field != Field::Holder {
            // Digits run from left to right in every language.
            input.set_attribute("dir", "ltr")?;
        }
        let label: HtmlElement = element(document, "label", &[("for", id)], &[])?;
        // The live region is there from the beginning and only its text changes; one that comes and goes is not spoken.
        let complaint: HtmlElement = element(
            document,
            "p",
            &[("id", &complaint_id), ("class", "complaint"), ("aria-live", "polite")],
            &[],
        )?;
        let frame: HtmlElement = element(document, "div", &[("class", "box")], &[&input])?;
        if let Some(beside) = beside {
            frame.append_child(beside)?;
        }
        let root = element(
            document,
            "div",
            &[("class", "field"), ("data-field", id)],
            &[&label, &frame, &complaint],
        )?;
        let view = Self {
            field,
            root,
            input,
            label,
            complaint,
            shown: RefCell::default(),
            left: Cell::default(),
            is_typed: Cell::default(),
        };
        view.set_texts(texts);
        Ok(view)
    }

    /// Puts the field into another language.
    pub(super) fn set_texts(&self, texts: &Texts) {
        self.label.set_text_content(Some(texts.label(self.field)));
        self.input.set_placeholder(texts.placeholder(self.field));
    }

    /// What it shows.
    pub(super) fn text(&self) -> Zeroizing<String> {
        self.shown.borrow().clone()
    }

    /// Shows a text, with the caret where the mask wants it when the field has the focus.
    pub(super) fn show(&self, shown: &Shown, has_focus: bool) {
        if self.input.value() != **shown.text {
            self.input.set_value(&shown.text);
        }
        if has_focus {
            let caret = u32::try_from(shown.caret).ok();
            // Fails for types of input that have no caret; this one is of type text.
            let _ = self.input.set_selection_range(caret.unwrap_or_default(), caret.unwrap_or_default());
        }
        shown.text.clone_into(&mut self.shown.borrow_mut());
    }

    /// Forgets what was entered, and that the field was ever left.
    pub(super) fn clear(&self) {
        self.input.set_value("");
        *self.shown.borrow_mut() = Zeroizing::default();
        self.left.set(false);
        self.complain("");
    }

    /// Says what is wrong, to eyes and ears; an empty text says that nothing is.
    pub(super) fn complain(&self, complaint: &str) {
        if self.complaint.text_content().as_deref() == Some(complaint) {
            return;
        }
        self.complaint.set_text_content(Some(complaint));
        let invalid = if complaint.is_empty() { "false" } else { "true" };
        // Fails only for names that are no attribute names.
        let _ = self.input.set_attribute("aria-invalid", invalid);
    }
}

/// What distinguishes one field's input from another's.
struct Input {
    /// Autofill field name (HTML, section 4.10.18.7).
    autocomplete: &'static str,
    /// Which keyboard a telephone shows.
    inputmode: &'static str,
}

impl Input {
    const fn of(field: Field) -> Self {
        match field {
            Field::Number => Self { autocomplete: "cc-number", inputmode: "numeric" },
            Field::Expiry => Self { autocomplete: "cc-exp", inputmode: "numeric" },
            Field::SecurityCode => Self { autocomplete: "cc-csc", inputmode: "numeric" },
            Field::Holder => Self { autocomplete: "cc-name", inputmode: "text" },
        }
    }
}
