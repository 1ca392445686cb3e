use std::env;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use thiserror::Error;

use crate::data_dir::DataDir;

/// Where a vault's database is.
#[derive(Clone, Debug)]
pub enum Location {
    /// SQLite, in a folder: one machine.
    Folder(DataDir),
    /// PostgreSQL: any number of vaults.
    Postgres(PostgresUrl),
}

/// The address of a PostgreSQL database, `postgres://user:password@host/name`. It shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl Location {
    /// The folder where custodians find the vault (see [`unlock`](crate::keys::kek::unlock)): that of the database; with
    /// PostgreSQL the one that systemd gives a service for its sockets, or the one that the vault was started in.
    #[must_use]
    pub fn door(&self) -> PathBuf {
        match self {
            Self::Folder(dir) => dir.path().to_owned(),
            Self::Postgres(_) => {
                env::var_os("RUNTIME_DIRECTORY").map_or_else(|| PathBuf::from("."), PathBuf::from)
            }
        }
    }

    /// The address as the driver takes it.
    pub(super) fn url(&self) -> String {
        // What may stand in a file's path as it is; the rest, a question mark for one, has a meaning in an address.
        const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');
        match self {
            Self::Folder(dir) => {
                let path = dir.database();
                let path = utf8_percent_encode(&path.to_string_lossy(), PATH).to_string();
                format!("sqlite://{path}?mode=rw")
            }
            Self::Postgres(PostgresUrl(url)) => url.clone(),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(dir) => dir.database().display().fmt(formatter),
            Self::Postgres(url) => url.fmt(formatter),
        }
    }
}

impl FromStr for PostgresUrl {
    type Err = NotPostgres;

    fn from_str(text: &str) -> Result<Self, NotPostgres> {
        let known = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        // As the driver will read it, with what the environment adds.
        let options: PgConnectOptions = text.parse().ok().filter(|_| known).ok_or(NotPostgres::Malformed)?;
        let is_tls = matches!(
            options.get_ssl_mode(),
            PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull
        );
        if is_tls || options.get_socket().is_some() || is_here(options.get_host()) {
            Ok(Self(text.into()))
        } else {
            Err(NotPostgres::Unencrypted)
        }
    }
}

/// Whether a host is this very machine, or a socket's folder.
fn is_here(host: &str) -> bool {
    let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    host.starts_with('/')
        || host == "localhost"
        || address.is_some_and(|address| address.to_canonical().is_loopback())
}

impl fmt::Display for PostgresUrl {
    /// Without user, password and parameters.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        write!(formatter, "postgres://{place}")
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Not the address of a PostgreSQL database that may be used. The operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotPostgres {
    /// It is none.
    #[error("a database's address is postgres://user:password@host:port/name")]
    Malformed,
    /// It leads to another machine, and does not ask for TLS.
    #[error("a database on another machine is reached with sslmode=verify-full (or verify-ca, require)")]
    Unencrypted,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_no_password() {
        let url: PostgresUrl =
            "postgresql://vault:s3cr@t@db.example:5432/cards?password=s3cret&sslmode=require"
                .parse()
                .unwrap();
        assert_eq!(url.to_string(), "postgres://db.example:5432/cards");
        assert_eq!(format!("{url:?}"), url.to_string());
    }

    #[test]
    fn a_database_on_another_machine_is_reached_by_tls() {
        for place in ["localhost", "127.0.0.1:5433", "[::1]", "%2Frun%2Fpostgresql"] {
            assert!(format!("postgres://a:b@{place}/c").parse::<PostgresUrl>().is_ok(), "{place}");
        }
        for (mode, fits) in [
            ("", false),
            ("?sslmode=disable", false),
            ("?sslmode=allow", false),
            ("?sslmode=prefer", false),
            ("?sslmode=require", true),
            ("?sslmode=verify-ca", true),
            ("?ssl-mode=verify-full", true),
        ] {
            for host in ["db.example", "10.0.0.5", "[2001:db8::1]", "localhost.example"] {
                let url = format!("postgres://a:b@{host}/c{mode}").parse::<PostgresUrl>();
                assert_eq!(url.is_ok(), fits, "{host}{mode}");
            }
        }
        let elsewhere = "postgres://localhost/c?host=db.example".parse::<PostgresUrl>();
        assert_eq!(elsewhere, Err(NotPostgres::Unencrypted));
    }

    #[test]
    fn other_databases_are_refused() {
        for text in ["", "mysql://host/name", "cards.sqlite", "sqlite://cards"] {
            assert_eq!(text.parse::<PostgresUrl>(), Err(NotPostgres::Malformed));
        }
    }
}
