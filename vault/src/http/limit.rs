//! Rate limits, before anything else is done with a request.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Once};
use std::time::Duration;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderName, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use thiserror::Error;
use tracing::Span;

use super::code::Code;
use super::error::ApiError;
use super::{auth, cors};
use crate::Vault;
use crate::access::client::Client;
use crate::access::limit::{Caller, Limiter, Name};
use crate::audit::{Action, Actor, By, Origination, Refusal};
use crate::keys::Sha256Digest;
use crate::vault::Refused;

/// A limit is reached. The caller's fault, or that of whoever shares its key or address; waiting helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{what}; try again in {seconds} s", what = what(*.name), seconds = .seconds)]
pub(super) struct Exceeded {
    name: Name,
    /// Whole seconds after which the same request passes.
    pub(super) seconds: u64,
}

impl Exceeded {
    /// The limit of this name, for so long.
    pub(super) fn of(name: Name, wait: Duration) -> Self {
        Self { name, seconds: whole_seconds(wait) }
    }
}

/// Tells of a charge, on the answer, that it was declined: its status is 200 all the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declined;

/// Lets a request pass if no limit is in its way, and counts it, and counts how it ended.
///
/// No limit is counted for a request that another one stops: whoever waits as long as told is let in.
pub(super) async fn check(
    State((limiter, vault)): State<(Arc<Limiter>, Arc<Vault>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("", MatchedPath::as_str);
    // Who balances load or collects metrics sits in front of everybody else.
    if matches!(route, "/livez" | "/readyz" | "/metrics") {
        return next.run(request).await;
    }
    let key = auth::key(request.headers()).ok();
    let client = client(&limiter, &request);
    Span::current().record("address", tracing::field::display(client));
    request.extensions_mut().insert(client);
    let caller = Caller { client, key: key.as_deref().map(String::as_str) };
    let with_key = key.is_some().then_some(Name::Key);
    let passes_on = (request.method() == Method::POST && route == PASSING_ON).then_some(Name::PassedSeals);
    let always = [Some(Name::Address), with_key, passes_on, shows(route)];
    let authenticates = request.headers().contains_key(AUTHORIZATION).then_some(Name::FailedAuthentications);
    let at_a_vendor = passes_on.map(|_| Name::VendorRefusals);
    let on_failure = [authenticates, guess(request.method(), route), at_a_vendor];
    let on_success = if takes_a_card(request.method(), route) {
        [Some(Name::TokensByAddress), with_key.map(|_| Name::TokensByKey)]
    } else {
        [None, None]
    };

    let waits = always.into_iter().chain(on_failure).chain(on_success).flatten();
    let exceeded = waits
        .filter_map(|name| limiter.wait(name, caller).map(|wait| (wait, name)))
        .max_by_key(|(wait, _)| *wait);
    if let Some((wait, name)) = exceeded {
        let (subject, path) = (format!("{} {route}", request.method()), request.uri().path().to_owned());
        drop(request);
        tell(&vault, name, caller, subject).await;
        let mut response = ApiError::from(Exceeded::of(name, wait)).into_response();
        if cors::is_about_tokens(&path) {
            cors::show_anybody(&mut response);
        }
        return response;
    }
    for name in always.into_iter().flatten() {
        limiter.count(name, caller);
    }
    let response = next.run(request).await;
    if response.status().is_success() {
        on_success.into_iter().flatten().for_each(|name| limiter.count(name, caller));
    }
    for name in on_failure.into_iter().flatten().filter(|name| failed(*name, &response)) {
        limiter.count(name, caller);
    }
    response
}

/// Without a connection there is no address, and all share one. In a server there always is one.
pub(super) fn client(limiter: &Limiter, request: &Request) -> Client {
    const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
    static TOLD: Once = Once::new();
    let forwarded = request.headers().get_all(FORWARDED).iter();
    if forwarded.size_hint().0 > 0 && !limiter.trusts_a_proxy() {
        TOLD.call_once(|| {
            tracing::warn!(
                "a request names whose it is (X-Forwarded-For), but no proxy is trusted: if there is one before this \
                 vault, all who come through it are limited as if they were one"
            );
        });
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    // What is not ASCII is no address either.
    limiter.client(peer, forwarded.map(|value| value.to_str().unwrap_or_default()))
}

/// Where sealed cards go on to vendors.
const PASSING_ON: &str = "/profiles/{profile}/tokens";

/// Tells the audit whom a limit has kept from what must not leave the vault too often.
async fn tell(vault: &Vault, name: Name, caller: Caller<'_>, subject: String) {
    let action = match name {
        Name::Detokenizations => Action::Detokenize,
        Name::FailedAuthentications => Action::Access,
        Name::PaymentCredentials => Action::PayWithVendorToken,
        Name::Address
        | Name::FailedCharges
        | Name::Key
        | Name::PassedSeals
        | Name::RefusedCards
        | Name::TokensByAddress
        | Name::TokensByKey
        | Name::UnknownIds
        | Name::VendorRefusals => return,
    };
    let key = caller.key.filter(|_| name != Name::FailedAuthentications);
    let holder = match key {
        // Whoever is refused so often is not looked up each time.
        Some(key) => vault.recent_key_holder(Sha256Digest::of(key.as_bytes())).await.ok().flatten(),
        None => None,
    };
    let (merchant, actor) = match holder {
        Some((merchant, key)) => (Some(merchant.id), Actor::Key(key.id)),
        None => (None, Actor::Unknown),
    };
    let by = By { actor, from: Origination::Client(caller.client) };
    vault.refuse(Refused { merchant, by, action, subject, why: Refusal::OverLimit }).await;
}

/// What a route shows of a card, or in its place.
fn shows(route: &str) -> Option<Name> {
    match route {
        "/pci-tokens/{id}/detokenize" | "/profiles/{profile}/tokens/{id}/detokenize" => {
            Some(Name::Detokenizations)
        }
        "/profiles/{profile}/tokens/{id}/cryptograms" => Some(Name::PaymentCredentials),
        _ => None,
    }
}

/// Whether a card becomes a token of the vault's own, if it is taken. What goes on to vendors has a limit of its own.
fn takes_a_card(method: &Method, route: &str) -> bool {
    method == Method::POST && matches!(route, "/tokens" | "/pci-tokens")
}

/// What a request could serve to guess, so that its failure counts.
fn guess(method: &Method, route: &str) -> Option<Name> {
    match (method, route) {
        (&Method::POST, "/tokens" | "/pci-tokens" | PASSING_ON) => Some(Name::RefusedCards),
        (&Method::POST, "/charges") => Some(Name::FailedCharges),
        // A customer may be made with a token.
        _ => (route.contains("{id}") || route == "/customers").then_some(Name::UnknownIds),
    }
}

fn failed(name: Name, response: &Response) -> bool {
    let code = response.extensions().get::<Code>();
    match name {
        Name::Address
        | Name::Detokenizations
        | Name::Key
        | Name::PassedSeals
        | Name::PaymentCredentials
        | Name::TokensByAddress
        | Name::TokensByKey => false,
        Name::FailedAuthentications => code == Some(&Code::AuthenticationFailure),
        Name::FailedCharges => {
            code == Some(&Code::NotFound) || response.extensions().get::<Declined>().is_some()
        }
        Name::RefusedCards => matches!(
            code,
            Some(
                Code::InvalidCard
                    | Code::InvalidSeal
                    | Code::ReplayedSeal
                    // Too many cards that begin and end alike.
                    | Code::TooManyRequests
                    | Code::VendorRefused
                    | Code::WrongMerchant
            )
        ),
        Name::UnknownIds => code == Some(&Code::NotFound),
        // The vault itself cannot tell that a card is wrong that it passes on.
        Name::VendorRefusals => matches!(code, Some(Code::InvalidCard | Code::VendorRefused)),
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

const fn what(name: Name) -> &'static str {
    match name {
        Name::Address => "too many requests from this address",
        Name::Detokenizations => "too many cards were shown to this key",
        Name::FailedAuthentications => "too many requests from this address had a wrong key",
        Name::FailedCharges => "too many charges with this key failed",
        Name::Key => "too many requests with this key",
        Name::PassedSeals => "too many cards from this address go to the vendor",
        Name::PaymentCredentials => "too many payments with vendors' tokens were asked for with this key",
        Name::RefusedCards => "too many cards from this address were refused",
        Name::TokensByAddress => "too many cards from this address",
        Name::TokensByKey => "too many cards with this key",
        Name::UnknownIds => "too many ids were asked for that there are not",
        Name::VendorRefusals => "the vendor refused too many cards of this key",
    }
}
