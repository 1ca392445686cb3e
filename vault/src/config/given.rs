use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::place::Hidden;
use super::{
    Address, AlikeByMerchant, AlikeByNetwork, Callbacks, Connections, DataKeyAge, DecryptOnly, EventLifetime,
    SealingKeyAge, SecurityCodeLifetime, ShutdownDelay, TokenLifetime,
};
use crate::access::client::Proxy;
use crate::access::limit::{Limit, Name};
use crate::keys::kek::Source;
use crate::log::Format;
use crate::test_card::TestCards;
use crate::vendor;
use crate::webhook::Reach;

/// The settings that were given in some place: each a flag, an environment variable and a key of the file.
///
/// A setting's key is its field's name here. Its flag is the key with hyphens, `--tls-cert`; its variable the key in
/// capitals after `CARDSEAL_`. In a table's key the dot becomes a hyphen or an underscore, too: `limits.connections` is
/// `--limits-connections` and `CARDSEAL_LIMITS_CONNECTIONS`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Given {
    // The command line has these for every command, in `Place`.
    #[arg(skip)]
    pub(super) data_dir: Option<PathBuf>,
    #[arg(skip)]
    pub(super) database_url: Option<Hidden>,
    #[arg(skip)]
    pub(super) database_url_file: Option<PathBuf>,
    /// Where the key-encryption key is: file:PATH, env:NAME, pkcs11:…, shares:PATH,PATH or custodians:N
    /// [default: the file kek in the data folder]
    #[arg(long, env = "CARDSEAL_KEK", value_name = "SOURCE")]
    #[serde(deserialize_with = "text")]
    pub(super) kek: Option<Source>,
    /// Folder pkg/ of a release, for the card form; may be given again for older releases that pages still load
    #[arg(long, env = "CARDSEAL_ASSETS", value_name = "DIR", value_delimiter = ',')]
    pub(super) assets: Option<Vec<PathBuf>>,
    /// Host and port to listen on; port 0 for any free one [default: 127.0.0.1:4242]
    #[arg(long, env = "CARDSEAL_LISTEN", value_name = "ADDR")]
    #[serde(deserialize_with = "text")]
    pub(super) listen: Option<Address>,
    /// Host and port for /metrics and what else is for the operator alone: keep it off the network. None by default
    #[arg(long, env = "CARDSEAL_METRICS_LISTEN", value_name = "ADDR")]
    #[serde(deserialize_with = "text")]
    pub(super) metrics_listen: Option<Address>,
    /// Certificate chain (PEM), for TLS
    #[arg(long, env = "CARDSEAL_TLS_CERT", value_name = "FILE")]
    pub(super) tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, env = "CARDSEAL_TLS_KEY", value_name = "FILE")]
    pub(super) tls_key: Option<PathBuf>,
    /// Addresses and networks of proxies whose `X-Forwarded-For` tells where a request comes from, with commas between
    #[arg(long, env = "CARDSEAL_TRUSTED_PROXIES", value_name = "NETS", value_delimiter = ',')]
    pub(super) trusted_proxies: Option<Vec<Proxy>>,
    /// Where test merchants' webhooks may lead: public places, or loopback, this machine too, for a developer's own
    /// [default: public]
    #[arg(long, env = "CARDSEAL_TEST_WEBHOOKS", value_name = "REACH")]
    #[serde(deserialize_with = "text")]
    pub(super) test_webhooks: Option<Reach>,
    /// How long to go on serving after being told to stop, so that a load balancer notices first [default: 0s]
    #[arg(long, env = "CARDSEAL_SHUTDOWN_DELAY", value_name = "PERIOD")]
    #[serde(deserialize_with = "text")]
    pub(super) shutdown_delay: Option<ShutdownDelay>,
    /// How long a token can be used [default: 30m]
    #[arg(long, env = "CARDSEAL_TOKEN_LIFETIME", value_name = "PERIOD")]
    #[serde(deserialize_with = "text")]
    pub(super) token_lifetime: Option<TokenLifetime>,
    /// How long a security code is kept for the charge that is to follow [default: 15m]
    #[arg(long, env = "CARDSEAL_SECURITY_CODE_LIFETIME", value_name = "PERIOD")]
    #[serde(deserialize_with = "text")]
    pub(super) security_code_lifetime: Option<SecurityCodeLifetime>,
    /// How long events are kept, and that a token was used [default: 90d]
    #[arg(long, env = "CARDSEAL_EVENT_LIFETIME", value_name = "PERIOD")]
    #[serde(deserialize_with = "text")]
    pub(super) event_lifetime: Option<EventLifetime>,
    /// How old a sealing key gets before the next takes over [default: 90d]
    #[arg(long, env = "CARDSEAL_SEALING_KEY_AGE", value_name = "PERIOD")]
    #[serde(deserialize_with = "text")]
    pub(super) sealing_key_age: Option<SealingKeyAge>,
    /// How old a data key gets before the next takes over [default: 365d]
    #[arg(long, env = "CARDSEAL_DATA_KEY_AGE", value_name = "PERIOD")]
    #[serde(deserialize_with = "text")]
    pub(super) data_key_age: Option<DataKeyAge>,
    /// How long a sealing key that is no longer active opens seals [default: 1d]
    #[arg(long, env = "CARDSEAL_DECRYPT_ONLY", value_name = "PERIOD")]
    #[serde(deserialize_with = "text")]
    pub(super) decrypt_only: Option<DecryptOnly>,
    /// Which cards test keys take: those that are published for tests, or any [default: published]
    #[arg(long, env = "CARDSEAL_TEST_CARDS", value_name = "CARDS")]
    #[serde(deserialize_with = "text")]
    pub(super) test_cards: Option<TestCards>,
    /// How the log is written, text or json [default: text]
    #[arg(long, env = "CARDSEAL_LOG_FORMAT", value_name = "FORMAT")]
    #[serde(deserialize_with = "text")]
    pub(super) log_format: Option<Format>,
    /// File that each change appends the audit's new head to, so that nobody can cut the audit unseen. On another
    /// machine, if you can; the log has the heads too
    #[arg(long, env = "CARDSEAL_AUDIT_HEADS", value_name = "FILE")]
    pub(super) audit_heads: Option<PathBuf>,
    /// In the file only: what there is to say of a vendor is too much for a flag.
    #[arg(skip)]
    pub(super) vendors: vendor::settings::Settings,
    #[arg(skip)]
    pub(super) callbacks: Option<Callbacks>,
    #[command(flatten)]
    pub(super) limits: GivenLimits,
}

