use super::pool::Pool;
use super::{Engine, Store};

/// How busy a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Connections that something is done with.
    pub busy: u64,
    /// Connections that wait for something to do.
    pub idle: u64,
    /// Tokens that wait to be committed.
    pub queued: u64,
}

impl Store {
    /// How busy it is at this moment.
    #[must_use]
    pub fn load(&self) -> Load {
        let pools: Vec<&Pool> = match self.engine {
            Engine::Sqlite => vec![&self.readers, &self.writer],
            Engine::Postgres => vec![&self.readers, &self.writer, &self.tokens],
        };
        let all: u64 = pools.iter().map(|pool| pool.size()).sum();
        let idle: u64 = pools.iter().map(|pool| pool.idle()).sum();
        Load { busy: all.saturating_sub(idle), idle, queued: self.batcher.queued() as u64 }
    }
}
