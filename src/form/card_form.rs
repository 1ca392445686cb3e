//! The form: its fields, what happens to them, and the card they make.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{
    Document, Element, Event, HtmlElement, InputEvent, KeyboardEvent, ShadowRootInit, ShadowRootMode,
};
use zeroize::Zeroizing;

use super::appearance::Appearance;
use super::element::{Listener, Root, element};
use super::field::FieldView;
use super::locale::Texts;
use super::mask::{self, Edit, Shown};
use super::state::{FieldState, State};
use crate::card::{Brand, Card, Entry, Expiry, Field, Holder, Number, SecurityCode, digits};
use crate::client::Error;
use crate::client::browser::today;
use crate::frame::lead::{Arrival, Lead, Progress, Way};
use crate::object::Object;
use crate::plain::{FromPlain, Plain, Wrong};

/// What a merchant may say of a form.
#[derive(Debug)]
pub(crate) struct Options {
    /// Which fields, in which order; number and expiry must be among them.
    pub(crate) fields: Vec<Field>,
    /// What they say.
    pub(crate) texts: Texts,
    /// The language of the texts (BCP 47), for screen readers and fonts.
    pub(crate) language: String,
    /// How they look.
    pub(crate) appearance: Appearance,
    /// Whose document they stand in.
    pub(crate) place: Place,
}

impl FromPlain for Options {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.closed_object(|members| Self {
            fields: members.required("fields"),
            texts: members.required("texts"),
            language: members.required("language"),
            appearance: members.optional("appearance").unwrap_or_default(),
            place: members.required("place"),
        })
    }
}

/// Whose document a form stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// One of its own, such as the vault's frame. There its fields are in the document itself, where autofill and
    /// password managers find them best.
    Frame,
    /// A page of somebody else's, from which a closed shadow root sets it apart.
    #[default]
    Page,
}

impl FromPlain for Place {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.choice(&[("frame", Self::Frame), ("page", Self::Page)])
    }
}

/// A card form. It lives in an element of its own, and can be put into a page and taken out of it any number of times. Dropping it takes it out, and its listeners off.
pub(crate) struct CardForm {
    inner: Rc<Inner>,
    _listeners: Vec<Listener>,
}

struct Inner {
    /// The element that a page mounts.
    host: HtmlElement,
    root: Root,
    views: Vec<FieldView>,
    badge: HtmlElement,
    form: HtmlElement,
    texts: RefCell<Texts>,
    /// What the last `change` event told.
    state: RefCell<State>,
    /// Whether an input method is composing text, which must not be touched until it is done.
    composing: Cell<bool>,
    place: Place,
    /// Who leads the focus. A form in a page of somebody else's leaves that to the page, whose document it is.
    lead: Cell<Lead>,
    /// By whose doing the focus moves next.
    way: Cell<Way>,
    /// Where the page wants to lead while the person is in a field. A browser may tell of a click on the page, which takes
    /// the focus away, after what the click has led to.
    wanted: Cell<Option<Field>>,
    /// Called with an event's name and detail.
    emit: Function,
}

impl CardForm {
    /// Builds the form; no page shows it yet. `emit` is called with the name and the detail of each event.
    pub(crate) fn new(document: &Document, options: Options, emit: Function) -> Result<Self, JsValue> {
        let Options { fields, texts, language, appearance, place } = options;
        let host: HtmlElement = element(document, "div", &[("lang", &language)], &[])?;
        let root = match place {
            Place::Frame => Root::Document(document.clone()),
            Place::Page => Root::Shadow(host.attach_shadow(&ShadowRootInit::new(ShadowRootMode::Closed))?),
        };
        root.set_style_sheets(&[STYLE, &rule(&appearance)])?;

        let badge: HtmlElement = element(document, "span", &[("class", "brand")], &[])?;
        let mut views = Vec::with_capacity(fields.len());
        for field in fields {
            let beside = (field == Field::Number).then_some(&badge);
            views.push(FieldView::new(document, field, &texts, beside)?);
        }
        // A form makes browsers offer autofill and telephones a key that submits. Its method keeps it from ever
        // navigating, even if no listener is there to stop it (HTML, "form submission algorithm": outside of a dialog
        // element, method=dialog does nothing).
        let form: HtmlElement = element(
            document,
            "form",
            &[
                ("method", "dialog"),
                ("novalidate", ""),
                ("autocomplete", "on"),
                ("aria-label", texts.title()),
            ],
            &[],
        )?;
        for view in &views {
            form.append_child(&view.root)?;
        }
        match &root {
            Root::Document(_) => host.append_child(&form)?,
            Root::Shadow(root) => root.append_child(&form)?,
        };

        let inner = Rc::new(Inner {
            host,
            root,
            views,
            badge,
            form,
            texts: RefCell::new(texts),
            state: RefCell::default(),
            composing: Cell::default(),
            place,
            lead: Cell::default(),
            way: Cell::default(),
            wanted: Cell::default(),
            emit,
        });
        *inner.state.borrow_mut() = inner.read_state();
        Ok(Self { _listeners: listen(&inner)?, inner })
    }

