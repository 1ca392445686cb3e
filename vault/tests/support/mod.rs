//! A vault to ask, with a clock to set, and cards to seal.

pub(crate) mod contract;
pub(crate) mod home;
pub(crate) mod jwe;
pub(crate) mod log;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod receiver;
mod recorded;
pub(crate) mod release;
pub(crate) mod vendors;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use base64ct::{Base64, Encoding};
use cardseal::card::{Card, Expiry, Holder, Number, SecurityCode};
use cardseal::client::Pkey;
use cardseal::plain;
use cardseal::seal::{Algorithm, Envelope, Jti, KeySet, PublicKey, seal};
use cardseal_vault::Vault;
use cardseal_vault::access::limit::{Limit, Limiter, Limits};
use cardseal_vault::acquirer::Acquirers;
use cardseal_vault::assets::Assets;
use cardseal_vault::audit::{By, Heads, Person};
use cardseal_vault::config::Connections;
use cardseal_vault::http::{Parts, router};
use cardseal_vault::id::{MerchantId, SecretKey, random_public_key};
use cardseal_vault::merchant::{ClearCards, Merchant, Mode, Name, Origin};
use cardseal_vault::metrics::Metrics;
use cardseal_vault::server::Places;
use cardseal_vault::store::NewKey;
use cardseal_vault::time::{Clock, Stopwatch, Timestamp};
use cardseal_vault::vault::{Audited, Chain, Setup};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

use contract::{Asking, Contract};
use home::{Home, rows_where};
use recorded::Recorded;

/// 21 November 2026, 12:00 UTC.
pub(crate) const NOON: u64 = 1_795_262_400;

/// Where the pages of every test's merchant come from.
pub(crate) const SHOP: &str = "http://127.0.0.1:4243";

/// A card that pays.
pub(crate) const VISA: &str = "4242424242424242";

/// A vault without a network.
pub(crate) struct Asked {
    pub(crate) vault: Arc<Vault>,
    pub(crate) dir: Arc<Home>,
    pub(crate) router: Router,
    clock: Arc<AtomicU64>,
    /// Milliseconds that rate limits believe to have passed.
    elapsed: Arc<AtomicU64>,
    face: Face,
}

/// Whose routes are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Face {
    /// The operator's own, which are no part of what is promised to merchants.
    Operator,
    /// Everybody's, which are as `/openapi.json` says.
    Public,
}

/// A merchant with its keys as texts.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) public_key: String,
    pub(crate) secret_key: String,
}

