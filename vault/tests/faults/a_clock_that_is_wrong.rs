//! A process whose machine tells the wrong time, beside one whose machine is right: it takes over, gives up and deletes
//! nothing that is not its to. All vaults of a database go by one clock, and a process whose own is not that one does nothing
//! that cannot be taken back.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::Method;
use axum::http::header::{CONTENT_TYPE, DATE};
use cardseal::seal::seal;
use cardseal_vault::http::operations;
use cardseal_vault::log::Recent;
use cardseal_vault::time::{Clock, Machine};
use serde_json::{Value, json};

use crate::support::{Account, Answer, Asked, UNLIMITED, VISA, envelope, limiter, parts, request};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const YEAR: i64 = 365 * 24 * HOUR;

fn now() -> u64 {
    UNIX_EPOCH.elapsed().unwrap().as_secs()
}

/// A machine whose clock is off, by seconds.
#[derive(Default)]
struct Watch {
    off: AtomicI64,
    /// How long it has gone on beside the time that the test takes.
    passed: AtomicU64,
}

impl Watch {
    fn off(seconds: i64) -> Arc<Self> {
        Arc::new(Self { off: seconds.into(), ..Self::default() })
    }

    fn clock(self: &Arc<Self>) -> Clock {
        let (watch, begun) = (Arc::clone(self), Instant::now());
        let ticks = move || begun.elapsed() + Duration::from_secs(watch.passed.load(SeqCst));
        let (watch, ticking) = (Arc::clone(self), ticks.clone());
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let wall = move || {
            let shown = started + ticking();
            let off = watch.off.load(SeqCst);
            let distance = Duration::from_secs(off.unsigned_abs());
            if off < 0 { shown - distance } else { shown + distance }
        };
        Clock::of(Machine::new(wall, ticks))
    }

    fn set(&self, seconds: i64) {
        self.off.store(seconds, SeqCst);
    }

    fn pass(&self, seconds: u64) {
        self.passed.fetch_add(seconds, SeqCst);
    }
}

/// What a merchant has at a vault whose clock is right.
struct Kept {
    right: Asked,
    watch: Arc<Watch>,
    account: Account,
    unused: String,
    order: Value,
    paid: Value,
    pending: Value,
}

impl Kept {
    async fn new() -> Self {
        let watch = Watch::off(0);
        let right = Asked::new_with(|setup| setup.clock = watch.clock()).await;
        let account = right.merchant().await;
        let card = right.token(&account, VISA).await;
        let customer = right.post("/customers", &account.secret_key, &json!({ "card": card })).await.json();
        let order = json!({ "amount": 10_000, "currency": "THB", "customer": customer["id"] });
        let paid = charge(&right, &account, &order).await.json();
        assert_eq!(paid["status"], "successful");
        let token = right.token(&account, VISA).await;
        // Its acquirer does not know yet what comes of it.
        let on_its_way = json!({ "amount": 111_103, "currency": "THB", "card": token });
        let pending = right.post("/charges", &account.secret_key, &on_its_way).await.json();
        assert_eq!(pending["status"], "pending");
        let unused = right.token(&account, VISA).await;
        right.vault.maintain().await.unwrap();
        Self { right, watch, account, unused, order, paid, pending }
    }

    async fn beside(&self, seconds: i64) -> Asked {
        self.right.beside_with(|setup| setup.clock = Watch::off(seconds).clock()).await
    }

    /// What there is that has an age and that a wrong clock must not delete. Security codes end by the vault's time, trusted or
    /// not, and on SQLite that is the machine's.
    async fn rows(&self) -> Vec<(&'static str, i64)> {
        let mut rows = Vec::new();
        for table in ["idempotency_keys", "tokens", "counted_numbers", "events", "wrapped_keys", "charges"] {
            rows.push((table, self.right.count(table).await));
        }
        if self.right.dir.is_on_postgres() {
            rows.push(("security_codes", self.right.count("security_codes").await));
        }
        rows
    }

    /// What has become of the charge that is on its way.
    async fn status(&self) -> Value {
        let id = self.pending["id"].as_str().unwrap();
        self.right.get(&format!("/charges/{id}"), &self.account.secret_key).await.json()["status"].clone()
    }

    async fn assert_paid_once(&self, by: &Asked) {
        let again = charge(by, &self.account, &self.order).await;
        assert_eq!(
            (&again.json()["id"], again.header("idempotency-replayed")),
            (&self.paid["id"], Some("true"))
        );
    }
}

