//! What bad input gets: a refusal that says what is wrong, and nothing stored.

mod arbitrary;
mod bodies;
mod methods;
mod seals;
mod wire;

use crate::support::{Account, Asked};

/// Nothing is stored, and the next good request is answered.
async fn nothing_was_stored(asked: &Asked, account: &Account) {
    for table in ["tokens", "charges", "security_codes"] {
        assert_eq!(asked.count(table).await, 0, "{table}");
    }
    let other = asked.merchant().await;
    for account in [account, &other] {
        asked.get("/tokens/tokn_test_0", &account.public_key).await.error(404, "not_found");
    }
}

/// For messages.
fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}