/// Writes a file that only its owner can read.
pub(crate) fn write_secret(path: &Path, text: impl AsRef<[u8]>) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) async fn new() -> Self {
        Self::with(Acquirers::default()).await
    }

    pub(crate) async fn with(acquirers: Acquirers) -> Self {
        Self::reopen(Home::new().await, acquirers).await
    }

    /// A vault with everything in a folder, whatever database the tests run on.
    pub(crate) async fn in_folder() -> Self {
        Self::reopen(Home::in_folder(), Acquirers::default()).await
    }

    /// A vault that serves the card form.
    pub(crate) async fn serving(assets: Assets) -> Self {
        Self::new().await.serving_assets(assets)
    }

    /// The same vault with the card form.
    pub(crate) fn serving_assets(self, assets: Assets) -> Self {
        let limiter = limiter(&UNLIMITED, &self.elapsed);
        Self { router: routes(&self.vault, Some(assets), limiter), ..self }
    }

    /// A vault with rate limits. The others have none.
    pub(crate) async fn limited(limits: &Limits) -> Self {
        Self::new().await.with_limits(limits)
    }

    /// The same vault with rate limits.
    pub(crate) fn with_limits(self, limits: &Limits) -> Self {
        let limiter = limiter(limits, &self.elapsed);
        Self { router: routes(&self.vault, None, limiter), ..self }
    }

    pub(crate) async fn reopen(dir: impl Into<Arc<Home>>, acquirers: Acquirers) -> Self {
        Self::open(dir.into(), Arc::new(AtomicU64::new(NOON)), |setup| setup.acquirers = acquirers).await
    }

    /// A vault that is set up otherwise.
    pub(crate) async fn new_with(set_up: impl FnOnce(&mut Setup)) -> Self {
        Self::open(Arc::new(Home::new().await), Arc::new(AtomicU64::new(NOON)), set_up).await
    }

    /// Another process on the same database, by the same clock.
    pub(crate) async fn beside(&self, acquirers: Acquirers) -> Self {
        self.beside_with(|setup| setup.acquirers = acquirers).await
    }

    /// The same with what is set up otherwise.
    pub(crate) async fn beside_with(&self, set_up: impl FnOnce(&mut Setup)) -> Self {
        Self::open(Arc::clone(&self.dir), Arc::clone(&self.clock), set_up).await
    }

    async fn open(dir: Arc<Home>, seconds: Arc<AtomicU64>, set_up: impl FnOnce(&mut Setup)) -> Self {
        let clock = Clock::new({
            let seconds = Arc::clone(&seconds);
            move || Timestamp::from_unix_seconds(seconds.load(Ordering::SeqCst))
        });
        let mut setup = Setup { clock, ..dir.setup() };
        set_up(&mut setup);
        log::ask_each_time();
        let vault = Vault::open(setup).await.unwrap();
        let elapsed = Arc::default();
        let router = routes(&vault, None, limiter(&UNLIMITED, &elapsed));
        Self { router, vault, dir, clock: seconds, elapsed, face: Face::Public }
    }

    /// The same vault behind other routes.
    pub(crate) fn routed(self, router: Router) -> Self {
        Self { router, ..self }
    }

    /// The same vault behind its operator's routes.
    pub(crate) fn operated(self, router: Router) -> Self {
        Self { router, face: Face::Operator, ..self }
    }

    /// Lets time pass for the rate limits.
    pub(crate) fn pass(&self, time: Duration) {
        self.elapsed.fetch_add(time.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn set_time(&self, seconds: u64) {
        self.clock.store(seconds, Ordering::SeqCst);
    }

    /// A merchant with test keys, for cards in the clear too.
    pub(crate) async fn merchant(&self) -> Account {
        self.merchant_with(Mode::Test, ClearCards::Allowed, SHOP).await
    }

    pub(crate) async fn merchant_with(&self, mode: Mode, clear_cards: ClearCards, origin: &str) -> Account {
        let secret_key = SecretKey::random(mode);
        let merchant = Merchant {
            id: MerchantId::random(mode),
            name: Name::parse("A shop").unwrap(),
            mode,
            origins: vec![Origin::parse(origin).unwrap()],
            clear_cards,
        };
        let public_key = random_public_key(mode);
        let keys = [NewKey::public(mode, &public_key), NewKey::secret(mode, &secret_key)];
        self.vault.add_merchant(&merchant, &keys, operator()).await.unwrap();
        Account { public_key: public_key.as_str().into(), secret_key: secret_key.expose().into() }
    }

    /// Asks, and holds request and answer against `/openapi.json`.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = request.into_parts();
        let (body, read) = Recorded::of(body);
        let (method, uri, headers) = (parts.method.clone(), parts.uri.clone(), parts.headers.clone());
        let answer = Self::ask(&self.router, Request::from_parts(parts, body)).await;
        if self.face == Face::Public {
            let asking = Asking { method, uri, headers, body: read.bytes() };
            let kept = self.contract().await.check(&asking, &answer);
            assert!(kept.is_ok(), "not as /openapi.json says: {}", kept.unwrap_err());
        }
        answer
    }

    /// What the vault promises. Every vault promises the same.
    pub(crate) async fn contract(&self) -> &'static Contract {
        static CONTRACT: OnceCell<Contract> = OnceCell::const_new();
        let read = async || {
            // Past the rate limits of this one.
            let router = routes(&self.vault, None, limiter(&UNLIMITED, &Arc::default()));
            let request = request(Method::GET, "/openapi.json", "").body(Body::empty()).unwrap();
            // It is asked for in whichever test comes first, and is no line of that test's log.
            let document = Self::ask(&router, request).with_subscriber(NoSubscriber::default()).await;
            Contract::new(document.json())
        };
        CONTRACT.get_or_init(read).await
    }

    /// Asks, and holds nothing against `/openapi.json`.
    pub(crate) async fn send_unchecked(&self, request: Request<Body>) -> Answer {
        Self::ask(&self.router, request).await
    }

    async fn ask(router: &Router, request: Request<Body>) -> Answer {
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Answer {
        self.send(request(Method::GET, path, key).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.post_text(path, key, "application/json", body.to_string()).await
    }

    pub(crate) async fn post_text(&self, path: &str, key: &str, kind: &str, body: impl Into<Body>) -> Answer {
        let request = request(Method::POST, path, key).header(CONTENT_TYPE, kind).body(body.into()).unwrap();
        self.send(request).await
    }

    /// The vault's key for test merchants, as a browser gets it.
    pub(crate) async fn sealing_key(&self) -> PublicKey {
        self.sealing_key_for(Mode::Test).await
    }

    /// The vault's key for merchants of a mode, as a browser gets it.
    pub(crate) async fn sealing_key_for(&self, mode: Mode) -> PublicKey {
        let set: KeySet = plain::parse(&self.get("/.well-known/jwks.json", "").await.body).unwrap();
        set.sealing_key(Algorithm::RsaOaep256, mode == Mode::Live).unwrap()
    }

    /// A card sealed by a page of the merchant, now.
    pub(crate) async fn seal(&self, account: &Account) -> String {
        seal(&self.sealing_key().await, &envelope(&account.public_key, NOON)).unwrap()
    }

    pub(crate) async fn tokenize_sealed(&self, account: &Account, jwe: &str) -> Answer {
        self.post("/tokens", &account.public_key, &json!({ "card": { "sealed": jwe } })).await
    }

    /// The id of a new token for a card in the clear.
    pub(crate) async fn token(&self, account: &Account, number: &str) -> String {
        let answer = self.post("/tokens", &account.public_key, &clear_card(number)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()["id"].as_str().unwrap().into()
    }

    pub(crate) async fn charge(&self, account: &Account, token: &str) -> Answer {
        let body = json!({ "amount": 10_000, "currency": "thb", "card": token });
        self.post("/charges", &account.secret_key, &body).await
    }

    /// The audit's chains of merchants, without the vault's own.
    pub(crate) async fn chains(&self) -> Vec<Chain> {
        self.audited().await.chains.into_iter().filter(|chain| chain.merchant.is_some()).collect()
    }

    /// What the audit is found to be, compared with nothing outside of the database.
    pub(crate) async fn audited(&self) -> Audited {
        self.vault.verify_audit(&Heads::default()).await.unwrap()
    }

    /// What somebody does to the database behind the vault's back.
    pub(crate) async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&mut self.dir.connect().await).await.unwrap();
    }

    /// How many rows of a table are so.
    pub(crate) async fn count_where(&self, table: &'static str, condition: &'static str) -> i64 {
        rows_where(&mut self.dir.connect().await, table, condition).await
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        self.count_where(table, "1 = 1").await
    }
}