    /// Puts the form at the end of an element of the page.
    pub(crate) fn mount(&self, target: &Element) -> Result<(), JsValue> {
        target.append_child(&self.inner.host)?;
        self.inner.emit("ready", &JsValue::UNDEFINED);
        Ok(())
    }

    /// Takes the form out of the page. What was entered stays in it.
    pub(crate) fn unmount(&self) {
        self.inner.host.remove();
    }

    /// Whether a page shows the form.
    pub(crate) fn is_mounted(&self) -> bool {
        self.inner.host.is_connected()
    }

    /// Puts the caret into a field for the page, if the page may lead there.
    pub(crate) fn focus(&self, field: Field) {
        if self.inner.lead.get().allows(field) {
            self.inner.focus(field);
        } else {
            self.inner.wanted.set(Some(field));
        }
    }

    /// Whether the person is typing: then nothing may be changed under their hands.
    pub(crate) fn is_typing(&self) -> bool {
        self.inner.lead.get().typing(|field| self.inner.progress(field)).is_some()
    }

    /// Empties every field.
    pub(crate) fn clear(&self) {
        for view in &self.inner.views {
            view.clear();
        }
        self.inner.refresh();
    }

    /// Changes how the form looks.
    pub(crate) fn set_appearance(&self, appearance: &Appearance) -> Result<(), JsValue> {
        self.inner.root.set_style_sheets(&[STYLE, &rule(appearance)])
    }

    /// Takes what is typed, or does not.
    pub(crate) fn set_disabled(&self, disabled: bool) {
        for view in &self.inner.views {
            view.input.set_disabled(disabled);
        }
    }

    /// Puts the form into another language.
    pub(crate) fn set_texts(&self, texts: Texts, language: &str) -> Result<(), JsValue> {
        for view in &self.inner.views {
            view.set_texts(&texts);
        }
        self.inner.form.set_attribute("aria-label", texts.title())?;
        *self.inner.texts.borrow_mut() = texts;
        self.inner.host.set_attribute("lang", language)?;
        self.inner.refresh();
        Ok(())
    }

    /// The card that was entered.
    ///
    /// # Errors
    /// What is wrong with the first field that is not right. Every such field then says so, and the first has the focus.
    pub(crate) fn card(&self) -> Result<Card, Error> {
        for view in &self.inner.views {
            self.inner.catch_up(view);
            view.left.set(true);
        }
        let card = self.inner.card();
        match &card {
            Ok(_) => self.inner.lead.set(Lead::Free),
            Err(error) => {
                self.inner.refresh();
                if let Some(field) = error.field() {
                    let lead = self.inner.lead.get();
                    self.inner.focus(lead.after_submit(field, |of| self.inner.progress(of)));
                }
            }
        }
        card
    }
}

impl fmt::Debug for CardForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CardForm").finish_non_exhaustive()
    }
}

impl Drop for CardForm {
    fn drop(&mut self) {
        self.unmount();
        for view in &self.inner.views {
            view.clear();
        }
    }
}

const STYLE: &str = include_str!("style.css");

/// The rule of an appearance. Whoever chose a colour that cannot be read is told so where they look.
fn rule(appearance: &Appearance) -> String {
    let rule = appearance.rule();
    if rule.is_mended {
        warn("cardseal: a colour was moved: text needs a contrast of 4.5, lines 3");
    }
    rule.css
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn warn(words: &str);
}

impl Inner {
    fn view(&self, field: Field) -> Option<&FieldView> {
        self.views.iter().find(|view| view.field == field)
    }

