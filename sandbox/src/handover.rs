//! What the vendors hand over when a client begins, as files in a folder; with the tables of a vault's file that name them,
//! `vendors.toml`, and what each vendor knows the vault's merchant by, `account-NAME.toml`.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use crate::Sandbox;
use crate::certificates::{Authority, Identity};

/// Writes them. `control` is where the stand-ins are told how to answer.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path, sandbox: &Sandbox, control: &str) -> Result<()> {
    // A client refuses keys that others could read or replace.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("making {}", folder.display()))?;
    let file = |name: &str, text: &[u8]| {
        let open =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(folder.join(name));
        open.and_then(|mut file| file.write_all(text)).with_context(|| format!("writing {name}"))
    };
    let identity = |name: &str, Identity { certificate, key }: &Identity| {
        file(&format!("{name}-client.pem"), certificate.as_bytes())?;
        file(&format!("{name}-client-key.pem"), key.as_bytes())
    };
    let (pci, d1) = (&sandbox.thales_pci.credentials, &sandbox.thales_d1.credentials);
    file("thales-pci-authority.pem", pci.authority.as_bytes())?;
    file("thales-pci-sealing.pem", pci.certificate.as_bytes())?;
    file("thales-pci-own-key.der", &pci.own_key)?;
    identity("thales-pci", &pci.client)?;
    file("thales-d1-authority.pem", d1.authority.as_bytes())?;
    file("thales-d1-sealing.json", d1.sealing_key.to_string().as_bytes())?;
    file("thales-d1-signing-key.der", &d1.signing_key)?;
    identity("thales-d1", &d1.client)?;
    // For a client's server that Thales tells of changes: its certificate, and whose certificates it lets in.
    let receiver = Authority::new("Sandbox's receivers")?;
    let Identity { certificate, key } = receiver.server()?;
    file("callbacks-authority.pem", receiver.certificate().as_bytes())?;
    file("callbacks.pem", certificate.as_bytes())?;
    file("callbacks-key.pem", key.as_bytes())?;
    // Who signs the certificates that they tell of changes with, as `sandbox-d1` and `sandbox-etp`.
    file("callbacks-thales-d1.pem", d1.authority.as_bytes())?;
    file("callbacks-thales-pci.pem", pci.authority.as_bytes())?;
    file("vendors.toml", tables(folder, sandbox).as_bytes())?;
    for (name, account) in accounts(sandbox) {
        file(&format!("account-{name}.toml"), account.as_bytes())?;
    }
    file("sandbox.json", summary(sandbox, control).as_bytes())
}

/// The tables of a vault's file that lead its test merchants here.
fn tables(folder: &Path, sandbox: &Sandbox) -> String {
    let Sandbox { omise, payment_options, thales_d1, thales_pci } = sandbox;
    let path = |name| folder.join(name).display().to_string();
    format!(
        r#"[vendors.omise.test]
api_url = "{omise}"
vault_url = "{omise}"

[vendors.payment_options.test]
url = "{payment_options}"

[vendors.thales_d1.test]
url = "{thales_d1}"
gateway = "{gateway}"
signing_key = "{signing_key}"
signing_kid = "{signing_kid}"
sealing_keys = "{d1_sealing}"
authority = "{d1_authority}"
client_cert = "{d1_cert}"
client_key = "{d1_key}"

[vendors.thales_pci.test]
url = "{thales_pci}/tsh-cof"
detokenize_path = "/pci-tokens/{{token}}/detokenize"
sealing_cert = "{pci_sealing}"
sealing_kid = "{pci_kid}"
authority = "{pci_authority}"
client_cert = "{pci_cert}"
client_key = "{pci_key}"
"#,
        omise = omise.server.url(),
        payment_options = payment_options.server.url(),
        thales_d1 = thales_d1.server.url(),
        gateway = thales_d1.credentials.merchant_gateway_id,
        signing_key = path("thales-d1-signing-key.der"),
        signing_kid = thales_d1.credentials.signing_kid,
        d1_sealing = path("thales-d1-sealing.json"),
        d1_authority = path("thales-d1-authority.pem"),
        d1_cert = path("thales-d1-client.pem"),
        d1_key = path("thales-d1-client-key.pem"),
        thales_pci = thales_pci.server.url(),
        pci_sealing = path("thales-pci-sealing.pem"),
        pci_kid = thales_pci.credentials.kid,
        pci_authority = path("thales-pci-authority.pem"),
        pci_cert = path("thales-pci-client.pem"),
        pci_key = path("thales-pci-client-key.pem"),
    )
}

/// What each vendor knows its merchant by. Charges are not sent anywhere by it.
fn accounts(sandbox: &Sandbox) -> [(&'static str, String); 4] {
    let Sandbox { omise, payment_options, thales_d1, thales_pci } = sandbox;
    let (omise, payment_options) = (&omise.credentials, &payment_options.credentials);
    let (thales_d1, thales_pci) = (&thales_d1.credentials, &thales_pci.credentials);
    [
        ("omise", format!("public_key = \"{}\"\nsecret_key = \"{}\"\n", omise.public_key, omise.secret_key)),
        (
            "payment-options",
            format!(
                "merchant_id = \"{}\"\napi_key = \"{}\"\n",
                payment_options.merchant_id, payment_options.api_key
            ),
        ),
        ("thales-d1", format!("merchant_id = \"{}\"\n", thales_d1.merchant_id)),
        (
            "thales-pci",
            format!("merchant_id = \"{}\"\napi_key = \"{}\"\n", thales_pci.merchant_id, thales_pci.api_key),
        ),
    ]
}

/// Everything by name, for programs.
fn summary(sandbox: &Sandbox, control: &str) -> String {
    let (pci, d1) = (&sandbox.thales_pci.credentials, &sandbox.thales_d1.credentials);
    let (omise, payment_options) = (&sandbox.omise.credentials, &sandbox.payment_options.credentials);
    let summary = json!({
        "control": control,
        "omise": {
            "url": sandbox.omise.server.url(),
            "public_key": omise.public_key,
            "secret_key": omise.secret_key,
        },
        "payment-options": {
            "url": sandbox.payment_options.server.url(),
            "merchant_id": payment_options.merchant_id,
            "api_key": payment_options.api_key,
        },
        "thales-d1": {
            "url": sandbox.thales_d1.server.url(),
            "merchant_gateway_id": d1.merchant_gateway_id,
            "merchant_id": d1.merchant_id,
            "signing_kid": d1.signing_kid,
        },
        "thales-pci": {
            "url": sandbox.thales_pci.server.url(),
            "merchant_id": pci.merchant_id,
            "api_key": pci.api_key,
            "kid": pci.kid,
            "own_kid": pci.own_kid,
        },
    });
    format!("{summary:#}\n")
}
