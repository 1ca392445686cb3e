//! The examples that are typed into a shell.

use std::env;
use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use cardseal_e2e::{Stage, TestCard, visit};
use serde_json::{Value, json};

use crate::project::{Project, succeeds};
use crate::shop::{Example, Shop};
use crate::snippets::{Kind, Snippet};
use crate::values::Values;
use crate::{program, root};

/// The command with the reader's own folders, tokens and keys; each block has a merchant of its own.
fn command(stage: &Stage, snippet: &Snippet) -> Result<String> {
    let values = Values::of_new_merchant(stage)?;
    let mut text = values.fill(&snippet.text)?;
    if text.contains("tokn_test_…") {
        text = text.replace("tokn_test_…", &values.token(TestCard::VISA.number)?);
    }
    Ok(text.replace("/var/lib/cardseal", stage.folder().join("vault").to_str().context("paths are text")?))
}

fn shell(commands: &str) -> Result<Command> {
    let programs = program("cardseal-vault")?;
    let mut path = programs.parent().map(Path::as_os_str).unwrap_or_default().to_owned();
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-euc", commands]).env("PATH", path).current_dir(root());
    Ok(shell)
}

#[tokio::test]
async fn every_command_does_what_it_is_there_for() -> Result<()> {
    let stage = Stage::set()?;
    let mut tried = 0;
    for snippet in Snippet::all()? {
        // The one with a sealed card needs a browser.
        if snippet.kind != Kind::Run || snippet.text.contains("$SEALED_CARD") {
            continue;
        }
        tried += 1;
        let printed = succeeds(&mut shell(&command(&stage, &snippet)?)?).with_context(|| snippet.place())?;
        let expected = match () {
            () if snippet.text.contains("/charges ") => "\"status\":\"successful\"",
            () if snippet.text.contains("/webhooks ") => "\"secret\":\"whsec_",
            () if snippet.text.contains("/customers ") => "\"object\":\"customer\"",
            () if snippet.text.contains("/openapi.json") => "\"openapi\":\"3.1.0\"",
            () if snippet.text.contains("/tokens/") => "\"charge_status\":\"unknown\"",
            () if snippet.text.contains("/readyz") => "\"status\":\"ok\"",
            () if snippet.text.contains("--live") => "pkey      pkey_",
            () if snippet.text.contains("merchant add") => "pkey      pkey_test_",
            () if snippet.text.contains("merchant origins") => "origin    https://www.shop.example",
            () if snippet.text.contains(" verify ") => "/v1/cardseal.js",
            () => "nothing that this test knows of",
        };
        ensure!(printed.contains(expected), "{}: {expected} is not in:\n{printed}", snippet.place());
    }
    assert!(tried >= 7, "only {tried} commands");
    Ok(())
}

/// Settings are settings, and accounts are taken.
#[tokio::test]
async fn vendors_are_set_up_as_it_is_said() -> Result<()> {
    let stage = Stage::set()?;
    let data = stage.folder().join("vault");
    let (mut settings, mut accounts) = (0, 0);
    for snippet in Snippet::all()? {
        let values = Values::of_new_merchant(&stage)?;
        let file = stage.folder().join("snippet.toml");
        std::fs::write(&file, values.fill(&snippet.text)?)?;
        let mut command = Command::new(program("cardseal-vault")?);
        match &snippet.kind {
            Kind::Vendors => {
                settings += 1;
                command.args(["config", "check", "--config"]).arg(&file);
            }
            Kind::Account(vendor) => {
                accounts += 1;
                let merchant = values.merchant().context("a new merchant has an id")?;
                command.args(["merchant", "connect", "--merchant", merchant, "--vendor", vendor]);
                command.arg("--account").arg(&file);
            }
            _ => continue,
        }
        succeeds(command.arg("--data-dir").arg(&data)).with_context(|| snippet.place())?;
    }
    assert!(settings >= 4 && accounts == 4, "{settings} settings, {accounts} accounts");
    Ok(())
}

/// The table of test cards: each charge ends as it says there.
#[tokio::test]
async fn every_test_card_does_what_it_is_there_for() -> Result<()> {
    let stage = Stage::set()?;
    let values = Values::of_new_merchant(&stage)?;
    let page = std::fs::read_to_string(root().join("docs/server.md"))?;
    let (_, table) = page.split_once("| `failure_code` |").context("a table of test cards")?;
    let mut tried = 0;
    for row in table.lines().skip(2).take_while(|row| row.starts_with('|')) {
        let cells: Vec<_> = row.split('`').collect();
        let (code, numbers) =
            if row.starts_with("| none") { ("null", &cells[3..]) } else { (cells[1], &cells[3..]) };
        for number in numbers.iter().step_by(2) {
            tried += 1;
            let user = "--user skey_test_…: --data amount=1960 --data currency=JPY";
            let charge = format!(
                "curl --silent https://vault.example/charges {user} --data card={}",
                values.token(number)?
            );
            let charge: Value = serde_json::from_str(&succeeds(&mut shell(&values.fill(&charge)?)?)?)?;
            let found = charge["failure_code"].as_str().unwrap_or("null");
            assert_eq!(found, code, "{number}: {charge}");
        }
    }
    assert!(tried >= 6, "only {tried} cards");
    Ok(())
}