    fn text(&self, field: Field) -> Option<Zeroizing<String>> {
        self.view(field).map(FieldView::text)
    }

    /// The digits of the number so far.
    fn digits(&self) -> Zeroizing<String> {
        Zeroizing::new(digits::fold(&self.text(Field::Number).unwrap_or_default()))
    }

    /// The brand, once the digits so far leave no doubt which it is. For the person alone.
    fn brand(&self) -> Option<Brand> {
        Brand::candidates(&self.digits()).best()
    }

    /// The brand of a number that is whole.
    fn settled_brand(&self) -> Option<Brand> {
        let view = self.view(Field::Number)?;
        matches!(self.verdict(view), Entry::Valid(())).then(|| self.brand()).flatten()
    }

    /// What a field's text amounts to, as far as the page may come to know of it: by an event, by an error, by how high
    /// the form is with what it says. While a number is typed, that is nothing but when it was begun and when it is
    /// whole, however many digits there are and whatever they can belong to. Nothing about another field follows from a
    /// number before that.
    fn verdict(&self, view: &FieldView) -> Entry<()> {
        let text = view.text();
        match view.field {
            Field::Number => {
                let parse = if view.left.get() { Number::parse_finished } else { Number::parse };
                match parse(&text) {
                    Entry::Valid(number) if number.is_of_full_length() => Entry::Valid(()),
                    _ if self.is_at(view) => Entry::Incomplete,
                    entry => entry.map(drop),
                }
            }
            Field::Expiry => Expiry::parse(&text, today()).map(drop),
            Field::SecurityCode if text.is_empty() && !self.needs_security_code() => Entry::Valid(()),
            Field::SecurityCode => SecurityCode::parse(&text, self.settled_brand()).map(drop),
            Field::Holder => Holder::parse(&text).map(drop),
        }
    }

    /// Whether the person is typing in a field, or was interrupted at it.
    fn is_at(&self, view: &FieldView) -> bool {
        view.is_typed.get() && (self.has_focus(view) || self.lead.get() == Lead::Interrupted(view.field))
    }

    fn progress(&self, field: Field) -> Progress {
        let Some(view) = self.view(field) else { return Progress::Resting };
        let text = view.text();
        let is_whole = match self.verdict(view) {
            // The shortest numbers are the beginnings of many; nobody has cards with them any more.
            Entry::Valid(()) => field != Field::Number || digits::fold(&text).len() > 13,
            Entry::Incomplete | Entry::Invalid(_) => text.is_empty(),
        };
        if is_whole { Progress::Resting } else { Progress::HalfWay }
    }

    /// Whether cards of this brand bear a code; most do.
    fn needs_security_code(&self) -> bool {
        self.settled_brand().is_none_or(|brand| brand.code().required)
    }

    fn card(&self) -> Result<Card, Error> {
        // In the order of the form, so that the person is led to the first field that needs them.
        for view in &self.views {
            match self.verdict(view) {
                Entry::Valid(()) => {}
                Entry::Incomplete => return Err(Error::Incomplete(view.field)),
                Entry::Invalid(reason) => return Err(Error::Invalid(view.field, reason)),
            }
        }
        let text = |field| self.text(field).unwrap_or_default();
        let required = |field| Error::Incomplete(field);
        Ok(Card {
            number: Number::parse(&text(Field::Number)).valid().ok_or(required(Field::Number))?,
            expiry: Expiry::parse(&text(Field::Expiry), today()).valid().ok_or(required(Field::Expiry))?,
            security_code: SecurityCode::parse(&text(Field::SecurityCode), self.brand()).valid(),
            holder: Holder::parse(&text(Field::Holder)).valid(),
        })
    }

    fn read_state(&self) -> State {
        let fields = self.views.iter().map(|view| {
            let is_empty = view.text().is_empty();
            (view.field, FieldState::of(is_empty, &self.verdict(view)))
        });
        let fields = fields.collect();
        let empty = self.views.iter().all(|view| view.text().is_empty());
        State::of(fields, empty, self.settled_brand())
    }