/// The person who runs commands.
pub(crate) fn operator() -> By {
    By::person(Person::parse("anna").unwrap())
}

/// No rate limits.
pub(crate) const UNLIMITED: Limits = Limits {
    address: Limit::Off,
    key: Limit::Off,
    failed_authentications: Limit::Off,
    refused_cards: Limit::Off,
    detokenizations: Limit::Off,
    payment_credentials: Limit::Off,
    failed_charges: Limit::Off,
    passed_seals: Limit::Off,
    tokens_by_address: Limit::Off,
    tokens_by_key: Limit::Off,
    unknown_ids: Limit::Off,
    vendor_refusals: Limit::Off,
    trusted_proxies: Vec::new(),
};

fn routes(vault: &Arc<Vault>, assets: Option<Assets>, limiter: Arc<Limiter>) -> Router {
    router(parts(vault, assets, limiter))
}

pub(crate) fn parts(vault: &Arc<Vault>, assets: Option<Assets>, limiter: Arc<Limiter>) -> Parts {
    let metrics = Metrics::new(Arc::clone(vault), Places::new(Connections::DEFAULT));
    Parts {
        vault: Arc::clone(vault),
        assets: assets.map(Arc::new),
        limiter,
        metrics: Arc::new(metrics),
        stopping: CancellationToken::new(),
    }
}

pub(crate) fn limiter(limits: &Limits, elapsed: &Arc<AtomicU64>) -> Arc<Limiter> {
    let elapsed = Arc::clone(elapsed);
    let stopwatch = Stopwatch::new(move || Duration::from_millis(elapsed.load(Ordering::SeqCst)));
    Arc::new(Limiter::new(limits, stopwatch))
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Asserts Omise's shape of an error, and gives its message.
    #[track_caller]
    pub(crate) fn error(&self, status: u16, code: &str) -> String {
        let json = self.json();
        assert_eq!((self.status.as_u16(), json["code"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!(json["object"], "error");
        assert_eq!(json["location"], format!("/docs/errors#{}", code.replace('_', "-")));
        assert_eq!(json.as_object().unwrap().len(), 4);
        assert_eq!(self.header("cache-control"), Some("no-store"));
        json["message"].as_str().unwrap().into()
    }
}

/// A request with a key as Basic user name, or without if it is empty.
pub(crate) fn request(method: Method, path: &str, key: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path);
    if key.is_empty() { request } else { request.header(AUTHORIZATION, basic(key)) }
}

pub(crate) fn basic(key: &str) -> String {
    format!("Basic {}", Base64::encode_string(format!("{key}:").as_bytes()))
}

/// The body of a card in the clear.
pub(crate) fn clear_card(number: &str) -> Value {
    json!({ "card": {
        "number": number,
        "expiration_month": 12,
        "expiration_year": 2030,
        "security_code": if number.starts_with('3') && number.len() == 15 { "1234" } else { "123" },
        "name": "Somchai Prasert",
    } })
}

pub(crate) fn envelope(public_key: &str, issued_at: u64) -> Envelope {
    Envelope {
        card: card(VISA),
        merchant: Pkey::parse(public_key).unwrap(),
        issued_at,
        id: Jti::random().unwrap(),
    }
}

pub(crate) fn card(number: &str) -> Card {
    let number = Number::parse(number).valid().unwrap();
    let today = Timestamp::from_unix_seconds(NOON).month();
    Card {
        security_code: SecurityCode::parse("123", Some(number.brand())).valid(),
        expiry: Expiry::from_parts("12", "2030", today).valid().unwrap(),
        holder: Holder::parse("Somchai Prasert").valid(),
        number,
    }
}