/// The table `limits`. A rate is written as `200/s burst 1000`, with `s`, `m` or `h`, or as `off`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GivenLimits {
    /// Most connections at a time; beyond, the client with most of them loses one that is idle [default: 4096]
    #[arg(
        long = "limits-connections",
        id = "limits.connections",
        env = "CARDSEAL_LIMITS_CONNECTIONS",
        value_name = "NUMBER"
    )]
    pub(super) connections: Option<Connections>,
    /// Different card numbers of one merchant that begin and end alike, in a day [default: 10]
    #[arg(
        long = "limits-alike-by-merchant",
        id = "limits.alike_by_merchant",
        env = "CARDSEAL_LIMITS_ALIKE_BY_MERCHANT",
        value_name = "NUMBER"
    )]
    pub(super) alike_by_merchant: Option<AlikeByMerchant>,
    /// Different card numbers from one network that begin and end alike, in a day [default: 5]
    #[arg(
        long = "limits-alike-by-network",
        id = "limits.alike_by_network",
        env = "CARDSEAL_LIMITS_ALIKE_BY_NETWORK",
        value_name = "NUMBER"
    )]
    pub(super) alike_by_network: Option<AlikeByNetwork>,
    /// Requests from one client [default: 200/s burst 1000]
    #[arg(
        long = "limits-address",
        id = "limits.address",
        env = "CARDSEAL_LIMITS_ADDRESS",
        value_name = "RATE"
    )]
    pub(super) address: Option<Limit>,
    /// Requests with one key [default: 1000/s burst 4000]
    #[arg(long = "limits-key", id = "limits.key", env = "CARDSEAL_LIMITS_KEY", value_name = "RATE")]
    pub(super) key: Option<Limit>,
    /// Requests from one client with a key that is none [default: 60/m burst 120]
    #[arg(
        long = "limits-failed-authentications",
        id = "limits.failed_authentications",
        env = "CARDSEAL_LIMITS_FAILED_AUTHENTICATIONS",
        value_name = "RATE"
    )]
    pub(super) failed_authentications: Option<Limit>,
    /// Cards of one key and client that are refused [default: 60/m burst 120]
    #[arg(
        long = "limits-refused-cards",
        id = "limits.refused_cards",
        env = "CARDSEAL_LIMITS_REFUSED_CARDS",
        value_name = "RATE"
    )]
    pub(super) refused_cards: Option<Limit>,
    /// Cards shown in the clear to one key [default: 60/m burst 120]
    #[arg(
        long = "limits-detokenizations",
        id = "limits.detokenizations",
        env = "CARDSEAL_LIMITS_DETOKENIZATIONS",
        value_name = "RATE"
    )]
    pub(super) detokenizations: Option<Limit>,
    /// Payments with vendors' tokens of one key [default: 300/m burst 600]
    #[arg(
        long = "limits-payment-credentials",
        id = "limits.payment_credentials",
        env = "CARDSEAL_LIMITS_PAYMENT_CREDENTIALS",
        value_name = "RATE"
    )]
    pub(super) payment_credentials: Option<Limit>,
    /// Charges of one key that fail [default: 120/m burst 300]
    #[arg(
        long = "limits-failed-charges",
        id = "limits.failed_charges",
        env = "CARDSEAL_LIMITS_FAILED_CHARGES",
        value_name = "RATE"
    )]
    pub(super) failed_charges: Option<Limit>,
    /// Sealed cards of one key and client that are passed on to a vendor [default: 10/s burst 120]
    #[arg(
        long = "limits-passed-seals",
        id = "limits.passed_seals",
        env = "CARDSEAL_LIMITS_PASSED_SEALS",
        value_name = "RATE"
    )]
    pub(super) passed_seals: Option<Limit>,
    /// Sealed cards of one key that a vendor refuses [default: 300/m burst 600]
    #[arg(
        long = "limits-vendor-refusals",
        id = "limits.vendor_refusals",
        env = "CARDSEAL_LIMITS_VENDOR_REFUSALS",
        value_name = "RATE"
    )]
    pub(super) vendor_refusals: Option<Limit>,
    /// Cards from one client that become tokens [default: 5/s burst 300]
    #[arg(
        long = "limits-tokens-by-address",
        id = "limits.tokens_by_address",
        env = "CARDSEAL_LIMITS_TOKENS_BY_ADDRESS",
        value_name = "RATE"
    )]
    pub(super) tokens_by_address: Option<Limit>,
    /// Cards with one key that become tokens [default: 50/s burst 3000]
    #[arg(
        long = "limits-tokens-by-key",
        id = "limits.tokens_by_key",
        env = "CARDSEAL_LIMITS_TOKENS_BY_KEY",
        value_name = "RATE"
    )]
    pub(super) tokens_by_key: Option<Limit>,
    /// Ids asked for by one key and client that there are not [default: 60/m burst 120]
    #[arg(
        long = "limits-unknown-ids",
        id = "limits.unknown_ids",
        env = "CARDSEAL_LIMITS_UNKNOWN_IDS",
        value_name = "RATE"
    )]
    pub(super) unknown_ids: Option<Limit>,
}