    /// Brings what is shown and what the page was told up to what was entered.
    fn refresh(&self) {
        for view in self.views.iter().filter(|view| view.left.get()) {
            let texts = self.texts.borrow();
            view.complain(match self.lead.get() {
                Lead::Interrupted(field) if field == view.field => texts.interrupted(),
                _ => texts.complaint(view.field, &self.verdict(view)),
            });
        }
        let brand = self.brand();
        self.badge.set_text_content(brand.map(Brand::name));
        let _ = self.badge.set_attribute("data-brand", brand.map_or("", Brand::id));

        let state = self.read_state();
        if *self.state.borrow() != state {
            let detail = state.to_js();
            *self.state.borrow_mut() = state;
            self.emit("change", &detail);
        }
    }

    /// The page's listeners run here and now, and may call anything of the form: nothing is borrowed meanwhile.
    fn emit(&self, name: &str, detail: &JsValue) {
        // A listener that throws is the page's affair; the loader reports it there.
        let _ = self.emit.call2(&JsValue::UNDEFINED, &name.into(), detail);
    }

    fn react(&self, event: &Event, react: Reaction) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let is_target = |view: &&FieldView| target.as_ref().is_some_and(|target| *target == **view.input);
        // Only of a pointer there is an event elsewhere, and then it does not matter which field.
        if let Some(view) = self.views.iter().find(is_target).or(self.views.first()) {
            react(self, view, event);
        }
    }

    fn edit(&self, view: &FieldView, change: mask::Change) {
        // What is pasted or filled in comes whole.
        view.is_typed.set(!matches!(change, mask::Change::Insert));
        let after = Zeroizing::new(view.input.value());
        let caret = view.input.selection_start().ok().flatten().map_or(after.len(), |caret| caret as usize);
        let before = view.text();
        let edit = Edit { before: &before, after: &after, caret, change };
        let shown = match view.field {
            Field::Number => mask::number(edit),
            Field::Expiry => mask::expiry(edit, today()),
            Field::SecurityCode => {
                let longest = self.brand().map_or(SecurityCode::MAX_DIGITS, |brand| brand.code().length);
                mask::security_code(edit, longest)
            }
            Field::Holder => Shown { text: after.clone(), caret },
        };
        view.show(&shown, self.has_focus(view));
        self.refresh();
    }

    /// Takes in what came without an `input` event: some password managers tell of their values by `change` alone, or by
    /// nothing.
    fn catch_up(&self, view: &FieldView) {
        if *view.text() != view.input.value() {
            self.edit(view, mask::Change::Insert);
        }
    }

    fn has_focus(&self, view: &FieldView) -> bool {
        self.root.active_element().is_some_and(|active| active.is_same_node(Some(&view.input)))
    }

    /// The person does something in a field.
    fn act(&self, view: &FieldView) {
        self.wanted.take();
        self.way.take();
        // Browsers and password managers fill in fields where the person is not.
        if self.has_focus(view) {
            self.set_lead(Lead::acted(view.field));
        }
    }

    fn set_lead(&self, lead: Lead) {
        if self.place == Place::Frame {
            self.lead.set(lead);
        }
    }

    /// Puts the caret into a field.
    fn focus(&self, field: Field) {
        if let Some(view) = self.view(field) {
            // The browser may tell of it only when the window has the focus.
            if self.lead.get() != Lead::Person(field) && matches!(self.lead.get(), Lead::Person(_)) {
                self.lead.set(Lead::Free);
            }
            self.way.set(Way::Form);
            // Fails nowhere that has elements.
            let _ = view.input.focus();
            self.way.take();
        }
    }

    /// The focus has come to a field.
    fn came(&self, view: &FieldView) {
        match self.lead.get().came(view.field, self.way.take()) {
            Arrival::Stays(lead) => {
                self.set_lead(lead);
                self.emit("focus", &detail(view.field));
            }
            Arrival::GoesBack(field) => self.focus(field),
        }
    }

    /// The focus has left a field.
    fn gone(&self, view: &FieldView) {
        let wanted = self.wanted.take();
        let way = if self.has_focus(view) { Way::Window } else { self.way.get() };
        // What a password manager has filled in, nobody is at.
        let progress = if view.is_typed.get() { self.progress(view.field) } else { Progress::Resting };
        let lead = self.lead.get().left(view.field, way, progress);
        self.set_lead(lead);
        if !matches!(lead, Lead::Interrupted(_)) {
            view.is_typed.set(way == Way::Window && view.is_typed.get());
        }
        self.left(view);
        self.emit("blur", &detail(view.field));
        if let (Way::Unknown, Lead::Free, Some(field)) = (way, lead, wanted) {
            self.focus(field);
        }
    }

    fn left(&self, view: &FieldView) {
        self.catch_up(view);
        let text = view.text();
        if text.is_empty() && !view.left.get() {
            // Passing through an empty field is no mistake.
            return;
        }
        view.left.set(true);
        if let (Field::Expiry, Entry::Valid(expiry)) = (view.field, Expiry::parse(&text, today())) {
            let text = mask::month_and_year(&expiry);
            view.show(&Shown { caret: text.len(), text }, false);
        }
        self.refresh();
    }
}

