//! What every connection to PostgreSQL is told, so that no process keeps another's merchants waiting: a process that stands
//! still in the midst of a transaction loses its locks, and one that is gone is noticed.

use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tokio::time::timeout;

use super::waits::Waits;

/// Connections that wait for others' locks no longer than `lock`.
pub(super) fn options(waits: Waits, lock: Duration) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .acquire_timeout(waits.place)
        .after_connect(move |connection, _| Box::pin(limit(connection, waits, lock)))
        // The pool's own test would wait for ever.
        .test_before_acquire(false)
        .before_acquire(|connection, idle| {
            Box::pin(async move {
                if idle.idle_for < FRESH {
                    return Ok(true);
                }
                Ok(timeout(LONGEST_PING, connection.ping()).await.is_ok_and(|answer| answer.is_ok()))
            })
        })
}

/// A connection that did something this short a time ago is not tried before it is used.
const FRESH: Duration = Duration::from_secs(1);

/// How long a connection may take to say that it still works. A new one then comes in its place.
const LONGEST_PING: Duration = Duration::from_secs(1);

/// Tells a connection how long anything may take.
async fn limit(connection: &mut AnyConnection, waits: Waits, lock: Duration) -> Result<(), sqlx::Error> {
    let settings = [
        ("lock_timeout", lock),
        ("statement_timeout", waits.statement),
        ("idle_in_transaction_session_timeout", waits.idle),
    ];
    set(connection, &settings.map(|(name, value)| (name, millis(value)))).await?;
    notice_lost_clients(connection).await
}

/// Has the server notice within seconds that nobody is at the other end any more, in the midst of a statement too: what that
/// has locked keeps others waiting.
pub(super) async fn notice_lost_clients(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    /// For how long nothing may come before it asks whether the other end is there, how often, and how many times.
    const QUIET: Duration = Duration::from_secs(5);
    const AGAIN: Duration = Duration::from_secs(2);
    const TIMES: &str = "3";
    /// For how long what it has sent may go without an acknowledgement.
    const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
    /// How often it looks, while a statement runs, whether the other end has hung up.
    const LOOK: Duration = Duration::from_secs(1);
    let settings = [
        ("tcp_keepalives_idle", millis(QUIET)),
        ("tcp_keepalives_interval", millis(AGAIN)),
        ("tcp_keepalives_count", TIMES.to_owned()),
        ("tcp_user_timeout", millis(UNACKNOWLEDGED)),
    ];
    set(connection, &settings).await?;
    // Not on every system.
    if let Err(error) = set(connection, &[("client_connection_check_interval", millis(LOOK))]).await {
        tracing::debug!(%error, "the server does not look whether clients have hung up");
    }
    Ok(())
}

/// Sets what the server has of these.
async fn set(connection: &mut AnyConnection, settings: &[(&str, String)]) -> Result<(), sqlx::Error> {
    let values: Vec<_> = settings.iter().map(|(name, value)| format!("('{name}', '{value}')")).collect();
    let sql = format!(
        "SELECT set_config(known.name, wanted.setting, false) FROM pg_settings AS known
         JOIN (VALUES {}) AS wanted (name, setting) ON wanted.name = known.name",
        values.join(", ")
    );
    // Names and numbers of this file.
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
}

fn millis(time: Duration) -> String {
    format!("{}ms", time.as_millis())
}
