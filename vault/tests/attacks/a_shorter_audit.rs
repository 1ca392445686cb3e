//! Whoever writes the database, without the vault's keys, cuts the end of the audit off and puts its head back to the row
//! that is the last one then: a chain that is genuine by itself. Heads that have left the database stop it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};

use cardseal_vault::audit::Heads;
use cardseal_vault::log::Format;
use cardseal_vault::vault::{Chain, Flaw};
use sqlx::AssertSqlSafe;

use crate::support::home::{connect, sqlite};
use crate::support::log::Log;
use crate::support::program::{Served, run};
use crate::support::{Account, Asked, VISA};

/// Rows of the chain that is cut.
const ROWS: u64 = 8;

#[tokio::test]
async fn a_cut_at_any_row_is_found_by_the_log_and_by_the_file() {
    for format in [Format::Text, Format::Json] {
        let log = Log::listen(format);
        let file = tempfile::NamedTempFile::new().unwrap();
        let asked = Asked::new_with(|setup| setup.audit_heads = Some(file.path().into())).await;
        let account = asked.merchant().await;
        charge(&asked, &account, ROWS).await;
        let logged = log.take().join("\n");
        asked.execute("CREATE TABLE audit_then AS SELECT * FROM audit").await;
        asked.execute("CREATE TABLE heads_then AS SELECT * FROM audit_heads").await;
        for left in 0..ROWS {
            cut(&asked, left).await;
            // By itself the chain is genuine.
            let chains = verified(&asked, &Heads::default()).await;
            assert!(chains.iter().all(|chain| chain.flaw.is_none() && chain.known.is_none()), "{chains:?}");
            assert_eq!(chains.len(), usize::from(left > 0));
            for heads in [of(logged.as_bytes()), of(&fs::read(file.path()).unwrap())] {
                let chains = verified(&asked, &heads).await;
                assert_eq!(chains.len(), 1);
                assert_eq!((chains[0].flaw, chains[0].known), (Some(Flaw::Cut(left + 1)), Some(ROWS)));
            }
            asked
                .execute(
                    "DELETE FROM audit; INSERT INTO audit SELECT * FROM audit_then;
                     DELETE FROM audit_heads; INSERT INTO audit_heads SELECT * FROM heads_then",
                )
                .await;
        }
        let chains = verified(&asked, &of(logged.as_bytes())).await;
        assert_eq!((chains[0].flaw, chains[0].known), (None, Some(ROWS)));
    }
}

/// The vault itself goes on where the attacker left the chain.
#[tokio::test]
async fn a_chain_that_grows_again_does_not_hide_the_cut() {
    let log = Log::listen(Format::Json);
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    charge(&asked, &account, 4).await;
    cut(&asked, 2).await;
    charge(&asked, &account, 3).await;
    let chains = verified(&asked, &Heads::default()).await;
    assert_eq!((chains[0].rows, chains[0].flaw), (5, None));
    let heads = of(log.take().join("\n").as_bytes());
    assert_eq!(verified(&asked, &heads).await[0].flaw, Some(Flaw::Regrown(3)));
}

#[tokio::test]
async fn what_several_processes_told_is_put_together() {
    let files = [tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap()];
    let one = Asked::new_with(|setup| setup.audit_heads = Some(files[0].path().into())).await;
    let other = one.beside_with(|setup| setup.audit_heads = Some(files[1].path().into())).await;
    let account = one.merchant().await;
    for asked in [&one, &other, &one, &other] {
        charge(asked, &account, 1).await;
    }
    cut(&one, 3).await;
    let read = |index: usize| fs::read(files[index].path()).unwrap();
    assert_eq!(verified(&one, &of(&read(0))).await[0].flaw, None);
    for both in [[read(0), read(1)].concat(), [read(1), read(0)].concat()] {
        assert_eq!(verified(&one, &of(&both)).await[0].flaw, Some(Flaw::Cut(4)));
    }
}

/// Else whoever cuts at once would be quicker: what is known outside comes before the answer. The file is a pipe here, and full.
#[tokio::test]
async fn nothing_is_answered_before_its_head_has_left() {
    /// Of Linux, as in `<fcntl.h>`.
    const O_NONBLOCK: i32 = 0o4000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heads");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let mut pipe = File::options().read(true).write(true).custom_flags(O_NONBLOCK).open(&path).unwrap();
    let asked = Asked::new_with(|setup| setup.audit_heads = Some(path)).await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let before = asked.count("audit").await;
    while matches!(pipe.write(b"\n"), Ok(1)) {}

    let answered = AtomicBool::new(false);
    let charging = async {
        assert_eq!(asked.charge(&account, &token).await.status, 200);
        answered.store(true, Ordering::SeqCst);
    };
    let watching = async {
        while asked.count("audit").await == before {}
        // It is durable. There would be time for an answer: others get theirs, each after a write of its own.
        for _ in 0..10 {
            asked.token(&account, VISA).await;
        }
        assert!(!answered.load(Ordering::SeqCst), "answered before its head was written");
        let mut lines = Vec::new();
        while !String::from_utf8_lossy(&lines).contains("audit_head") {
            let _ = pipe.read_to_end(&mut lines);
        }
    };
    tokio::join!(charging, watching);
}