/// What is done upon an event in a field.
type Reaction = fn(&Inner, &FieldView, &Event);

const REACTIONS: [(&str, Reaction); 9] = [
    ("input", |inner, view, event| {
        let input_event = event.dyn_ref::<InputEvent>();
        if inner.composing.get() || input_event.is_some_and(InputEvent::is_composing) {
            return;
        }
        let input_type = input_event.map(InputEvent::input_type).unwrap_or_default();
        let data = Zeroizing::new(input_event.and_then(InputEvent::data).unwrap_or_default());
        inner.act(view);
        inner.edit(view, mask::Change::from_input(&input_type, &data));
    }),
    // What is filled in is done with, though the focus may never have been there. What was typed is when it is left.
    ("change", |inner, view, _| {
        if !view.is_typed.get() {
            inner.left(view);
        }
    }),
    ("compositionstart", |inner, _, _| inner.composing.set(true)),
    ("compositionend", |inner, view, _| {
        inner.composing.set(false);
        inner.act(view);
        inner.edit(view, mask::Change::Type);
    }),
    ("focusin", |inner, view, _| inner.came(view)),
    ("focusout", |inner, view, _| {
        // Leaving the field ends a composition, whether or not the input method says so.
        inner.composing.set(false);
        inner.gone(view);
    }),
    // Of any pointer, and wherever in the form: what it does to the focus, it does when it goes down.
    ("mousedown", |inner, _, _| inner.way.set(Way::Person)),
    ("mouseup", |inner, _, _| inner.way.set(Way::Unknown)),
    ("keydown", |inner, view, event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
        // The keys that end a composition belong to the input method.
        if event.is_composing() || event.repeat() {
            return;
        }
        inner.act(view);
        match event.key().as_str() {
            "Tab" => inner.way.set(Way::Person),
            "Enter" => {
                event.prevent_default();
                view.is_typed.set(false);
                inner.set_lead(Lead::Free);
                inner.refresh();
                inner.emit("submit", &JsValue::UNDEFINED);
            }
            "Escape" => inner.emit("escape", &JsValue::UNDEFINED),
            _ => {}
        }
    }),
];

/// What tells which characters are typed ends here, so that no listener of the page hears it by accident, a recorder of
/// sessions for one. A script that means to listen can still do so ahead of the form, on the event's way down.
const TELLTALES: [&str; 14] = [
    "beforeinput",
    "compositionend",
    "compositionstart",
    "compositionupdate",
    "copy",
    "cut",
    "dragstart",
    "drop",
    "input",
    "keydown",
    "keypress",
    "keyup",
    "paste",
    "textInput",
];

/// One set of listeners on the inner form hears every field.
fn listen(inner: &Rc<Inner>) -> Result<Vec<Listener>, JsValue> {
    let mut listeners = Vec::with_capacity(REACTIONS.len() + TELLTALES.len());
    for (name, react) in REACTIONS {
        let weak = Rc::downgrade(inner);
        let listener = Listener::new(&inner.form, name, move |event| {
            if let Some(inner) = weak.upgrade() {
                inner.react(&event, react);
            }
        });
        listeners.push(listener?);
    }
    for name in TELLTALES {
        let listener = Listener::new(&inner.form, name, |event| {
            // Escape, Tab and their like say nothing of the card, and the page may need them.
            let is_control =
                event.dyn_ref::<KeyboardEvent>().is_some_and(|event| event.key().chars().count() > 1);
            if !is_control {
                event.stop_propagation();
            }
        });
        listeners.push(listener?);
    }
    Ok(listeners)
}

/// The detail of `focus` and `blur`.
fn detail(field: Field) -> JsValue {
    let object = Object::new();
    object.text("field", field.id());
    object.into()
}
