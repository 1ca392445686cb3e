//! PostgreSQL with a synchronous standby, set up as docs/OPERATIONS.md says, under three vaults: the primary is killed, frozen,
//! cut off, made read-only, stopped, and becomes the standby again; the standby is lost.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use cardseal_postgres::Stop;
use reqwest::Client;
use tokio::time::timeout;

use super::balancer::Balancer;
use super::cluster::{Cluster, Name, PATIENCE, Standing, eventually};
use super::ledger::{Ledger, assert_none, lost};
use super::load::{Load, Persistence};
use super::random::Random;
use super::three_processes::{assert_audit_is_genuine, serve};
use crate::support::home::{connect, rows};
use crate::support::program::{Served, add_merchant_by, command};

const VAULTS: usize = 3;

/// Connections that ask at once.
const CLIENTS: usize = 6;

/// How much is acknowledged before the next thing happens.
const A_WHILE: usize = 25;

/// What happens to a server.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Killed,
    /// With commits that the standby has not got yet.
    KilledAhead,
    Frozen,
    CutOff,
    ReadOnly,
    Stopped,
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "figures for whoever asks for them")]
async fn nothing_acknowledged_is_lost_or_double_when_the_primary_is_and_no_vault_is_restarted() {
    let mut random = Random::of_the_run();
    let cluster = Cluster::start().await;
    let folder = tempfile::tempdir().unwrap();
    let kek = format!("file:{}", folder.path().join("kek").display());
    let account =
        add_merchant_by(command(&["merchant", "add", "--database-url", &cluster.url(0), "--kek", &kek]));
    let vaults: Vec<Served> = (0..VAULTS).map(|index| serve(&cluster.url(index), folder.path())).collect();
    let balancer = Balancer::start(vaults.iter().map(|vault| vault.address).collect()).await;
    let address = format!("http://{}", balancer.address);
    let (http, ledger) = (Client::new(), Arc::new(Ledger::new()));
    let load = Load::start(CLIENTS, Persistence::GoesOn, &http, &address, &account, &ledger, &mut random);
    let mut run = Run { cluster, vaults, ledger: Arc::clone(&ledger), primary: Name::A, gaps: Vec::new() };

    for fault in
        [Fault::Killed, Fault::KilledAhead, Fault::Frozen, Fault::CutOff, Fault::ReadOnly, Fault::Stopped]
    {
        run.lose_the_primary(fault).await;
    }
    run.lose_the_standby().await;
    load.stop().await;

    // Each is the process that it was.
    for vault in &run.vaults {
        assert_eq!(vault.request("GET", "/readyz", "", "", "").status, 200, "{}", vault.log());
    }
    let entries = ledger.entries();
    let charges: Vec<_> = entries.iter().filter(|entry| entry.object["object"] == "charge").collect();
    let tokens = entries.len() - charges.len();
    assert_none(&lost(entries.clone(), &http, &address).await);
    // However often a charge was asked for, its money was taken once.
    let ids: HashSet<&str> = charges.iter().map(|charge| charge.object["id"].as_str().unwrap()).collect();
    let mut database = connect(&run.cluster.url(0)).await;
    let made = rows(&mut database, "charges").await;
    println!("{tokens} tokens and {} charges acknowledged, {made} charges made", charges.len());
    for (what, gap) in &run.gaps {
        println!("{what}: nothing was acknowledged for {} ms", gap.as_millis());
    }
    assert_eq!((ids.len(), i64::try_from(charges.len()).unwrap()), (charges.len(), made));
    assert_audit_is_genuine(&run.cluster.url(0), folder.path(), made).await;
}

struct Run {
    cluster: Cluster,
    vaults: Vec<Served>,
    ledger: Arc<Ledger>,
    primary: Name,
    gaps: Vec<(String, Duration)>,
}

impl Run {
    /// The other one takes over; the old one cannot acknowledge anything, comes back as the standby, and has everything again.
    async fn lose_the_primary(&mut self, fault: Fault) {
        let (old, new) = (self.primary, self.primary.other());
        self.go_on_for_a_while().await;
        let before = self.ledger.len();
        if matches!(fault, Fault::KilledAhead) {
            self.get_ahead(old).await;
        }
        self.begin(fault, old);
        self.cluster.until(new, Standing::Alone).await;
        self.go_on_for_a_while().await;
        self.gaps.push((format!("primary {fault:?}"), self.ledger.longest_gap(before)));

        if matches!(fault, Fault::Frozen) {
            self.cluster.machine(old).server.thaw().unwrap();
        }
        // It runs as a primary, wherever the network leads to it from.
        if matches!(fault, Fault::Frozen | Fault::CutOff) {
            self.assert_does_not_acknowledge(old).await;
        }
        self.end(fault, old);
        self.go_on_for_a_while().await;
        // And the decider has looked at it more than once.
        assert_eq!(self.cluster.connections(old), 0, "{}", self.cluster.log());

        self.cluster.rejoin(old);
        self.cluster.until(new, Standing::Sync).await;
        self.primary = new;
    }

