//! The bank's books, the vault's and the merchant's, line by line.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use axum::http::Method;
use sqlx::{AnyConnection, Row};

use super::bank::Entry;
use super::shop::{Heard, Notebook};
use super::world::{Account, World, request};

/// A charge as the vault has it.
#[derive(Debug)]
struct Charge {
    id: String,
    amount: i64,
    status: String,
}

/// How often a machine that is well again is asked, a quarter of a second apart, before it is held for one that is not.
const MOST_TRIES: usize = 240;

/// Where two books differ: in words, for whoever reads a failed test.
pub(super) async fn differences(world: &World, account: &Account, notebook: &Notebook) -> Vec<String> {
    let mut differences = notebook.surprises.clone();
    let mut database = world.connect().await;
    let (charges, bank) = (charges(&mut database, account).await, world.bank.books());
    let taken = |id: &str| bank.get(id).map_or(0, |entry: &Entry| entry.taken);

    // The vault's and the bank's.
    for charge in &charges {
        let Charge { id, amount, status } = charge;
        let fits = match status.as_str() {
            "successful" => taken(id) == 1 && bank[id].amount == *amount,
            "failed" => taken(id) == 0,
            _ => false,
        };
        if !fits {
            differences.push(format!("charge {id} over {amount} is {status}, taken {} times", taken(id)));
        }
    }
    let amounts: HashSet<i64> = notebook.purchases.iter().map(|purchase| purchase.amount).collect();
    let ids: HashSet<&str> = charges.iter().map(|charge| charge.id.as_str()).collect();
    for (id, entry) in bank.iter().filter(|(_, entry)| amounts.contains(&entry.amount)) {
        if !ids.contains(id.as_str()) {
            differences.push(format!("{} was taken for {id}, which the vault does not know", entry.amount));
        }
    }

    // The merchant's.
    for purchase in &notebook.purchases {
        let made: Vec<&Charge> = charges.iter().filter(|charge| charge.amount == purchase.amount).collect();
        let paid: usize = made.iter().map(|charge| taken(&charge.id)).sum();
        if made.len() > 1 || paid > 1 {
            differences.push(format!("one purchase, charges {made:?}, paid {paid} times: {purchase:?}"));
        }
        for heard in &purchase.heard {
            if let Heard::Charge { id, status } = heard {
                let fits = made
                    .iter()
                    .any(|charge| charge.id == *id && (charge.status == *status || status != "successful"));
                if !fits {
                    differences.push(format!("heard {heard:?}, and there is {made:?}"));
                }
            }
        }
        let only_refused = purchase.heard.iter().all(|heard| match heard {
            Heard::Busy => true,
            Heard::Refused(code) => code != "used_token",
            Heard::Charge { .. } | Heard::Nothing => false,
        });
        if only_refused && paid > 0 {
            differences.push(format!("it was refused, and is paid: {purchase:?}"));
        }
        if purchase.is_too_late && paid > 0 {
            differences.push(format!("a deleted card was charged: {purchase:?}"));
        }
    }
    differences.extend(charged_after_deletion(&mut database, account, notebook).await);
    differences
}

/// Tokens that were acknowledged and are gone.
pub(super) async fn lost_tokens(world: &World, account: &Account, tokens: &[String]) -> Vec<String> {
    let mut lost = Vec::new();
    for token in tokens {
        let path = format!("/tokens/{token}");
        let mut tries = 0;
        // A machine that was cut off a moment ago may be busy still; it does not stay so.
        let found = loop {
            let ask = request(Method::GET, &path, &account.secret_key, None, None);
            let found = world.ask(0, Duration::from_secs(60), ask).await.unwrap();
            tries += 1;
            if found.status != 503 || tries == MOST_TRIES {
                break found;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        };
        if found.status != 200 {
            lost.push(format!("token {token} was acknowledged, and is gone: {found:?}"));
        }
    }
    lost
}

async fn charges(database: &mut AnyConnection, account: &Account) -> Vec<Charge> {
    let rows = sqlx::query("SELECT id, amount, status FROM charges WHERE merchant_id = $1")
        .bind(&account.merchant)
        .fetch_all(database)
        .await
        .unwrap();
    let charge = |row: &sqlx::any::AnyRow| Charge {
        id: row.get("id"),
        amount: row.get("amount"),
        status: row.get("status"),
    };
    rows.iter().map(charge).collect()
}

/// Events are in the order in which things happened: no charge of a card begins after its end.
async fn charged_after_deletion(
    database: &mut AnyConnection,
    account: &Account,
    notebook: &Notebook,
) -> Vec<String> {
    let rows = sqlx::query(
        "SELECT charges.card_id, charges.id, events.seq FROM charges JOIN events
             ON events.merchant_id = charges.merchant_id AND events.object_id = charges.id
             AND events.key = 'charge.create' WHERE charges.merchant_id = $1",
    )
    .bind(&account.merchant)
    .fetch_all(&mut *database)
    .await
    .unwrap();
    let ends =
        sqlx::query("SELECT object_id, seq FROM events WHERE merchant_id = $1 AND key = 'card.destroy'")
            .bind(&account.merchant)
            .fetch_all(database)
            .await
            .unwrap();
    let ends: HashMap<String, i64> = ends.iter().map(|row| (row.get("object_id"), row.get("seq"))).collect();
    let late = |row: &sqlx::any::AnyRow| {
        let (card, charge, begun): (String, String, i64) = (row.get(0), row.get(1), row.get(2));
        let end = notebook.deleted.contains(&card).then(|| ends.get(&card)).flatten()?;
        (begun > *end).then(|| format!("charge {charge} of {card} began after the card was deleted"))
    };
    rows.iter().filter_map(late).collect()
}

/// Whether a charge of the merchant's is still open.
pub(super) async fn is_open(world: &World, account: &Account) -> bool {
    let charges = charges(&mut world.connect().await, account).await;
    charges.iter().any(|charge| charge.status == "pending")
}