/// What a process has not added itself, such as a command's rows, it tells of all the same, once.
#[tokio::test]
async fn a_running_vault_tells_what_commands_add() {
    let asked = Asked::new().await;
    asked.merchant().await;
    let other = asked.beside_with(|_| {}).await;
    let log = Log::listen(Format::Text);
    other.vault.maintain().await.unwrap();
    let told = log.take();
    assert!(told.iter().any(|line| line.contains("audit_head chain=\"vault\" seq=1")), "{told:?}");
    other.vault.maintain().await.unwrap();
    assert_eq!(log.take(), [""; 0]);
}

/// What it is done for: a revoked key is valid again, and the audit does not know that it was revoked.
#[test]
fn a_key_that_was_revoked_is_not_made_valid_again_unseen() {
    let outer = tempfile::tempdir().unwrap();
    let (dir, file) = (outer.path().join("vault"), outer.path().join("heads"));
    let vault = |arguments: &[&str]| run(&[arguments, &["--data-dir", dir.to_str().unwrap()]].concat());
    let telling = ["--audit-heads", file.to_str().unwrap()];
    let added = vault(
        &[&["merchant", "add", "--name", "A", "--origin", "http://localhost:1"][..], &telling].concat(),
    );
    let added = String::from_utf8(added.stdout).unwrap();
    let merchant = added.split_whitespace().nth(1).unwrap();
    let listed = said(&vault(&["merchant", "keys", "list", "--merchant", merchant]));
    let key =
        listed.lines().find(|line| line.contains(" secret ")).unwrap().split_whitespace().next().unwrap();
    execute(&dir, "CREATE TABLE keys_then AS SELECT * FROM api_keys");
    said(&vault(&[&["merchant", "keys", "revoke", "--id", key][..], &telling].concat()));
    // A vault that serves tells of what was done before it started.
    let log = outer.path().join("log");
    fs::write(&log, Served::start(&dir).log()).unwrap();

    let found = said(&vault(&["audit", "verify", "--heads", file.to_str().unwrap()]));
    assert!(!found.contains("cut off"), "{found}");
    execute(&dir, "DELETE FROM api_keys; INSERT INTO api_keys SELECT * FROM keys_then");
    execute(
        &dir,
        "DELETE FROM audit WHERE merchant_id <> ''; DELETE FROM audit_heads WHERE merchant_id <> ''",
    );
    let found = said(&vault(&["audit", "verify"]));
    assert!(found.contains("rows that were cut off their ends do not show"), "{found}");
    for heads in [&file, &log] {
        let found = vault(&["audit", "verify", "--heads", heads.to_str().unwrap()]);
        assert_eq!(found.status.code(), Some(1));
        assert!(
            String::from_utf8_lossy(&found.stdout).contains("row 1 and what followed was cut off"),
            "{found:?}"
        );
    }
    let nothing = vault(&["audit", "verify", "--heads", "/dev/null"]);
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("tells of no head"), "{nothing:?}");
}

async fn charge(asked: &Asked, account: &Account, times: u64) {
    for _ in 0..times {
        let token = asked.token(account, VISA).await;
        assert_eq!(asked.charge(account, &token).await.status, 200);
    }
}

/// Leaves so many rows of the merchant's chain, and makes the last of them its end.
async fn cut(asked: &Asked, left: u64) {
    let sql = match left {
        0 => "DELETE FROM audit WHERE merchant_id <> ''; DELETE FROM audit_heads WHERE merchant_id <> ''"
            .into(),
        left => format!(
            "DELETE FROM audit WHERE merchant_id <> '' AND seq > {left};
             UPDATE audit_heads SET seq = {left},
                 mac = (SELECT mac FROM audit WHERE merchant_id = audit_heads.merchant_id AND seq = {left})
             WHERE merchant_id <> ''"
        ),
    };
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut asked.dir.connect().await).await.unwrap();
}

fn of(lines: &[u8]) -> Heads {
    let mut heads = Heads::default();
    heads.read(lines).unwrap();
    assert!(!heads.is_empty() && heads.unreadable() == 0);
    heads
}

/// The merchants' chains.
async fn verified(asked: &Asked, heads: &Heads) -> Vec<Chain> {
    let chains = asked.vault.verify_audit(heads).await.unwrap().chains;
    chains.into_iter().filter(|chain| chain.merchant.is_some()).collect()
}

#[track_caller]
fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn execute(dir: &Path, sql: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        sqlx::raw_sql(sql).execute(&mut connect(&sqlite(dir)).await).await.unwrap();
    });
}