    /// The primary goes on alone, and waits for the standby again when that is back.
    async fn lose_the_standby(&mut self) {
        let (primary, standby) = (self.primary, self.primary.other());
        self.go_on_for_a_while().await;
        let before = self.ledger.len();
        self.cluster.machine(standby).server.kill().unwrap();
        self.cluster.until(primary, Standing::Alone).await;
        self.go_on_for_a_while().await;
        self.gaps.push(("standby Killed".into(), self.ledger.longest_gap(before)));
        self.cluster.machine(standby).server.start_again().unwrap();
        self.cluster.until(primary, Standing::Sync).await;
        self.go_on_for_a_while().await;
    }

    /// Until somebody waits for a standby that is frozen; or until much more than the standby has is acknowledged, which is lost
    /// then.
    async fn get_ahead(&mut self, primary: Name) {
        // It shall take the standby for one that follows.
        self.cluster.signal_decider("STOP");
        self.cluster.machine(primary.other()).server.freeze().unwrap();
        let frozen_at = self.ledger.len();
        let waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        let (cluster, ledger) = (&mut self.cluster, &self.ledger);
        let is_ahead = async || cluster.ask(primary, waits) == "t" || ledger.len() > frozen_at + A_WHILE;
        assert!(eventually(is_ahead).await);
    }

    fn begin(&mut self, fault: Fault, name: Name) {
        let machine = self.cluster.machine(name);
        match fault {
            Fault::Killed => machine.server.kill().unwrap(),
            Fault::KilledAhead => {
                machine.server.kill().unwrap();
                self.cluster.machine(name.other()).server.thaw().unwrap();
                self.cluster.signal_decider("CONT");
            }
            Fault::Frozen => machine.server.freeze().unwrap(),
            Fault::CutOff => machine.network.cut(),
            Fault::ReadOnly => {
                self.cluster.ask(name, "ALTER SYSTEM SET default_transaction_read_only = on");
                self.cluster.ask(name, "SELECT pg_reload_conf()");
            }
            Fault::Stopped => machine.server.stop(Stop::InOrder).unwrap(),
        }
    }

    /// It is put right.
    fn end(&mut self, fault: Fault, name: Name) {
        match fault {
            // It is frozen no more.
            Fault::Frozen => {}
            // It comes back as what it was.
            Fault::Killed | Fault::KilledAhead => self.cluster.machine(name).server.start_again().unwrap(),
            Fault::CutOff => self.cluster.machine(name).network.heal(),
            Fault::ReadOnly => {
                self.cluster.ask(name, "ALTER SYSTEM RESET default_transaction_read_only");
            }
            Fault::Stopped => {}
        }
    }

    /// Whoever writes there waits for a standby that does not come, and gets no answer in the end.
    async fn assert_does_not_acknowledge(&mut self, name: Name) {
        let write = "SET application_name = 'stranger'; CREATE TABLE acknowledged (id int)";
        let writing = self.cluster.start_asking(name, write);
        let waits = "FROM pg_stat_activity WHERE application_name = 'stranger' AND wait_event = 'SyncRep'";
        let cluster = &mut self.cluster;
        let waited = eventually(async || cluster.ask(name, &format!("SELECT count(*) {waits}")) == "1").await;
        assert!(waited);
        self.cluster.ask(name, &format!("SELECT pg_terminate_backend(pid) {waits}"));
        let written = writing.wait_with_output().unwrap();
        assert!(!written.status.success(), "{written:?}");
    }

    async fn go_on_for_a_while(&self) {
        let grown = timeout(PATIENCE, self.ledger.grow_to(self.ledger.len() + A_WHILE)).await;
        let logs = || self.vaults.iter().map(Served::log).collect::<String>();
        assert!(grown.is_ok(), "nothing is acknowledged any more: {}\n{}", self.cluster.log(), logs());
    }
}