async fn charge(asked: &Asked, account: &Account, order: &Value) -> Answer {
    let request = request(Method::POST, "/charges", &account.secret_key)
        .header(CONTENT_TYPE, "application/json")
        .header("idempotency-key", "order-7");
    asked.send(request.body(Body::from(order.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_process_whose_clock_is_wrong_deletes_nothing_and_takes_over_nothing() {
    let kept = Kept::new().await;
    let before = kept.rows().await;
    for seconds in [25 * MINUTE, 25 * HOUR, 3 * YEAR, -25 * MINUTE, -25 * HOUR, -3 * YEAR] {
        let wrong = kept.beside(seconds).await;
        wrong.vault.maintain().await.unwrap();
        wrong.vault.resolve_charges().await.unwrap();
        assert_eq!(kept.rows().await, before, "{seconds} s");
        assert_eq!(kept.status().await, "pending", "{seconds} s");
    }
    let token = kept.right.get(&format!("/tokens/{}", kept.unused), &kept.account.public_key).await;
    assert_eq!(token.json()["used"], false);
}

#[tokio::test]
async fn a_request_that_comes_again_to_a_process_whose_clock_is_wrong_is_the_same_request() {
    let kept = Kept::new().await;
    for seconds in [25 * MINUTE, 25 * HOUR, 3 * YEAR, -25 * MINUTE, -25 * HOUR, -3 * YEAR] {
        let wrong = kept.beside(seconds).await;
        wrong.vault.maintain().await.unwrap();
        kept.assert_paid_once(&wrong).await;
        kept.assert_paid_once(&kept.right).await;
    }
    assert_eq!(kept.right.count("charges").await, 2);
}

#[tokio::test]
async fn a_process_tells_how_far_its_clock_is_off() {
    let kept = Kept::new().await;
    let (right, apart) = (kept.right.get("/readyz", "").await, kept.right.dir.is_on_postgres());
    assert_eq!((right.status.as_u16(), &right.json()["checks"]["clock"]), (200, &json!("ok")));
    for seconds in [25 * MINUTE, 25 * HOUR, -3 * YEAR] {
        let wrong = kept.beside(seconds).await;
        let ready = wrong.get("/readyz", "").await;
        // On SQLite the machine's clock is the only one, and is held against when it was last looked at.
        let why = if apart { "apart" } else { "set" };
        assert_eq!(ready.json()["checks"]["clock"], why, "{seconds} s");
        let parts = parts(&wrong.vault, None, limiter(&UNLIMITED, &Default::default()));
        let metrics = wrong.operated(operations(&parts, Recent::default())).get("/metrics", "").await.body;
        let sample = |name: &str| -> f64 {
            let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse().unwrap()
        };
        assert_eq!(sample("cardseal_clock_trusted"), 0.0);
        let told = if apart { seconds as f64 } else { 0.0 };
        assert!((sample("cardseal_clock_offset_seconds") - told).abs() < 10.0, "{seconds} s: {metrics}");
    }
}

/// On PostgreSQL: on SQLite a machine has no other clock than its own.
#[tokio::test]
async fn a_process_whose_clock_is_wrong_serves_by_the_databases() {
    let kept = Kept::new().await;
    if !kept.right.dir.is_on_postgres() {
        return;
    }
    for seconds in [25 * MINUTE, 25 * HOUR, 3 * YEAR, -25 * MINUTE, -25 * HOUR, -3 * YEAR] {
        let wrong = kept.beside(seconds).await;
        assert_eq!(wrong.get("/readyz", "").await.status.as_u16(), 200);
        let path = format!("/tokens/{}", kept.unused);
        let token = wrong.get(&path, &kept.account.secret_key).await;
        assert_eq!(token.json(), kept.right.get(&path, &kept.account.secret_key).await.json());
        // A browser whose clock is right seals, and one whose clock is not learns the time.
        let jwe = seal(&wrong.sealing_key().await, &envelope(&kept.account.public_key, now())).unwrap();
        let made = wrong.tokenize_sealed(&kept.account, &jwe).await;
        assert_eq!(made.status.as_u16(), 200, "{seconds} s: {made:?}");
        let date = httpdate::parse_http_date(made.headers[DATE].to_str().unwrap()).unwrap();
        assert!(date.duration_since(UNIX_EPOCH).unwrap().as_secs().abs_diff(now()) < 10, "{seconds} s");
        let late = envelope(&kept.account.public_key, now().checked_add_signed(seconds).unwrap());
        let late = seal(&wrong.sealing_key().await, &late).unwrap();
        wrong.tokenize_sealed(&kept.account, &late).await.error(400, "expired_seal");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_while_a_vault_runs_moves_nothing_until_it_has_stood_for_ten_minutes() {
    let kept = Kept::new().await;
    let (before, vault) = (kept.rows().await, &kept.right.vault);
    for seconds in [25 * MINUTE, 3 * YEAR, -25 * HOUR, 25 * HOUR] {
        kept.watch.set(seconds);
        assert!(vault.clock().trust().is_err(), "{seconds} s");
        vault.maintain().await.unwrap();
        vault.resolve_charges().await.unwrap();
        assert_eq!(kept.rows().await, before, "{seconds} s");
        assert_eq!(kept.status().await, "pending", "{seconds} s");
        assert!(vault.clock().now().unix_seconds().abs_diff(now()) < 10, "{seconds} s");
        kept.assert_paid_once(&kept.right).await;
    }
    if kept.right.dir.is_on_postgres() {
        // It is the database's that counts, however long another one stands.
        kept.watch.set(0);
        assert_eq!(vault.clock().trust(), Ok(()));
        return;
    }
    let stands = 10 * 60 / 10;
    for _ in 0..stands {
        assert_eq!(kept.rows().await, before);
        kept.watch.pass(10);
        vault.maintain().await.unwrap();
    }
    assert_eq!(vault.clock().trust(), Ok(()));
    vault.maintain().await.unwrap();
    assert_eq!(kept.right.count("idempotency_keys").await, 0);
}
