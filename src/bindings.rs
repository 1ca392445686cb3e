//! What JavaScript sees of the wasm: conversions, and no logic of its own. `www/` puts its typed face on it.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{future_to_promise, spawn_local};
use web_sys::Element;

use crate::card::{Card, Field, Reason};
use crate::client::browser::{Browser, today};
use crate::client::cardseal::{self, Billing, CardSummary};
use crate::client::relay::{VendorCard, VendorToken};
use crate::client::{Error, Pkey, Policy, Profile, RequestId, Token, Vault, VaultAddress, Vendor};
use crate::failure::Failure;
use crate::form::appearance::Appearance;
use crate::form::locale::Texts;
use crate::form::{CardForm, Options};
use crate::object::object;
use crate::page::{self, Details, OwnFields};

/// One merchant at one vault, and the token that a card is to become.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client {
    vault: Rc<Vault<Browser>>,
}

#[wasm_bindgen]
impl Client {
    /// Throws when the key is no public key, the address no vault's, or the profile none.
    #[wasm_bindgen(constructor)]
    pub fn new(public_key: &str, vault: &str, profile: &str) -> Result<Self, JsValue> {
        let merchant = Pkey::parse(public_key).map_err(Failure::InvalidPublicKey)?;
        let address = VaultAddress::parse(vault).map_err(Failure::InvalidVaultAddress)?;
        let profile = page::profile(profile)?;
        Ok(Self { vault: Rc::new(Vault::new(Browser, address, merchant, Policy::CHECKOUT, profile)) })
    }

    /// A card form. `emit(name, detail)` hears its events.
    pub fn form(&self, options: JsValue, emit: Function) -> Result<Form, JsValue> {
        let options: Options = page::read(&options)?;
        page::check_fields(&options.fields, self.vault.profile())?;
        let document = web_sys::window().and_then(|window| window.document()).ok_or(Failure::NoDocument)?;
        let form = CardForm::new(&document, options, emit).map_err(|_| Failure::Unsupported)?;
        let vault = Rc::clone(&self.vault);
        spawn_local(async move { vault.prepare().await });
        Ok(Form {
            form: RefCell::new(Some(Rc::new(form))),
            vault: Rc::clone(&self.vault),
            busy: Rc::default(),
        })
    }

    /// The token of a card from fields of the page's own: `Promise<Token>`.
    #[wasm_bindgen(js_name = createToken)]
    pub fn create_token(&self, card: JsValue) -> Promise {
        let vault = Rc::clone(&self.vault);
        promise(|id| async move {
            let (card, billing) = OwnFields::read(&card)?.into_card(vault.profile(), today())?;
            Ok(token(&vault.tokenize(card, &billing, &id).await?, vault.profile()))
        })
    }

    /// The seal of a card from fields of the page's own: `Promise<string>`, a JWE in compact form.
    pub fn seal(&self, card: JsValue) -> Promise {
        let vault = Rc::clone(&self.vault);
        promise(|id| async move {
            let (card, _) = OwnFields::read(&card)?.into_card(vault.profile(), today())?;
            Ok(vault.seal(card, &id).await?.into())
        })
    }
}

/// A card form.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Form {
    /// Gone once it was destroyed. Whoever uses it takes an `Rc` of their own: the page's listeners run meanwhile, and may
    /// destroy it.
    form: RefCell<Option<Rc<CardForm>>>,
    vault: Rc<Vault<Browser>>,
    busy: Rc<Cell<bool>>,
}

#[wasm_bindgen]
impl Form {
    /// Puts the form at the end of an element.
    pub fn mount(&self, target: &Element) -> Result<(), JsValue> {
        Ok(self.card_form()?.mount(target).map_err(|_| Failure::Unsupported)?)
    }

    /// Takes it out again; what was entered stays in it.
    pub fn unmount(&self) -> Result<(), JsValue> {
        self.card_form()?.unmount();
        Ok(())
    }

    /// Puts the caret into a field.
    pub fn focus(&self, field: JsValue) -> Result<(), JsValue> {
        let field = page::read_unquoted(&field, "a field is number, expiry, security_code or name")?;
        self.card_form()?.focus(field);
        Ok(())
    }

    /// Empties every field.
    pub fn clear(&self) -> Result<(), JsValue> {
        self.card_form()?.clear();
        Ok(())
    }

    /// Whether the card is complete. If it is not, every field that is not right says so, and the first has the focus.
    #[wasm_bindgen(js_name = reportValidity)]
    pub fn report_validity(&self) -> Result<bool, JsValue> {
        Ok(self.card_form()?.card().is_ok())
    }

    /// Takes what is typed, or does not.
    #[wasm_bindgen(js_name = setDisabled)]
    pub fn set_disabled(&self, disabled: bool) -> Result<(), JsValue> {
        self.card_form()?.set_disabled(disabled);
        Ok(())
    }

    /// Changes how the form looks.
    #[wasm_bindgen(js_name = setAppearance)]
    pub fn set_appearance(&self, appearance: JsValue) -> Result<(), JsValue> {
        let appearance: Appearance = page::read(&appearance)?;
        Ok(self.card_form()?.set_appearance(&appearance).map_err(|_| Failure::Unsupported)?)
    }

