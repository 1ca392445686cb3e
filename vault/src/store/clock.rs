//! The clock that the database's vaults have in common.

use super::{Engine, Store, StoreError, seconds, timestamp};
use crate::time::Timestamp;

impl Store {
    /// What the database's clock shows, in milliseconds since 1970; none on SQLite, which has no clock but the machine's.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn time(&self) -> Result<Option<i64>, StoreError> {
        // Not `now()`, which is when the transaction began.
        const TIME: &str = "SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)";
        match self.engine {
            Engine::Sqlite => Ok(None),
            Engine::Postgres => Ok(Some(sqlx::query_scalar(TIME).fetch_one(&self.readers).await?)),
        }
    }

    /// When a vault that could trust its clock last looked at it; none if none ever has.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn last_look_at_the_clock(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT looked_at FROM clock").fetch_optional(&self.readers).await?;
        row.map(|row| timestamp(&row, "looked_at")).transpose()
    }

    /// Keeps that a vault that can trust its clock looks at it now.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn look_at_the_clock(&self, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO clock (id, looked_at) VALUES (1, $1)
             ON CONFLICT (id) DO UPDATE SET looked_at = excluded.looked_at",
        )
        .bind(seconds(now))
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}
