//! What JavaScript sees of the wasm: conversions, and no logic of its own. `www/` puts its typed face on it.

use std::cell::{Cell, RefCell};
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
use crate::object::Object;
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
        let order = self.own_card(&card).map(|(card, billing)| Order::Token(card, billing, None));
        promise(&self.vault, order)
    }

    /// The seal of a card from fields of the page's own: `Promise<string>`, a JWE in compact form.
    pub fn seal(&self, card: JsValue) -> Promise {
        promise(&self.vault, self.own_card(&card).map(|(card, _)| Order::Seal(card)))
    }
}

impl Client {
    fn own_card(&self, card: &JsValue) -> Result<(Card, Billing), Failure> {
        OwnFields::read(card)?.into_card(self.vault.profile(), today())
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

    /// Whether the person is typing, so that nothing may be changed.
    #[wasm_bindgen(js_name = isTyping)]
    pub fn is_typing(&self) -> Result<bool, JsValue> {
        Ok(self.card_form()?.is_typing())
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
        promise(&self.vault, self.take_card(&details))
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
    fn take_card(&self, details: &JsValue) -> Result<Order, Failure> {
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
        Ok(Order::Token(card, details.billing(), Some(busy)))
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

/// What a page wants of a card.
enum Order {
    /// A token, for which a form may be busy.
    Token(Card, Billing, Option<Busy>),
    /// A seal.
    Seal(Card),
}

/// A promise of what was ordered. Each has an id, which its failure tells as `correlationId`.
fn promise(vault: &Rc<Vault<Browser>>, order: Result<Order, Failure>) -> Promise {
    let vault = Rc::clone(vault);
    future_to_promise(async move {
        let id = RequestId::random().map_err(|_| Failure::from(Error::Random))?;
        fulfil(&vault, order, &id).await.map_err(|failure| describe(&failure, Some(&id)))
    })
}

async fn fulfil(
    vault: &Vault<Browser>,
    order: Result<Order, Failure>,
    id: &RequestId,
) -> Result<JsValue, Failure> {
    match order? {
        Order::Token(card, billing, _busy) => {
            Ok(token(&vault.tokenize(card, &billing, id).await?, vault.profile()))
        }
        Order::Seal(card) => Ok(vault.seal(card, id).await?.into()),
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        describe(&failure, None)
    }
}

/// A failure as the plain object that `CardsealError` is made from.
fn describe(failure: &Failure, id: Option<&RequestId>) -> JsValue {
    let object = Object::new();
    object.text("code", failure.code());
    object.text("message", &*failure.words());
    object.flag("retryable", failure.is_retryable());
    object.text("field", failure.field().map(Field::id));
    object.text("reason", failure.reason().map(Reason::code));
    object.number("status", failure.status());
    object.text("correlationId", id.map(RequestId::as_str));
    object.set("vendor", &failure.vendor().map_or(JsValue::UNDEFINED, vendor));
    object.into()
}

fn vendor(vendor: &Vendor) -> JsValue {
    let Vendor { name, status, code, correlation_id } = vendor;
    let object = Object::new();
    object.text("name", name.as_str());
    object.number("status", *status);
    object.text("code", code.as_deref());
    object.text("correlationId", correlation_id.as_deref());
    object.into()
}

/// A token as JavaScript sees it, under the names of the wire.
fn token(token: &Token, profile: Profile) -> JsValue {
    let object = Object::new();
    object.text("profile", profile.as_str());
    match token {
        Token::Card(cardseal::Token { id, livemode, used, card, created_at }) => {
            object.text("id", &**id);
            object.flag("livemode", *livemode);
            object.flag("used", *used);
            object.set("card", &card_summary(card));
            object.text("created_at", &**created_at);
        }
        Token::Vendor(VendorToken { id, livemode, state, card, created_at }) => {
            object.text("id", &**id);
            object.flag("livemode", *livemode);
            object.text("state", &**state);
            object.set("card", &vendor_card(card));
            object.text("created_at", &**created_at);
        }
    }
    object.into()
}

fn card_summary(card: &CardSummary) -> JsValue {
    let CardSummary { brand, last_digits, expiration_month, expiration_year, name, security_code_check } =
        card;
    let object = Object::new();
    object.text("brand", &**brand);
    object.text("last_digits", &**last_digits);
    object.number("expiration_month", u16::from(*expiration_month));
    object.number("expiration_year", *expiration_year);
    object.text("name", name.as_deref());
    object.flag("security_code_check", *security_code_check);
    object.into()
}

fn vendor_card(card: &VendorCard) -> JsValue {
    let VendorCard { brand, last_digits, expiration_month, expiration_year } = card;
    let object = Object::new();
    object.text("brand", *brand);
    object.text("last_digits", &**last_digits);
    object.number("expiration_month", u16::from(*expiration_month));
    object.number("expiration_year", *expiration_year);
    object.into()
}
