use std::ops::{Deref, DerefMut};

use super::pool::{Connection, Pool};
use super::shares::Share;
use super::signs::Turn;
use super::{Engine, StoreError, Trouble};

/// A transaction. It is taken back when it is dropped before its commit.
#[derive(Debug)]
pub(super) struct Transaction {
    connection: Connection,
    /// Whose it is, if it is a merchant's. Given back with it.
    share: Option<Share>,
    _turn: Turn,
}

impl Transaction {
    /// On SQLite it holds the right to write from the beginning, so that it cannot fail for it later.
    pub(super) async fn begin(engine: Engine, pool: &Pool, share: Option<Share>) -> Result<Self, StoreError> {
        let turn = pool.turn().await.ok_or(StoreError::Unavailable(Trouble::Busy))?;
        let mut connection = pool.connection().await?;
        connection
            .begin(match engine {
                Engine::Sqlite => "BEGIN IMMEDIATE",
                Engine::Postgres => "BEGIN",
            })
            .await?;
        Ok(Self { connection, share, _turn: turn })
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// [`StoreError::Uncertain`] if nobody knows whether it is; all others say that it is not.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let committed = self.connection.commit().await;
        committed.map_err(|error| if says_nothing(&error) { StoreError::Uncertain } else { error.into() })
    }

    /// Takes it back, and gives its share back for another.
    pub(super) async fn rollback(mut self) -> Result<Option<Share>, StoreError> {
        self.connection.rollback().await?;
        Ok(self.share.take())
    }
}

/// Whether an error at a commit leaves open what became of it: the connection ended over it, or an administrator's word did
/// that (PostgreSQL's class 57P), which may come while the commit waits for a standby and is done here already.
fn says_nothing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| ["08", "57P"].iter().any(|class| code.starts_with(class)))
        }
        _ => true,
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