#[test]
fn every_server_serves() -> Result<()> {
    let stage = Stage::set()?;
    let made = rcgen::generate_simple_self_signed(["vault.example".to_owned()])?;
    let (certificate, key) = (stage.folder().join("cert.pem"), stage.folder().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem())?;
    std::fs::write(&key, made.signing_key.serialize_pem())?;
    std::fs::set_permissions(&key, Permissions::from_mode(0o600))?;
    let mut tried = 0;
    for snippet in Snippet::all()? {
        if snippet.kind != Kind::Serve {
            continue;
        }
        tried += 1;
        let data_dir = stage.folder().join("served");
        let command = snippet
            .text
            .replace("/var/lib/cardseal", data_dir.to_str().context("paths are text")?)
            .replace("0.0.0.0:443", "127.0.0.1:0")
            .replace("cert.pem", certificate.to_str().context("paths are text")?)
            .replace("key.pem", key.to_str().context("paths are text")?);
        // In the shell's place, so that it is the vault that is stopped.
        let mut server =
            shell(&format!("exec {command}"))?.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut line = String::new();
        BufReader::new(server.stdout.take().context("it is piped")?).read_line(&mut line)?;
        server.kill()?;
        server.wait()?;
        ensure!(line.contains("listening on https://"), "{}: {line}", snippet.place());
    }
    assert!(tried >= 2, "only {tried} servers");
    Ok(())
}

/// The project's own commands take long and are run by whoever runs this; that they are there is seen to.
#[test]
fn every_command_of_the_project_is_one() -> Result<()> {
    for snippet in Snippet::all()? {
        if snippet.kind != Kind::Xtask {
            continue;
        }
        let words = snippet.text.trim().strip_prefix("cargo xtask ").with_context(|| snippet.place())?;
        let mut xtask = Command::new(program("xtask")?);
        succeeds(xtask.args(words.split_whitespace()).arg("--help")).with_context(|| snippet.place())?;
    }
    Ok(())
}

#[tokio::test]
async fn the_package_says_what_a_script_must_be() -> Result<()> {
    let stage = Stage::set()?;
    let snippets = Snippet::all()?;
    let install =
        snippets.iter().find(|snippet| snippet.kind == Kind::Npm).context("npm.md says how to install")?;
    let project = Project::install(&stage, &install.text)?;
    let values = Values::of(&stage)?;
    let mut page = "";
    let mut tried = 0;
    for snippet in &snippets {
        match snippet.kind {
            Kind::Page(..) => page = &snippet.text,
            Kind::Integrity => {
                tried += 1;
                let tag = project.shell(&values.fill(&snippet.text)?)?;
                let words =
                    |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
                let shown = words(&values.fill(page)?).replace(" ></script>", "></script>");
                ensure!(shown.contains(&words(&tag)), "{}: {tag} is not in {shown}", snippet.place());
            }
            _ => {}
        }
    }
    assert_eq!(tried, 1);
    Ok(())
}

#[tokio::test]
async fn a_sealed_card_that_the_shop_got_becomes_a_token_on_its_server() -> Result<()> {
    visit(async |stage, browser| {
        let snippets = Snippet::all()?;
        let seals =
            |snippet: &&Snippet| matches!(&snippet.kind, Kind::Page(_, member) if member == "sealed_card");
        let page = snippets.iter().find(seals).context("a page seals")?;
        let exchange = snippets.iter().find(|snippet| snippet.text.contains("$SEALED_CARD"));
        let exchange = exchange.context("a command exchanges what was sealed")?;
        let Kind::Page(way, member) = &page.kind else { unreachable!() };
        let values = Values::of(stage)?;
        let shop = Shop::open(stage)?;
        shop.sells(browser, Example::page(&values.fill(&page.text)?), *way, member).await?;
        let posted = shop.posts().concat();
        let sealed =
            posted.split('&').find_map(|pair| pair.strip_prefix("sealed_card=")).context("it was posted")?;
        let mut curl = shell(&values.fill(&exchange.text)?)?;
        let token = succeeds(curl.env("SEALED_CARD", sealed))?;
        let token: Value = serde_json::from_str(&token)?;
        assert_eq!(
            (&token["object"], &token["card"]["last_digits"]),
            (&json!("token"), &json!("4242")),
            "{token}"
        );
        Ok(())
    })
    .await
}