    /// Puts it into another language.
    #[wasm_bindgen(js_name = setTexts)]
    pub fn set_texts(&self, texts: JsValue, language: &str) -> Result<(), JsValue> {
        let texts: Texts = page::read(&texts)?;
        Ok(self.card_form()?.set_texts(texts, language).map_err(|_| Failure::Unsupported)?)
    }

    /// Seals what was entered and exchanges it for a token: `Promise<Token>`.
    pub fn tokenize(&self, details: JsValue) -> Promise {
        let taken = self.take_card(&details);
        let vault = Rc::clone(&self.vault);
        promise(|id| async move {
            let (card, billing, _busy) = taken?;
            Ok(token(&vault.tokenize(card, &billing, &id).await?, vault.profile()))
        })
    }

    /// Empties the form and takes it out for good.
    pub fn destroy(&self) {
        drop(self.form.take());
    }
}

impl Form {
    fn card_form(&self) -> Result<Rc<CardForm>, Failure> {
        self.form.borrow().clone().ok_or(Failure::Destroyed)
    }

    /// The card, with the form busy from now on.
    fn take_card(&self, details: &JsValue) -> Result<(Card, Billing, Busy), Failure> {
        let details = Details::read(details)?;
        let form = self.card_form()?;
        if !form.is_mounted() {
            return Err(Failure::NotMounted);
        }
        let busy = Busy::begin(&self.busy).ok_or(Failure::Busy)?;
        let mut card = form.card()?;
        if card.holder.is_none() {
            card.holder = details.holder()?;
        }
        Ok((card, details.billing(), busy))
    }
}

/// Keeps a form busy for as long as it lives.
struct Busy(Rc<Cell<bool>>);

impl Busy {
    /// Nothing, when the form is busy already.
    fn begin(busy: &Rc<Cell<bool>>) -> Option<Self> {
        (!busy.replace(true)).then(|| Self(Rc::clone(busy)))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// A promise of what `work` gives. Each has an id, which its failure tells as `correlationId`.
fn promise<F>(work: impl FnOnce(RequestId) -> F + 'static) -> Promise
where
    F: Future<Output = Result<JsValue, Failure>> + 'static,
{
    // One type for all of them, or each would bring its own machinery of promises.
    let work = |id| -> Pin<Box<dyn Future<Output = _>>> { Box::pin(work(id)) };
    settle(Box::new(work))
}

type Work = dyn FnOnce(RequestId) -> Pin<Box<dyn Future<Output = Result<JsValue, Failure>>>>;

fn settle(work: Box<Work>) -> Promise {
    future_to_promise(async move {
        let id = RequestId::random().map_err(|_| Failure::from(Error::Random))?;
        work(id.clone()).await.map_err(|failure| describe(&failure, Some(&id)))
    })
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        describe(&failure, None)
    }
}

/// A failure as the plain object that `CardsealError` is made from.
fn describe(failure: &Failure, id: Option<&RequestId>) -> JsValue {
    object(&[
        ("code", failure.code().into()),
        ("message", failure.to_string().into()),
        ("retryable", failure.is_retryable().into()),
        ("field", failure.field().map(Field::id).into()),
        ("reason", failure.reason().map(Reason::code).into()),
        ("status", failure.status().into()),
        ("correlationId", id.map(RequestId::as_str).into()),
        ("vendor", failure.vendor().map_or(JsValue::UNDEFINED, vendor)),
    ])
}

fn vendor(vendor: &Vendor) -> JsValue {
    let Vendor { name, status, code, correlation_id } = vendor;
    object(&[
        ("name", name.as_str().into()),
        ("status", (*status).into()),
        ("code", code.as_deref().into()),
        ("correlationId", correlation_id.as_deref().into()),
    ])
}

/// A token as JavaScript sees it, under the names of the wire.
fn token(token: &Token, profile: Profile) -> JsValue {
    let profile = ("profile", profile.as_str().into());
    match token {
        Token::Card(cardseal::Token { id, livemode, used, card, created_at }) => object(&[
            profile,
            ("id", id.into()),
            ("livemode", (*livemode).into()),
            ("used", (*used).into()),
            ("card", card_summary(card)),
            ("created_at", created_at.into()),
        ]),
        Token::Vendor(VendorToken { id, livemode, state, card, created_at }) => object(&[
            profile,
            ("id", id.into()),
            ("livemode", (*livemode).into()),
            ("state", state.into()),
            ("card", vendor_card(card)),
            ("created_at", created_at.into()),
        ]),
    }
}

fn card_summary(card: &CardSummary) -> JsValue {
    let CardSummary { brand, last_digits, expiration_month, expiration_year, name, security_code_check } =
        card;
    object(&[
        ("brand", brand.into()),
        ("last_digits", last_digits.into()),
        ("expiration_month", (*expiration_month).into()),
        ("expiration_year", (*expiration_year).into()),
        ("name", name.as_deref().into()),
        ("security_code_check", (*security_code_check).into()),
    ])
}

fn vendor_card(card: &VendorCard) -> JsValue {
    let VendorCard { brand, last_digits, expiration_month, expiration_year } = card;
    object(&[
        ("brand", (*brand).into()),
        ("last_digits", last_digits.into()),
        ("expiration_month", (*expiration_month).into()),
        ("expiration_year", (*expiration_year).into()),
    ])
}
