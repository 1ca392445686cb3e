//! The settings, from each of the places that they can be made in.

use std::io::Write;
use std::process::Output;

use tempfile::TempDir;

use crate::support::program::{Reply, Served, command, message};

/// A setting's key, a value as the file has it and as a flag does, and what is shown of it.
const SETTINGS: &[(&str, &str, &str, &str)] = &[
    ("data_dir", r#""/var/lib/vault""#, "/var/lib/vault", "/var/lib/vault"),
    ("kek", r#""file:/kek""#, "file:/kek", "file:/kek"),
    ("assets", r#"["/a", "/b"]"#, "/a,/b", "/a /b"),
    ("listen", r#""[::1]:443""#, "[::1]:443", "[::1]:443"),
    ("metrics_listen", r#""localhost:0""#, "localhost:0", "localhost:0"),
    ("tls_cert", r#""/c.pem""#, "/c.pem", "/c.pem"),
    ("tls_key", r#""/k.pem""#, "/k.pem", "/k.pem"),
    ("trusted_proxies", r#"["10.0.0.0/8", "::1"]"#, "10.0.0.0/8,::1", "10.0.0.0/8 ::1/128"),
    ("test_webhooks", r#""loopback""#, "loopback", "loopback"),
    ("shutdown_delay", r#""60s""#, "60s", "1m"),
    ("token_lifetime", r#""1h""#, "1h", "1h"),
    ("security_code_lifetime", r#""5m""#, "5m", "5m"),
    ("event_lifetime", r#""30d""#, "30d", "30d"),
    ("sealing_key_age", r#""7d""#, "7d", "7d"),
    ("data_key_age", r#""90d""#, "90d", "90d"),
    ("decrypt_only", r#""48h""#, "48h", "2d"),
    ("test_cards", r#""any""#, "any", "any"),
    ("log_format", r#""json""#, "json", "json"),
    ("audit_heads", r#""/mnt/log/heads""#, "/mnt/log/heads", "/mnt/log/heads"),
    ("limits.connections", "7", "7", "7"),
    ("limits.alike_by_merchant", "8", "8", "8"),
    ("limits.alike_by_network", "9", "9", "9"),
    ("limits.address", r#""1/h burst 7""#, "1/h burst 7", "1/h burst 7"),
    ("limits.key", r#""2/h burst 7""#, "2/h burst 7", "2/h burst 7"),
    ("limits.failed_authentications", r#""3/h burst 7""#, "3/h burst 7", "3/h burst 7"),
    ("limits.refused_cards", r#""4/h burst 7""#, "4/h burst 7", "4/h burst 7"),
    ("limits.failed_charges", r#""5/h burst 7""#, "5/h burst 7", "5/h burst 7"),
    ("limits.detokenizations", r#""8/h burst 7""#, "8/h burst 7", "8/h burst 7"),
    ("limits.passed_seals", r#""9/h burst 7""#, "9/h burst 7", "9/h burst 7"),
    ("limits.vendor_refusals", r#""10/h burst 7""#, "10/h burst 7", "10/h burst 7"),
    ("limits.payment_credentials", r#""9/h burst 7""#, "9/h burst 7", "9/h burst 7"),
    ("limits.tokens_by_address", r#""9/h burst 7""#, "9/h burst 7", "9/h burst 7"),
    ("limits.tokens_by_key", r#""1/m burst 7""#, "1/m burst 7", "1/m burst 7"),
    ("limits.unknown_ids", r#""6/h burst 7""#, "6/h burst 7", "6/h burst 7"),
];

struct Checked(Output);

impl Checked {
    fn of(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self(
            command(&[&["config", "check"], arguments].concat())
                .envs(variables.iter().copied())
                .output()
                .unwrap(),
        )
    }

    /// What is shown of a setting, and where it is from.
    fn setting(&self, key: &str) -> (String, String) {
        assert!(self.0.status.success(), "{:?}", self.0);
        let text = std::str::from_utf8(&self.0.stdout).unwrap();
        let rows: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect::<Vec<_>>())
            .filter(|cells| cells[0] == key)
            .collect();
        let values: Vec<&str> = rows.iter().map(|row| row[1]).collect();
        (values.join(" "), rows[0][2].to_owned())
    }

    fn error(&self) -> &str {
        assert!(!self.0.status.success(), "{:?}", self.0);
        std::str::from_utf8(&self.0.stderr).unwrap()
    }
}

fn file(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.toml");
    crate::support::write_secret(&path, text);
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

/// The file with every setting, each on the line after the one before.
fn whole_file() -> String {
    let mut file = String::new();
    for (key, value, ..) in SETTINGS {
        match key.strip_prefix("limits.") {
            Some(key) if file.contains("[limits]") => file.push_str(&format!("{key} = {value}\n")),
            Some(key) => file.push_str(&format!("[limits]\n{key} = {value}\n")),
            None => file.push_str(&format!("{key} = {value}\n")),
        }
    }
    file
}

#[test]
fn every_setting_can_be_made_in_each_place() {
    let (_folder, path) = file(&whole_file());
    let checked = Checked::of(&["--config", &path], &[]);
    for (key, .., shown) in SETTINGS {
        let (value, origin) = checked.setting(key);
        assert_eq!(value, *shown, "{key}");
        let line: usize = origin.strip_prefix(&format!("{path}:")).unwrap().parse().unwrap();
        let last = key.rsplit('.').next().unwrap();
        assert!(whole_file().lines().nth(line - 1).unwrap().starts_with(&format!("{last} = ")), "{origin}");
    }

    let variable = |key: &str| format!("CARDSEAL_{}", key.replace('.', "_").to_uppercase());
    let variables: Vec<_> = SETTINGS.iter().map(|(key, _, text, _)| (variable(key), *text)).collect();
    let variables: Vec<_> = variables.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let checked = Checked::of(&[], &variables);
    for (key, .., shown) in SETTINGS {
        assert_eq!(checked.setting(key), ((*shown).to_owned(), variable(key)));
    }

    let flag = |key: &str| format!("--{}", key.replace(['.', '_'], "-"));
    let flags: Vec<_> =
        SETTINGS.iter().flat_map(|(key, _, text, _)| [flag(key), (*text).to_owned()]).collect();
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let checked = Checked::of(&flags, &[]);
    for (key, .., shown) in SETTINGS {
        assert_eq!(checked.setting(key), ((*shown).to_owned(), flag(key)));
    }
    // And those are all.
    let help = String::from_utf8(command(&["serve", "--help"]).output().unwrap().stdout).unwrap();
    // The file itself, and the two other ways to say where the database is.
    assert_eq!(help.matches("[env: CARDSEAL_").count(), SETTINGS.len() + 3, "{help}");
    assert!(help.contains("[env: CARDSEAL_CONFIG"), "{help}");
}

#[test]
fn the_help_tells_the_true_defaults() {
    let help = String::from_utf8(command(&["serve", "--help"]).output().unwrap().stdout).unwrap();
    let checked = Checked::of(&["--data-dir", "/d"], &[]);
    let mut told = 0;
    for (key, ..) in SETTINGS {
        let (_, rest) = help.split_once(&format!("--{} <", key.replace(['.', '_'], "-"))).unwrap();
        let about = rest.split("\n      --").next().unwrap();
        let Some((_, default)) = about.split_once("[default: ") else { continue };
        let default = default.split(']').next().unwrap();
        let default = default.replace("the file kek in the data folder", "file:/d/kek");
        assert_eq!(checked.setting(key), (default, "default".to_owned()), "{key}");
        told += 1;
    }
    assert!(told > 10, "{told}");
}

#[test]
fn vendors_are_in_the_file() {
    let text = r#"
[vendors.omise.test]
vault_url = "http://127.0.0.1:1/"

[vendors.payment_options.live]
url = "https://api.paymentoptions.com"

[vendors.thales_pci.live]
url = "https://thales.example/tsh-cof"
sealing_cert = "/s.pem"
sealing_kid = "1234"
client_cert = "/c.pem"
client_key = "pkcs11:token=cards;object=pci?module-path=/m.so&pin-source=file:/pin"

[callbacks]
listen = "127.0.0.1:4443"
tls_cert = "/t.pem"
tls_key = "/tk.pem"

[callbacks.thales_d1]
client_authority = "/a.pem"
client_subject = "d1.thales.example"
client_id = "thales"
client_secret = "s3cret"

[callbacks.thales_pci]
client_authority = "/p.pem"
client_subject = "etp.thales.example"
"#;
    let (_folder, path) = file(text);
    let checked = Checked::of(&["--config", &path, "--data-dir", "/d"], &[]);
    for (key, value, origin) in [
        ("vendors.omise.test.vault_url", "http://127.0.0.1:1", format!("{path}:3")),
        ("vendors.omise.test.api_url", "https://api.omise.co", "default".into()),
        ("vendors.payment_options.live.url", "https://api.paymentoptions.com", format!("{path}:6")),
        ("vendors.thales_pci.live.sealing_kid", "1234", format!("{path}:11")),
        ("vendors.thales_pci.live.tokens_path", "/pci-tokens", "default".into()),
        ("callbacks.listen", "127.0.0.1:4443", format!("{path}:16")),
        ("callbacks.thales_d1.client_subject", "d1.thales.example", format!("{path}:22")),
        ("callbacks.thales_d1.client_id", "thales", format!("{path}:23")),
        ("callbacks.thales_pci.path", "/tsh-cof/notify-token-update", "default".into()),
    ] {
        assert_eq!(checked.setting(key), (value.to_owned(), origin), "{key}");
    }
    assert!(checked.setting("vendors.thales_pci.live.client_key").0.starts_with("pkcs11:"));
    assert!(!String::from_utf8_lossy(&checked.0.stdout).contains("s3cret"));
    for (text, words) in [
        ("[vendors.visa]", ":1: vendors.visa: unknown field `visa`"),
        ("[vendors.omise]\nurl = 1", "vendors.omise"),
        (
            "[vendors.omise.test]\nvault_url = \"http://omise.example\"",
            ":2: vendors.omise.test.vault_url: a vendor's address is https://",
        ),
        ("[vendors.thales_pci.test]\nurl = \"https://a\"", "missing field"),
        ("[callbacks]\nlisten = \"a:1\"", "missing field"),
        (
            "[callbacks]\nlisten = \"a:1\"\ntls_cert = \"a\"\ntls_key = \"a\"\n[callbacks.thales_d1]\nclient_authority = \"a\"\nclient_subject = \"a\"\nclient_id = \"a\"",
            "client_id and client_secret belong together",
        ),
        ("[callbacks]\nlisten = \"a:1\"\ntls_cert = \"a\"\ntls_key = \"a\"", "nobody may tell anything"),
        (
            "[callbacks]\nlisten = \"a:1\"\ntls_cert = \"a\"\ntls_key = \"a\"\n[callbacks.thales_pci]\nclient_authority = \"a\"\nclient_subject = \"a\"\npath = \"/oauth2/token\"",
            "thales_pci.path is where access tokens are asked for",
        ),
    ] {
        let (_folder, path) = file(text);
        let checked = Checked::of(&["--config", &path, "--data-dir", "/d"], &[]);
        assert!(checked.error().contains(words), "{text}: {}", checked.error());
    }
}

#[test]
fn flags_come_before_variables_and_those_before_the_file() {
    let (_folder, path) = file(
        "data_dir = \"/file\"\nlisten = \"file:1\"\nshutdown_delay = \"1s\"\n[limits]\nconnections = 1\n",
    );
    let variables =
        [("CARDSEAL_LISTEN", "variable:2"), ("CARDSEAL_SHUTDOWN_DELAY", "2s"), ("CARDSEAL_CONFIG", &path)];
    let checked = Checked::of(&["--shutdown-delay", "3s"], &variables);
    for (key, value, origin) in [
        ("data_dir", "/file", format!("{path}:1")),
        ("listen", "variable:2", "CARDSEAL_LISTEN".into()),
        ("shutdown_delay", "3s", "--shutdown-delay".into()),
        ("log_format", "text", "default".into()),
        ("limits.connections", "1", format!("{path}:5")),
    ] {
        assert_eq!(checked.setting(key), (value.to_owned(), origin));
    }
}

#[test]
fn what_is_wrong_in_the_file_is_told_with_its_line_and_key() {
    for (text, words) in [
        ("listn = \"a:1\"", ":1: listn: unknown field `listn`, expected one of"),
        ("\n\nlisten = 4242", ":3: listen: invalid type: integer `4242`, expected a string"),
        ("listen = \"4242\"", ":1: listen: an address is a host and a port, such as 127.0.0.1:4242"),
        ("shutdown_delay = \"1 hour\"", "shutdown_delay: a period is a number and one of s, m, h and d"),
        ("shutdown_delay = \"1h\"", "shutdown_delay: it is from 0s to 5m"),
        ("log_format = \"xml\"", "log_format: the log is written as text or json"),
        ("assets = \"/a\"", "assets: invalid type: string"),
        ("assets = [\n\"/a\",\n7,\n]", ":3: assets: invalid type: integer `7`"),
        ("[limits]\nconnections = 0", ":2: limits.connections: it is a whole number from 1 to 1000000"),
        ("[limits]\nconnections = \"many\"", ":2: limits.connections: invalid type: string \"many\""),
        ("[limits]\nconnection = 1", ":2: limits.connection: unknown field `connection`, expected"),
        ("limits = 7", ":1: limits: invalid type"),
        ("[limit]", ":1: limit: unknown field `limit`"),
        ("config = \"/a\"", ":1: config: unknown field"),
        ("listen = \"a:1\"\nlisten = \"a:2\"", ":2: duplicate key"),
        ("listen = a:1", ":1: "),
        ("listen", ":1: "),
    ] {
        let (_folder, path) = file(text);
        let checked = Checked::of(&["--config", &path, "--data-dir", "/d"], &[]);
        let error = checked.error();
        assert!(
            error.starts_with(&format!("cardseal-vault: {path}:")) && error.contains(words),
            "{text}: {error}"
        );
    }
    let missing = Checked::of(&["--config", "/no/such/file", "--data-dir", "/d"], &[]);
    assert!(missing.error().contains("the file /no/such/file cannot be read"));
}

#[test]
fn what_is_wrong_elsewhere_is_told_with_its_key() {
    for (arguments, variables, words) in [
        (&["--listen", "4242"][..], &[][..], "'--listen <ADDR>': an address is"),
        (&[], &[("CARDSEAL_SHUTDOWN_DELAY", "1h")], "'--shutdown-delay <PERIOD>': it is from 0s to 5m"),
        (
            &[],
            &[("CARDSEAL_LIMITS_CONNECTIONS", "0")],
            "'--limits-connections <NUMBER>': it is a whole number",
        ),
        (
            &[],
            &[],
            "nothing says where the database is: give --data-dir (CARDSEAL_DATA_DIR, data_dir in the file)",
        ),
        (
            &["--data-dir", "/d", "--database-url", "postgres://a:s3cret@127.0.0.1/c"],
            &[],
            "--data-dir and --database-url each say where",
        ),
        (
            &["--data-dir", "/d"],
            &[("CARDSEAL_DATABASE_URL_FILE", "/f")],
            "--data-dir and CARDSEAL_DATABASE_URL_FILE each say where",
        ),
        (&["--database-url", "postgre://a:s3cret@b/c"], &[], "what --database-url says is not the address"),
        (&["--database-url-file", "/no/file"], &[], "the file /no/file cannot be read"),
        (
            &["--database-url", "postgres://a:s3cret@127.0.0.1/c"],
            &[],
            "kek is missing, which --database-url needs: give --kek, CARDSEAL_KEK, or kek in the file",
        ),
        (&["--security-code-lifetime", "16m"], &[], "it is from 1s to 15m"),
        (
            &["--data-dir", "/d"],
            &[("CARDSEAL_TLS_KEY", "/k")],
            "tls_cert is missing, which CARDSEAL_TLS_KEY needs",
        ),
    ] {
        let checked = Checked::of(arguments, variables);
        assert!(checked.error().contains(words), "{}", checked.error());
        assert!(!checked.error().contains("s3cret"), "{}", checked.error());
    }
}

#[test]
fn the_password_of_a_database_is_never_shown() {
    const URL: &str = "postgres://vault:s3cret@db.example/cards?password=s3cret&sslmode=verify-full";
    let (_folder, secret) = file(URL);
    let from_file = |text: String| {
        let (folder, path) = file(&text);
        (folder, Checked::of(&["--config", &path, "--kek", "file:/kek"], &[]))
    };
    let (_a, in_file) = from_file(format!("database_url = \"{URL}\""));
    let (_b, by_file) = from_file(format!("database_url_file = \"{secret}\""));
    for checked in [
        Checked::of(&["--database-url", URL, "--kek", "file:/kek"], &[]),
        Checked::of(&["--kek", "file:/kek"], &[("CARDSEAL_DATABASE_URL", URL)]),
        in_file,
        by_file,
    ] {
        assert_eq!(checked.setting("database_url").0, "postgres://db.example/cards");
        assert!(!String::from_utf8_lossy(&checked.0.stdout).contains("s3cret"));
    }
    for text in [
        format!("database_url = [\"{URL}\"]"),
        format!("database_url = \"{URL}"),
        format!("database_url = {URL}"),
    ] {
        let (_folder, checked) = from_file(text);
        assert!(!checked.error().contains("s3cret"), "{}", checked.error());
    }
    let help = command(&["serve", "--help"]).env("CARDSEAL_DATABASE_URL", URL).output().unwrap();
    assert!(!String::from_utf8_lossy(&help.stdout).contains("s3cret"));
}

#[test]
fn a_vault_serves_as_its_file_says() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let path = outer.path().join("vault.toml");
    std::fs::write(&path, "log_format = \"json\"\nshutdown_delay = \"5m\"\n").unwrap();
    let vault = Served::start_with(&dir, &["--config", path.to_str().unwrap()]);
    vault.signal("TERM");
    wait_for(&vault, "\"message\":\"stopping\"");
    // It still takes new connections, until it is told once more.
    let mut stream = vault.connect();
    stream.write_all(message("GET", "/livez", "", "", "").as_bytes()).unwrap();
    assert_eq!(Reply::read(&mut stream).status, 200);
    vault.signal("TERM");
    assert!(vault.wait().0.success());
}

fn wait_for(vault: &Served, words: &str) {
    while !vault.log().contains(words) {
        std::thread::yield_now();
    }
}
