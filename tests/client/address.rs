use cardseal::client::{BadAddress, VaultAddress};

#[test]
fn an_address_is_https_host_or_host_and_port() {
    for text in [
        "https://vault.example",
        "https://vault.example:8443",
        "https://vault.example:443",
        "https://VAULT.Example",
        "https://xn--fsqu00a.xn--0zwm56d",
        "https://vault",
        "https://10.0.0.1:1",
        "https://[2001:db8::1]",
        "https://[2001:db8::1]:65535",
        "https://localhost:4242",
    ] {
        assert_eq!(VaultAddress::parse(text).map(|address| address.as_str().to_owned()), Ok(text.into()));
    }
}

#[test]
fn an_address_is_http_only_on_this_machine() {
    for text in [
        "http://localhost",
        "http://localhost:4242",
        "http://127.0.0.1:4242",
        "http://[::1]:4242",
        "http://[::1]",
    ] {
        assert!(VaultAddress::parse(text).is_ok(), "{text}");
    }
    for text in [
        "http://vault.example",
        "http://localhost.example",
        "http://127.0.0.2",
        "http://127.0.0.1.example",
        "http://0.0.0.0",
        "http://[::2]",
        "http://[::ffff:127.0.0.1]",
        "http://10.0.0.1",
    ] {
        assert_eq!(VaultAddress::parse(text), Err(BadAddress::Insecure), "{text}");
    }
}

#[test]
fn an_address_may_end_in_one_slash_which_is_dropped() {
    let address = VaultAddress::parse("https://vault.example:8443/").unwrap();
    assert_eq!(address.as_str(), "https://vault.example:8443");
}

#[test]
fn an_address_is_nothing_more_and_nothing_less() {
    for text in [
        "",
        "/",
        "vault.example",
        "//vault.example",
        "https:",
        "https:/vault.example",
        "https://",
        "https:///",
        "https://:443",
        "https://vault.example//",
        "https://vault.example/v1",
        "https://vault.example/?a",
        "https://vault.example?a=b",
        "https://vault.example#a",
        "https://user@vault.example",
        "https://user:password@vault.example",
        "https://vault.example@evil.example",
        "https://vault.example:",
        "https://vault.example:/",
        "https://vault.example:0",
        "https://vault.example:65536",
        "https://vault.example:+443",
        "https://vault.example:-1",
        "https://vault.example:44 3",
        "https://vault.example:443:443",
        "https://vault.example:https",
        "https://vault example",
        " https://vault.example",
        "https://vault.example ",
        "https://vault.example\n",
        "https://vault.example\\evil",
        "https://vault.example%2f",
        "https://*.example",
        "https://金庫.example",
        "https://2001:db8::1",
        "https://[2001:db8::1",
        "https://2001:db8::1]",
        "https://[vault.example]",
        "https://[::1%25eth0]",
        "https://[]",
        "HTTPS://vault.example",
        "ftp://vault.example",
        "ws://vault.example",
        "javascript://vault.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://https://vault.example",
    ] {
        assert_eq!(VaultAddress::parse(text), Err(BadAddress::Malformed), "{text}");
    }
}
