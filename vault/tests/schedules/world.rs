//! Three machines with a vault each on one database, the bank, and the time.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request};
use cardseal_vault::Vault;
use cardseal_vault::acquirer::Acquirers;
use cardseal_vault::data_dir::DataDir;
use cardseal_vault::id::{MerchantId, SecretKey, random_public_key};
use cardseal_vault::merchant::{ClearCards, Merchant, Mode, Name, Origin};
use cardseal_vault::store::{Location, NewKey};
use cardseal_vault::time::Clock;
use cardseal_vault::vault::Setup;
use serde_json::Value;
use sqlx::{AnyConnection, Connection};
use tempfile::TempDir;

use super::bank::Bank;
use super::machine::{Machine, Reply};
use super::wire::Wire;
use crate::support::home::connect;
use crate::support::postgres::Database;
use crate::support::{SHOP, basic, operator};

pub(super) const MACHINES: usize = 3;

pub(super) struct World {
    pub(super) bank: Bank,
    time: Time,
    pub(super) wires: Vec<Wire>,
    machines: Vec<Mutex<Arc<Machine>>>,
    /// The operator's way to the database, which nothing happens to.
    pub(super) office: Arc<Vault>,
    database: Database,
    folder: TempDir,
}

/// What time it is for everybody whose clock is right: the system's, and what it was advanced by.
#[derive(Clone)]
pub(super) struct Time {
    begun: Instant,
    begun_at: Duration,
    advanced: Arc<AtomicU64>,
}

/// The database's clock goes by what it is advanced by, too: its own function of this name is found after this one.
const CLOCK: &str = "
    CREATE SCHEMA bench;
    CREATE TABLE bench.advanced (seconds BIGINT NOT NULL);
    INSERT INTO bench.advanced VALUES (0);
    CREATE FUNCTION bench.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
        'SELECT pg_catalog.clock_timestamp() + seconds * interval ''1 second'' FROM bench.advanced';
    DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET search_path = public, bench, pg_catalog', current_database());
    END $$;
";

/// A merchant with its keys.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) merchant: String,
    pub(super) public_key: String,
    pub(super) secret_key: String,
}

/// Nobody answered: the machine was killed, or the client did not want to wait any longer.
#[derive(Debug)]
pub(super) struct NoAnswer;

impl World {
    /// None where the tests do not run on PostgreSQL.
    pub(super) async fn new() -> Option<Self> {
        let database = Database::new().await?;
        let (folder, bank, time) = (tempfile::tempdir().unwrap(), Bank::default(), Time::new());
        let server = address_of(&database.url());
        sqlx::raw_sql(CLOCK).execute(&mut connect(&database.url()).await).await.unwrap();
        let office = setup(&folder, &database.url(), &bank, time.clock(Arc::default()));
        let office = Vault::open(office).await.unwrap();
        let mut world =
            Self { bank, time, wires: Vec::new(), machines: Vec::new(), office, database, folder };
        for index in 0..MACHINES {
            world.wires.push(Wire::to(server).await);
            let machine = world.start(index).await;
            world.machines.push(Mutex::new(Arc::new(machine)));
        }
        Some(world)
    }

    pub(super) fn machine(&self, index: usize) -> Arc<Machine> {
        Arc::clone(&self.machines[index].lock().unwrap())
    }

    /// Kills a machine and starts another one in its place.
    pub(super) async fn replace(&self, index: usize) {
        let old = Arc::clone(&self.machines[index].lock().unwrap());
        old.kill();
        let new = Arc::new(self.start(index).await);
        *self.machines[index].lock().unwrap() = new;
    }

    async fn start(&self, index: usize) -> Machine {
        let direct = self.database.url();
        let url = direct.replace(&address_of(&direct).to_string(), &self.wires[index].address.to_string());
        Machine::start(|offset| setup(&self.folder, &url, &self.bank, self.time.clock(offset))).await
    }

