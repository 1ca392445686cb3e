//! What happens to the machines while the shops are open, all of it by one seed.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cardseal_vault::store::Purpose;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::books;
use super::shop::{Notebook, Shopper};
use super::wire::State;
use super::world::{Account, MACHINES, World, hold};
use crate::durability::random::Random;

/// Something that goes wrong, for a while.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Time passes for everybody.
    Advance(u64),
    /// A machine's clock is wrong.
    Clock {
        machine: usize,
        seconds: i64,
    },
    /// The way from a machine to the database.
    Cut {
        machine: usize,
        state: State,
    },
    Freeze {
        machine: usize,
    },
    Kill {
        machine: usize,
    },
    /// A stranger's session holds rows of a merchant.
    Lock {
        merchant: usize,
        rows: &'static str,
    },
    Rotate {
        machine: usize,
    },
    Tick {
        machine: usize,
    },
}

/// Wrong by seconds to years, both ways.
const OFFSETS: [i64; 10] =
    [-3 * 365 * 86_400, -25 * 3600, -1500, -40, 5, 40, 1500, 25 * 3600, 100 * 86_400, 3 * 365 * 86_400];

const ROWS: [&str; 4] = [
    "SELECT 1 FROM audit_heads WHERE merchant_id = $1 FOR UPDATE",
    "SELECT 1 FROM event_heads WHERE merchant_id = $1 FOR UPDATE",
    "SELECT 1 FROM charges WHERE merchant_id = $1 FOR UPDATE",
    "SELECT 1 FROM tokens WHERE merchant_id = $1 FOR UPDATE",
];

/// Merchants of a schedule.
const MERCHANTS: usize = 2;

/// Shoppers of each.
const SHOPPERS: usize = 3;

/// What a schedule came to.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) differences: Vec<String>,
    pub(super) purchases: usize,
    pub(super) charges: usize,
    pub(super) busy: usize,
    pub(super) unanswered: usize,
    pub(super) deletions: usize,
    pub(super) tokens: usize,
}

/// Runs the schedule of a seed, heals everything, and compares the books.
pub(super) async fn run(world: &Arc<World>, seed: u64) -> Report {
    let mut random = Random::from_seed(seed);
    let mut accounts = Vec::new();
    for _ in 0..MERCHANTS {
        accounts.push((world.merchant().await, Arc::<Mutex<Notebook>>::default()));
    }
    let mut shoppers = JoinSet::new();
    for (account, notebook) in &accounts {
        for _ in 0..SHOPPERS {
            let shopper = Shopper {
                world: Arc::clone(world),
                account: account.clone(),
                notebook: Arc::clone(notebook),
                random: random.split(),
            };
            shoppers.spawn(shopper.shop());
        }
    }
    let mut faults = JoinSet::new();
    for _ in 0..3 + random.below(6) {
        sleep(random.shorter_than(Duration::from_millis(120))).await;
        let fault = fault(&mut random);
        let longest = if random.one_in(6) { 9_000 } else { 900 };
        let lasts = random.shorter_than(Duration::from_millis(longest));
        let accounts: Vec<Account> = accounts.iter().map(|(account, _)| account.clone()).collect();
        faults.spawn(happen(Arc::clone(world), fault, lasts, accounts));
    }
    while let Some(ended) = faults.join_next().await {
        ended.unwrap();
    }
    while let Some(ended) = shoppers.join_next().await {
        ended.unwrap();
    }
    let mut report = Report::default();
    for (account, notebook) in &accounts {
        // While they last.
        let tokens = notebook.lock().unwrap().tokens.clone();
        report.differences.extend(books::lost_tokens(world, account, &tokens).await);
    }
    settle(world, &accounts).await;
    for (account, notebook) in &accounts {
        let notebook = std::mem::take(&mut *notebook.lock().unwrap());
        report.differences.extend(books::differences(world, account, &notebook).await);
        report.add(&notebook);
    }
    report
}

fn fault(random: &mut Random) -> Fault {
    let machine = random.below(MACHINES);
    match random.below(12) {
        0 => Fault::Advance(1 + random.below(150) as u64),
        1 | 2 => Fault::Clock { machine, seconds: OFFSETS[random.below(OFFSETS.len())] },
        3 => Fault::Cut { machine, state: State::Silent },
        4 => Fault::Cut { machine, state: State::Broken },
        5 | 6 => Fault::Freeze { machine },
        7 => Fault::Kill { machine },
        8 | 9 => Fault::Lock { merchant: random.below(MERCHANTS), rows: ROWS[random.below(ROWS.len())] },
        10 if random.one_in(4) => Fault::Rotate { machine },
        _ => Fault::Tick { machine },
    }
}

async fn happen(world: Arc<World>, fault: Fault, lasts: Duration, accounts: Vec<Account>) {
    match fault {
        Fault::Advance(seconds) => world.advance(seconds).await,
        Fault::Clock { machine, seconds } => {
            let machine = world.machine(machine);
            machine.offset.store(seconds, Ordering::SeqCst);
            // What it does by its wrong clock.
            drop(machine.tick());
            sleep(lasts).await;
            machine.offset.store(0, Ordering::SeqCst);
        }
        Fault::Cut { machine, state } => {
            world.wires[machine].set(state);
            sleep(lasts).await;
            world.wires[machine].set(State::Passing);
        }
        Fault::Freeze { machine } => {
            let machine = world.machine(machine);
            machine.freeze();
            sleep(lasts).await;
            machine.thaw();
        }
        Fault::Kill { machine } => world.replace(machine).await,
        Fault::Lock { merchant, rows } => {
            hold(world.connect().await, rows, &accounts[merchant].merchant, lasts).await;
        }
        Fault::Rotate { machine } => world.machine(machine).rotate(Purpose::Data),
        Fault::Tick { machine } => drop(world.machine(machine).tick()),
    }
}

/// Most times that all machines look for what is open. What is still open then never ends.
const ROUNDS: usize = 20;

/// Everything is well again, and time passes until nothing is open.
async fn settle(world: &World, accounts: &[(Account, Arc<Mutex<Notebook>>)]) {
    for _ in 0..ROUNDS {
        for machine in 0..MACHINES {
            // It may have been replaced in between.
            let _ = world.machine(machine).tick().await;
        }
        let mut open = false;
        for (account, _) in accounts {
            open |= books::is_open(world, account).await;
        }
        if !open {
            return;
        }
        world.advance(11 * 60).await;
    }
}

impl Report {
    fn add(&mut self, notebook: &Notebook) {
        use super::shop::Heard;
        self.tokens += notebook.tokens.len();
        self.deletions += notebook.deleted.len();
        self.purchases += notebook.purchases.len();
        for heard in notebook.purchases.iter().flat_map(|purchase| &purchase.heard) {
            match heard {
                Heard::Busy => self.busy += 1,
                Heard::Charge { .. } => self.charges += 1,
                Heard::Nothing => self.unanswered += 1,
                Heard::Refused(_) => {}
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.differences.extend(other.differences);
        self.purchases += other.purchases;
        self.charges += other.charges;
        self.busy += other.busy;
        self.unanswered += other.unanswered;
        self.deletions += other.deletions;
        self.tokens += other.tokens;
    }
}
