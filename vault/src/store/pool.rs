//! Connections whose every answer is waited for within bounds. One that owes an answer is closed and not used again: nobody
//! knows what it would answer next.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{self, Stream};
use futures_util::{TryFutureExt as _, TryStreamExt as _};
use sqlx::any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Describe, Either, Error, Execute, Executor, SqlStr};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout, timeout_at};

use super::signs::{Signs, Turn};
use super::waits::Waits;
use crate::log::with_warning;

/// A pool of connections. What is asked of it is asked of one of them.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pool: AnyPool,
    waits: Waits,
    signs: Arc<Signs>,
}

/// A connection out of a pool.
pub(super) struct Connection {
    /// None once it is given back.
    held: Option<PoolConnection<Any>>,
    waits: Waits,
    /// Until when it has answered what is asked of it, all together.
    until: Instant,
    owes: Owes,
    signs: Arc<Signs>,
}

/// What is to be done with a connection before somebody else gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owes {
    Nothing,
    /// Its transaction has no end yet.
    Rollback,
    /// It did not answer in time, so it is closed.
    Answer,
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;
type Step = Either<AnyQueryResult, AnyRow>;

impl Pool {
    /// Around a pool that waits for `waits.place`.
    pub(super) const fn new(pool: AnyPool, waits: Waits, signs: Arc<Signs>) -> Self {
        Self { pool, waits, signs }
    }

    /// A connection. Its time begins now.
    pub(super) async fn connection(&self) -> Result<Connection, Error> {
        Ok(Connection {
            held: Some(self.pool.acquire().await.map_err(away)?),
            waits: self.waits,
            until: Instant::now() + self.waits.answer,
            owes: Owes::Nothing,
            signs: Arc::clone(&self.signs),
        })
    }

    /// Leave to write, if it comes in time.
    pub(super) async fn turn(&self) -> Option<Turn> {
        self.signs.turn(self.waits.place).await
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.pool.is_closed()
    }

    /// How many connections it has.
    pub(super) fn size(&self) -> u64 {
        self.pool.size().into()
    }

    /// How many of them have nothing to do.
    pub(super) fn idle(&self) -> u64 {
        self.pool.num_idle() as u64
    }
}

/// Whoever stands before a database that is away may accept a connection and hang up at once, as HAProxy does with no server
/// to lead to. The driver takes the end for an answer, and a malformed one.
fn away(error: Error) -> Error {
    match error {
        Error::Protocol(text) => Error::Io(io::Error::new(io::ErrorKind::ConnectionAborted, text)),
        error => error,
    }
}

/// What was stored, if its primary waited for the standby. Whoever cancels that wait has PostgreSQL say that all went well,
/// with a warning (its manual, 27.2.8): a failover would forget what was acknowledged. The words of the warning are in the
/// server's language; a commit has no other one that it could come with.
async fn replicated<T>(stored: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match with_warning(stored).await {
        (Ok(_), true) => Err(Error::Io(io::Error::other("the database stored it with a warning"))),
        (stored, _) => stored,
    }
}

impl Connection {
    pub(super) async fn begin(&mut self, sql: &'static str) -> Result<(), Error> {
        // Even if the answer gets lost.
        self.owes = Owes::Rollback;
        let until = self.until;
        self.tell(sql, until).await
    }

    /// Has a time of its own.
    pub(super) async fn commit(&mut self) -> Result<(), Error> {
        let until = Instant::now() + self.waits.commit;
        if let Err(error) = replicated(self.tell("COMMIT", until)).await {
            if self.owes == Owes::Answer {
                self.signs.commit_unanswered();
            }
            return Err(error);
        }
        self.owes = Owes::Nothing;
        self.signs.committed();
        Ok(())
    }

    pub(super) async fn rollback(&mut self) -> Result<(), Error> {
        self.tell("ROLLBACK", Instant::now() + self.waits.commit).await?;
        self.owes = Owes::Nothing;
        Ok(())
    }

    async fn tell(&mut self, sql: &'static str, until: Instant) -> Result<(), Error> {
        let (connection, patience) = self.parts(until)?;
        patience.answer(sqlx::raw_sql(sql).execute(connection)).await?;
        Ok(())
    }

    async fn all<'q>(&mut self, query: impl Execute<'q, Any> + 'q) -> Result<Vec<Step>, Error> {
        let (connection, patience) = self.parts(self.until)?;
        patience.answer(connection.fetch_many(query).try_collect()).await
    }

    async fn first<'q>(&mut self, query: impl Execute<'q, Any> + 'q) -> Result<Option<AnyRow>, Error> {
        let (connection, patience) = self.parts(self.until)?;
        patience.answer(connection.fetch_optional(query)).await
    }

    async fn prepared(&mut self, sql: SqlStr, parameters: &[AnyTypeInfo]) -> Result<AnyStatement, Error> {
        let (connection, patience) = self.parts(self.until)?;
        patience.answer(connection.prepare_with(sql, parameters)).await
    }

    async fn described(&mut self, sql: SqlStr) -> Result<Describe<Any>, Error> {
        let (connection, patience) = self.parts(self.until)?;
        patience.answer(connection.describe(sql)).await
    }

    fn parts(&mut self, until: Instant) -> Result<(&mut AnyConnection, Patience<'_>), Error> {
        let Self { held, owes, signs, .. } = self;
        let connection = held.as_mut().ok_or(Error::PoolClosed)?;
        Ok((&mut *connection, Patience { until, owes, signs }))
    }
}

/// Waits for an answer up to its time.
struct Patience<'a> {
    until: Instant,
    owes: &'a mut Owes,
    signs: &'a Signs,
}

impl Patience<'_> {
    async fn answer<T>(self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let answer = timeout_at(self.until, answer).await.unwrap_or_else(|_| {
            *self.owes = Owes::Answer;
            Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database did not answer in time")))
        });
        answer.inspect_err(|error| self.signs.failed(error))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut connection) = self.held.take() else { return };
        let owes = self.owes;
        if owes == Owes::Answer {
            return connection.close_on_drop();
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let longest = self.waits.commit;
        runtime.spawn(async move {
            let back = async {
                if owes == Owes::Rollback {
                    // SQLite takes a transaction back by itself where the disk is full, and then says that there is none
                    // (sqlite.org/lang_transaction.html, "Response To Errors Within A Transaction").
                    let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await;
                }
                // It looks whether the connection answers, for ever if it does not.
                connection.return_to_pool().await;
            };
            if timeout(longest, back).await.is_err() {
                connection.close_on_drop();
            }
        });
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").field("owes", &self.owes).finish_non_exhaustive()
    }
}

fn steps<'e>(
    all: impl Future<Output = Result<Vec<Step>, Error>> + Send + 'e,
) -> BoxStream<'e, Result<Step, Error>> {
    Box::pin(all.map_ok(|all| stream::iter(all.into_iter().map(Ok))).try_flatten_stream())
}

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        steps(self.all(query))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        Box::pin(self.first(query))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(self.prepared(sql, parameters))
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, Error>>
    where
        'c: 'e,
    {
        Box::pin(self.described(sql))
    }
}

impl<'c> Executor<'c> for &'c Pool {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        steps(async move { replicated(self.connection().await?.all(query)).await })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        Box::pin(async move { self.connection().await?.first(query).await })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move { self.connection().await?.prepared(sql, parameters).await })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move { self.connection().await?.described(sql).await })
    }
}
