use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use thiserror::Error;
use tokio::sync::OnceCell;

use super::{Reach, WebhookUrl};
use crate::merchant::Mode;

/// How long a merchant's server may take for an answer.
pub const LONGEST_DELIVERY: Duration = Duration::from_secs(10);

/// Sends webhooks' messages. Made when the first is sent: a vault without webhooks needs no roots of trust.
#[derive(Debug)]
pub struct Sender {
    reach: Reach,
    look_up: LookUp,
    live: OnceCell<Client>,
    test: OnceCell<Client>,
}

impl Sender {
    /// One that sends no farther than this.
    #[must_use]
    pub fn within(reach: Reach) -> Self {
        Self { reach, look_up: of_system, live: OnceCell::new(), test: OnceCell::new() }
    }

    /// Sends a message once. Only an answer of 200 to 299 says that it arrived; no redirect is followed and no answer's
    /// body read.
    ///
    /// # Errors
    /// [`NotDelivered`]
    pub async fn send(
        &self,
        mode: Mode,
        url: &WebhookUrl,
        signature: String,
        body: Vec<u8>,
    ) -> Result<(), NotDelivered> {
        let reach = self.reach.of(mode);
        // A name is looked at when it is resolved; an address never is.
        if !url.is_within(reach) {
            return Err(NotDelivered::Connect);
        }
        let cell = match mode {
            Mode::Live => &self.live,
            Mode::Test => &self.test,
        };
        let client = cell.get_or_try_init(async || client(Guard { reach, look_up: self.look_up })).await?;
        let request = client.post(url.url()).header(CONTENT_TYPE, "application/json");
        let response = request.header("cardseal-signature", signature).body(body).send().await?;
        let status = response.status();
        if status.is_success() { Ok(()) } else { Err(NotDelivered::Status(status)) }
    }
}

fn client(guard: Guard) -> Result<Client, NotDelivered> {
    let client = Client::builder()
        .dns_resolver(guard)
        // A proxy would resolve names by itself.
        .no_proxy()
        .redirect(Policy::none())
        .timeout(LONGEST_DELIVERY)
        .user_agent("cardseal-vault")
        .build();
    client.map_err(|_| NotDelivered::NoClient)
}

/// Resolves a name to those of its addresses that are allowed. The connection is made to one of these very addresses, so
/// that a name that means something else a moment later gains nothing.
struct Guard {
    reach: Reach,
    look_up: LookUp,
}

/// Tells where a name leads.
type LookUp = fn(Name) -> Found;

type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// As the system knows it. The port comes from the URL.
fn of_system(name: Name) -> Found {
    Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) })
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, found) = (self.reach, (self.look_up)(name));
        Box::pin(async move {
            let allowed: Vec<_> =
                found.await?.into_iter().filter(|address| reach.has(address.ip())).collect();
            if allowed.is_empty() {
                return Err(io::Error::from(io::ErrorKind::PermissionDenied).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Why a message did not arrive, as far as is known. The merchant's server's fault, or the network's; it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotDelivered {
    /// The server's answer made no sense, or the connection broke.
    #[error("the connection broke")]
    Broken,
    /// Nobody could be reached, or only in a private network.
    #[error("the server cannot be reached")]
    Connect,
    /// The vault's machine has no roots of trust. The operator's to put right.
    #[error("no connection can be made: the machine may have no certificates of authorities")]
    NoClient,
    /// The server refused it.
    #[error("the server answered {0}")]
    Status(StatusCode),
    /// The server took too long.
    #[error("the server did not answer in time")]
    TimedOut,
}

impl From<reqwest::Error> for NotDelivered {
    /// The kind only: the rest names the address.
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::TimedOut
        } else if error.is_connect() {
            Self::Connect
        } else {
            Self::Broken
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::ErrorKind;
    use std::net::TcpListener;

    use super::*;

    /// As a merchant's own name server answers once the webhook is there.
    #[tokio::test]
    async fn a_public_name_that_leads_to_this_machine_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("https://shop.example:{}/", listener.local_addr().unwrap().port());
        let url = WebhookUrl::parse(&url, Mode::Live, Reach::Public).unwrap();
        let send = async |reach, mode| {
            let look_up: LookUp = |_| Box::pin(async { Ok(vec![([127, 0, 0, 1], 0).into()]) });
            let sender = Sender { look_up, ..Sender::within(reach) };
            sender.send(mode, &url, "t=0,v1=0".into(), b"{}".to_vec()).await
        };
        for (reach, mode) in
            [(Reach::Public, Mode::Live), (Reach::Public, Mode::Test), (Reach::Loopback, Mode::Live)]
        {
            assert_eq!(send(reach, mode).await, Err(NotDelivered::Connect));
            assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "{reach}, {mode:?}");
        }
        // Where it is allowed, the name leads here.
        let accepting = async {
            while listener.accept().is_err() {
                tokio::task::yield_now().await;
            }
        };
        let (sent, ()) = tokio::join!(send(Reach::Loopback, Mode::Test), accepting);
        assert_eq!(sent, Err(NotDelivered::Connect), "it does not speak TLS");
    }
}
