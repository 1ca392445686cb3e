//! Telling systemd how it goes (sd_notify(3)).

use std::env;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Tells the service manager that the vault serves, if one started it and wants to know.
pub(super) fn ready() {
    tell(b"READY=1\nSTATUS=");
}

/// Tells it that the vault waits for its database, and may do so for `time` more before it is given up (TimeoutStartSec=).
pub(super) fn waiting(time: Duration) {
    let micros = time.as_micros();
    tell(format!("STATUS=waiting for the database\nEXTEND_TIMEOUT_USEC={micros}").as_bytes());
}

/// Tells it that the vault stops.
pub(super) fn stopping() {
    tell(b"STOPPING=1");
}

/// Nothing depends on its being heard.
fn tell(state: &[u8]) {
    let Some(path) = env::var_os("NOTIFY_SOCKET") else { return };
    let address = match path.as_bytes() {
        // A name that is no file's.
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(&path),
    };
    if let (Ok(address), Ok(socket)) = (address, UnixDatagram::unbound()) {
        let _ = socket.send_to_addr(state, &address);
    }
}
