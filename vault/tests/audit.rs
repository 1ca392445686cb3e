//! Whoever changes the audit is found out.

use cardseal_vault::audit::{Action, Actor};
use cardseal_vault::vault::Flaw;

use crate::support::operator;
use crate::support::{Account, Asked, NOON, VISA};

#[tokio::test]
async fn every_opening_of_a_card_is_in_it() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    assert!(asked.chains().await.is_empty(), "a token is made without opening a stored card");
    let charge = asked.charge(&account, &token).await.json()["id"].as_str().unwrap().to_owned();
    // What opens no card is not in it.
    asked.charge(&account, &token).await.error(400, "used_token");

    let chains = asked.chains().await;
    assert_eq!(chains.len(), 1);
    let merchant = chains[0].merchant.clone();
    let rows = asked.vault.store().audit_rows(merchant.as_ref(), 0, 10).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].entry.action, &*rows[0].entry.subject), (Action::Charge, &*charge));
    assert!(matches!(rows[0].entry.by.actor, Actor::Key(_)));
}

#[tokio::test]
async fn one_that_is_as_it_was_written_is_genuine() {
    let (asked, _) = audited(5).await;
    asked.vault.audit(None, operator(), Action::RotateKey, "sealing-live 2", None).await.unwrap();
    let audited = asked.audited().await;
    let chains: Vec<_> = audited.chains.iter().map(|chain| (chain.rows, chain.flaw)).collect();
    // The vault's own: a merchant was added, a key rotated.
    assert_eq!(chains, [(2, None), (5, None)]);
    assert_eq!((audited.access, &*audited.misplaced), (3, &[][..]));
}

#[tokio::test]
async fn no_row_ends_by_its_age() {
    let (asked, _) = audited(2).await;
    asked.set_time(NOON + 20 * 365 * 24 * 60 * 60);
    asked.vault.maintain().await.unwrap();
    let chains = asked.chains().await;
    assert_eq!((chains[0].rows, chains[0].flaw), (2, None));
}

#[tokio::test]
async fn rows_added_at_once_make_one_chain() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let mut tokens = Vec::new();
    for _ in 0..12 {
        tokens.push(asked.token(&account, VISA).await);
    }
    let charges = tokens.iter().map(|token| asked.charge(&account, token));
    for answer in futures_util::future::join_all(charges).await {
        assert_eq!(answer.status, 200);
    }
    let chains = asked.chains().await;
    assert_eq!((chains[0].rows, chains[0].flaw), (12, None));
}

#[tokio::test]
async fn a_changed_removed_or_reordered_row_is_found() {
    for (sql, flaw) in [
        ("UPDATE audit SET subject = 'chrg_test_other' WHERE seq = 3", Flaw::Changed(3)),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", Flaw::Changed(1)),
        ("UPDATE audit SET actor = 'person:anna' WHERE seq = 5", Flaw::Changed(5)),
        ("UPDATE audit SET reason = 'because' WHERE seq = 2", Flaw::Changed(2)),
        ("UPDATE audit SET origin = '203.0.113.9' WHERE seq = 4", Flaw::Changed(4)),
        ("UPDATE audit SET outcome = 'not_found' WHERE seq = 4", Flaw::Changed(4)),
        ("UPDATE audit SET times = 2 WHERE seq = 4", Flaw::Changed(4)),
        ("UPDATE audit SET key_version = 2 WHERE seq = 2", Flaw::Changed(2)),
        ("DELETE FROM audit WHERE seq = 3", Flaw::Missing(3)),
        ("DELETE FROM audit WHERE seq = 1", Flaw::Missing(1)),
        ("DELETE FROM audit WHERE seq = 5", Flaw::Missing(5)),
        ("DELETE FROM audit", Flaw::Missing(1)),
        // The gap closed behind it.
        ("DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3", Flaw::Changed(3)),
        (
            "UPDATE audit SET seq = 30 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4;
             UPDATE audit SET seq = 4 WHERE seq = 30",
            Flaw::Changed(3),
        ),
        // The last row removed, and its end moved back: the end is not that of row 4.
        ("DELETE FROM audit WHERE seq = 5; UPDATE audit_heads SET seq = 4", Flaw::Changed(4)),
        ("UPDATE audit_heads SET seq = 4", Flaw::Changed(4)),
        ("DELETE FROM audit_heads", Flaw::Surplus(0)),
        // A row of the vault's own, copied to the end.
        (
            "INSERT INTO audit SELECT merchant_id, 6, at, actor, origin, action, subject, reason, outcome, times,
                 key_version, mac
             FROM audit WHERE seq = 5; UPDATE audit_heads SET seq = 6",
            Flaw::Changed(6),
        ),
    ] {
        let (asked, _) = audited(5).await;
        asked.execute(sql).await;
        let chains = asked.chains().await;
        assert_eq!(chains.len(), 1, "{sql}");
        assert_eq!(chains[0].flaw, Some(flaw), "{sql}");
    }
}

#[tokio::test]
async fn an_old_copy_of_a_chain_does_not_end_as_the_chain_does() {
    let (asked, account) = audited(2).await;
    let before = asked.chains().await[0].head.clone();
    let token = asked.token(&account, VISA).await;
    asked.charge(&account, &token).await;
    let after = asked.chains().await[0].head.clone();
    assert_ne!(before, after);
    assert_eq!(after.len(), 64);
}

/// A vault with this many charges.
async fn audited(charges: usize) -> (Asked, Account) {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for _ in 0..charges {
        let token = asked.token(&account, VISA).await;
        assert_eq!(asked.charge(&account, &token).await.status, 200);
    }
    (asked, account)
}
