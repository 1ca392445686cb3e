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
        let pools = match self.engine {
            Engine::Sqlite => &[&self.readers, &self.writer][..],
            // One pool for both.
            Engine::Postgres => &[&self.readers],
        };
        let all: u64 = pools.iter().map(|pool| u64::from(pool.size())).sum();
        let idle: u64 = pools.iter().map(|pool| pool.num_idle() as u64).sum();
        Load { busy: all.saturating_sub(idle), idle, queued: self.batcher.queued() as u64 }
    }
}
