use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::data_dir::DataDir;
use crate::store::{Location, PostgresUrl};

/// Where a vault's database is to be.
#[derive(Clone, Debug)]
pub enum Database {
    /// SQLite, in this folder.
    Folder(PathBuf),
    /// PostgreSQL.
    Postgres(PostgresUrl),
}

impl Database {
    /// The place itself; a folder is made when it is new.
    ///
    /// # Errors
    /// [`NoFolder`]
    pub fn location(self) -> Result<Location, NoFolder> {
        match self {
            Self::Folder(path) => match DataDir::open(&path) {
                Ok(dir) => Ok(Location::Folder(dir)),
                Err(source) => Err(NoFolder { path, source }),
            },
            Self::Postgres(url) => Ok(Location::Postgres(url)),
        }
    }
}

/// The data folder cannot be had. The operator's to put right.
#[derive(Debug, Error)]
#[error("the data folder {path} cannot be opened: {source}", path = .path.display())]
pub struct NoFolder {
    path: PathBuf,
    source: io::Error,
}