impl Given {
    /// These, and where they say nothing what `others` say.
    pub(super) fn or(self, others: Self) -> Self {
        Self {
            data_dir: self.data_dir.or(others.data_dir),
            database_url: self.database_url.or(others.database_url),
            database_url_file: self.database_url_file.or(others.database_url_file),
            kek: self.kek.or(others.kek),
            assets: self.assets.or(others.assets),
            listen: self.listen.or(others.listen),
            metrics_listen: self.metrics_listen.or(others.metrics_listen),
            tls_cert: self.tls_cert.or(others.tls_cert),
            tls_key: self.tls_key.or(others.tls_key),
            trusted_proxies: self.trusted_proxies.or(others.trusted_proxies),
            test_webhooks: self.test_webhooks.or(others.test_webhooks),
            shutdown_delay: self.shutdown_delay.or(others.shutdown_delay),
            token_lifetime: self.token_lifetime.or(others.token_lifetime),
            security_code_lifetime: self.security_code_lifetime.or(others.security_code_lifetime),
            event_lifetime: self.event_lifetime.or(others.event_lifetime),
            sealing_key_age: self.sealing_key_age.or(others.sealing_key_age),
            data_key_age: self.data_key_age.or(others.data_key_age),
            decrypt_only: self.decrypt_only.or(others.decrypt_only),
            test_cards: self.test_cards.or(others.test_cards),
            log_format: self.log_format.or(others.log_format),
            audit_heads: self.audit_heads.or(others.audit_heads),
            vendors: others.vendors,
            callbacks: others.callbacks,
            limits: self.limits.or(others.limits),
        }
    }
}

impl GivenLimits {
    fn or(self, others: Self) -> Self {
        Self {
            connections: self.connections.or(others.connections),
            alike_by_merchant: self.alike_by_merchant.or(others.alike_by_merchant),
            alike_by_network: self.alike_by_network.or(others.alike_by_network),
            address: self.address.or(others.address),
            key: self.key.or(others.key),
            failed_authentications: self.failed_authentications.or(others.failed_authentications),
            refused_cards: self.refused_cards.or(others.refused_cards),
            detokenizations: self.detokenizations.or(others.detokenizations),
            payment_credentials: self.payment_credentials.or(others.payment_credentials),
            failed_charges: self.failed_charges.or(others.failed_charges),
            passed_seals: self.passed_seals.or(others.passed_seals),
            vendor_refusals: self.vendor_refusals.or(others.vendor_refusals),
            tokens_by_address: self.tokens_by_address.or(others.tokens_by_address),
            tokens_by_key: self.tokens_by_key.or(others.tokens_by_key),
            unknown_ids: self.unknown_ids.or(others.unknown_ids),
        }
    }

    /// Those on rates, by name.
    pub(super) const fn rates(&self) -> [(Name, Option<Limit>); 12] {
        [
            (Name::Address, self.address),
            (Name::Key, self.key),
            (Name::FailedAuthentications, self.failed_authentications),
            (Name::RefusedCards, self.refused_cards),
            (Name::Detokenizations, self.detokenizations),
            (Name::PaymentCredentials, self.payment_credentials),
            (Name::FailedCharges, self.failed_charges),
            (Name::PassedSeals, self.passed_seals),
            (Name::VendorRefusals, self.vendor_refusals),
            (Name::TokensByAddress, self.tokens_by_address),
            (Name::TokensByKey, self.tokens_by_key),
            (Name::UnknownIds, self.unknown_ids),
        ]
    }
}

/// A value that the file has as a string, in the same form as a flag.
fn text<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<Option<T>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}
