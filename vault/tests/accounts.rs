//! Merchants' accounts with vendors.

use cardseal::client::Profile;

use crate::support::Asked;
use crate::support::program::{add_merchant, run, run_with_input};
use crate::support::vendors::Vendors;

#[tokio::test]
async fn charges_go_to_one_vendor() {
    let vendors = Vendors::start().await;
    let asked = Asked::reaching(&vendors).await;
    let account = asked.merchant().await;
    let merchant = asked.holder(&account).await;
    vendors.connect(&asked, &account, Profile::Omise).await;
    assert!(asked.vault.charging_account(&merchant).await.unwrap().is_none());
    vendors.connect_for_charges(&asked, &account, Profile::PaymentOptions).await;
    let charging = asked.vault.charging_account(&merchant).await.unwrap().unwrap();
    assert_eq!(charging.profile(), Profile::PaymentOptions);
}

#[test]
fn a_merchant_is_connected_and_disconnected_and_no_secret_shown() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    add_merchant(&dir);
    let dir = dir.to_str().unwrap();
    let list = || String::from_utf8(run(&["merchant", "list", "--data-dir", dir]).stdout).unwrap();
    let merchant = list().split_whitespace().find(|word| word.starts_with("mrch_")).unwrap().to_owned();
    let connect = |vendor, text: &str| {
        let arguments = ["merchant", "connect", "--data-dir", dir, "--merchant", &merchant];
        run_with_input(&[&arguments[..], &["--vendor", vendor, "--account", "-"]].concat(), text)
    };
    let charging = "merchant_id = \"shop\"\napi_key = \"s3cret\"\ntakes_charges = true\n";
    let output = connect("payment-options", charging);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("takes its charges"));
    // Once more, as after the vendor gave a new key.
    assert!(connect("payment-options", charging).status.success());
    assert!(connect("thales-d1", "merchant_id = \"shop\"\n").status.success());
    assert!(list().contains("payment-options thales-d1"), "{}", list());

    for (vendor, text, words) in [
        (
            "omise",
            "public_key = \"pkey_test_0\"\nsecret_key = \"s3cret\"\ntakes_charges = true\n",
            "charges go to",
        ),
        ("omise", "public_key = \"pkey_live_0\"\nsecret_key = \"s3cret\"\n", "holds no account"),
        ("thales-pci", "merchant_id = \"shop\"\napi_key = \"s3cret s3cret\"\n", "holds no account"),
        ("thales-pci", "merchant_id = \"shop\"\napi_key = s3cret\n", "holds no account"),
        ("cardseal", "", "a vendor is"),
    ] {
        let output = connect(vendor, text);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(words), "{vendor}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }

    let disconnect = |vendor| {
        run(&["merchant", "disconnect", "--data-dir", dir, "--merchant", &merchant, "--vendor", vendor])
    };
    assert!(disconnect("payment-options").status.success());
    assert!(!disconnect("payment-options").status.success());
    assert!(!list().contains("payment-options"));
    let verified = run(&["audit", "verify", "--data-dir", dir]);
    assert!(verified.status.success(), "{verified:?}");
}