    pub(super) async fn merchant(&self) -> Account {
        let (mode, secret_key) = (Mode::Test, SecretKey::random(Mode::Test));
        let merchant = Merchant {
            id: MerchantId::random(mode),
            name: Name::parse("A shop").unwrap(),
            mode,
            origins: vec![Origin::parse(SHOP).unwrap()],
            clear_cards: ClearCards::Allowed,
        };
        let public_key = random_public_key(mode);
        let keys = [NewKey::public(mode, &public_key), NewKey::secret(mode, &secret_key)];
        self.office.add_merchant(&merchant, &keys, operator()).await.unwrap();
        Account {
            merchant: merchant.id.to_string(),
            public_key: public_key.as_str().into(),
            secret_key: secret_key.expose().into(),
        }
    }

    /// Asks one machine, and waits no longer than `patience`.
    pub(super) async fn ask(
        &self,
        machine: usize,
        patience: Duration,
        request: Request<Body>,
    ) -> Result<Reply, NoAnswer> {
        let answer = self.machine(machine).ask(request);
        tokio::time::timeout(patience, answer).await.map_err(|_| NoAnswer)?.map_err(|_| NoAnswer)
    }

    /// Lets time pass for everybody.
    pub(super) async fn advance(&self, seconds: u64) {
        let mut database = self.connect().await;
        let sql = "UPDATE bench.advanced SET seconds = seconds + $1";
        self.time.advanced.fetch_add(seconds, Ordering::SeqCst);
        sqlx::query(sql).bind(i64::try_from(seconds).unwrap()).execute(&mut database).await.unwrap();
    }

    /// A way to the database behind everybody's back.
    pub(super) async fn connect(&self) -> AnyConnection {
        connect(&self.database.url()).await
    }

    pub(super) async fn close(self) {
        for machine in &self.machines {
            machine.lock().unwrap().kill();
        }
        self.office.close().await;
        drop(self.wires);
        drop(self.database);
    }
}

impl Time {
    fn new() -> Self {
        let begun_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self { begun: Instant::now(), begun_at, advanced: Arc::default() }
    }

    /// How far all clocks are: none of them stands still.
    fn ticks(&self) -> Duration {
        self.begun.elapsed() + Duration::from_secs(self.advanced.load(Ordering::SeqCst))
    }

    /// The database's clock on a machine whose own is wrong by so many seconds.
    fn clock(&self, offset: Arc<AtomicI64>) -> Clock {
        let (wall, ticks) = (self.clone(), self.clone());
        let wall = move || {
            let seconds = offset.load(Ordering::SeqCst);
            let (now, wrong) = (wall.begun_at + wall.ticks(), Duration::from_secs(seconds.unsigned_abs()));
            if seconds < 0 { now - wrong } else { now + wrong }
        };
        Clock::of(cardseal_vault::time::Machine::new(wall, move || ticks.ticks()))
    }
}

fn setup(folder: &TempDir, url: &str, bank: &Bank, clock: Clock) -> Setup {
    Setup {
        location: Location::Postgres(url.parse().unwrap()),
        acquirers: Acquirers::new(bank.clone()),
        clock,
        ..Setup::in_folder(DataDir::open(folder.path()).unwrap())
    }
}

fn address_of(url: &str) -> SocketAddr {
    let (_, rest) = url.rsplit_once('@').unwrap();
    rest.split('/').next().unwrap().parse().unwrap()
}

/// A request with a key.
pub(super) fn request(
    method: Method,
    path: &str,
    key: &str,
    idempotency_key: Option<&str>,
    body: Option<&Value>,
) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path).header(AUTHORIZATION, basic(key));
    if let Some(idempotency_key) = idempotency_key {
        builder = builder.header("idempotency-key", idempotency_key);
    }
    match body {
        Some(body) => builder.header(CONTENT_TYPE, "application/json").body(body.to_string().into()).unwrap(),
        None => builder.body(Body::empty()).unwrap(),
    }
}

/// Takes a row and gives it back after a while, as a process does that stopped in the middle of a transaction.
pub(super) async fn hold(mut connection: AnyConnection, sql: &'static str, merchant: &str, time: Duration) {
    let mut transaction = connection.begin().await.unwrap();
    // There may be no such row, or nobody lets go of it.
    let _ = sqlx::query(sql).bind(merchant).fetch_all(&mut *transaction).await;
    tokio::time::sleep(time).await;
    let _ = transaction.rollback().await;
}
