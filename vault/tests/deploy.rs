//! What an operator gets to begin with: a unit for systemd, a container, and a file with settings.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::program::{Served, command, run};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

fn text(name: &str) -> String {
    fs::read_to_string(deploy().join(name)).unwrap()
}

#[test]
fn the_unit_takes_away_what_a_vault_does_not_need() {
    let unit = text("cardseal-vault.service");
    for line in [
        "Type=notify",
        "User=cardseal",
        "LoadCredential=kek:/etc/cardseal/kek",
        "CapabilityBoundingSet=",
        "LimitCORE=0",
        "MemoryDenyWriteExecute=yes",
        "MemorySwapMax=0",
        "NoNewPrivileges=yes",
        "PrivateDevices=yes",
        "PrivateTmp=yes",
        "ProtectHome=yes",
        "ProtectKernelLogs=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelTunables=yes",
        "ProtectProc=invisible",
        "ProtectSystem=strict",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "RestrictNamespaces=yes",
        "RestrictSUIDSGID=yes",
        "SystemCallArchitectures=native",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged",
        "UMask=0077",
    ] {
        assert!(unit.lines().any(|known| known == line), "{line}");
    }
}

#[test]
fn systemd_accepts_the_unit_and_calls_it_safe() {
    // It is part of systemd, which a container need not have.
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else { return };
    let version = String::from_utf8(version.stdout).unwrap();
    let version: u32 =
        version.split(|c: char| !c.is_ascii_digit()).find(|word| !word.is_empty()).unwrap().parse().unwrap();
    if version < 250 {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("cardseal-vault.service");
    let program = env!("CARGO_BIN_EXE_cardseal-vault");
    fs::write(&unit, text("cardseal-vault.service").replace("/usr/bin/cardseal-vault", program)).unwrap();
    let verified = Command::new("systemd-analyze").arg("verify").arg(&unit).output().unwrap();
    let said = String::from_utf8(verified.stderr).unwrap();
    assert!(verified.status.success() && !said.contains("cardseal-vault.service:"), "{said}");

    // Its scale goes from 0 (nothing to attack) to 100.
    let rated = ["security", "--offline=yes", "--no-pager", "--threshold=20"];
    let rated = Command::new("systemd-analyze").args(rated).arg(&unit).output().unwrap();
    assert!(rated.status.success(), "{}", String::from_utf8_lossy(&rated.stdout));
}

#[test]
fn a_key_is_taken_from_systemds_credentials() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    Served::start(&dir).kill();
    let credentials = outer.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    let kek = credentials.join("kek");
    fs::rename(dir.join("kek"), &kek).unwrap();
    // With systemd's access list for the service's user the mode is this.
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o440)).unwrap();
    let source = format!("file:{}", kek.display());
    let rotate = ["keys", "rotate", "--data-dir", dir.to_str().unwrap(), "--kek", &source];
    let refused = command(&rotate).output().unwrap();
    assert!(!refused.status.success());
    let taken = command(&rotate).env("CREDENTIALS_DIRECTORY", &credentials).output().unwrap();
    assert!(taken.status.success(), "{taken:?}");
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o444)).unwrap();
    let refused = command(&rotate).env("CREDENTIALS_DIRECTORY", &credentials).output().unwrap();
    assert!(!refused.status.success());
}

#[test]
fn the_settings_to_begin_with_are_the_defaults_and_all_of_them() {
    let example = text("vault.toml");
    let check = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.toml");
        fs::write(&path, text).unwrap();
        let output = run(&["config", "check", "--config", path.to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        let shown = String::from_utf8(output.stdout).unwrap();
        let settings = shown.lines().skip(1).map(|line| {
            let mut cells =
                line.split("  ").filter(|cell| !cell.is_empty()).map(|cell| cell.trim().to_owned());
            (cells.next().unwrap(), cells.next().unwrap())
        });
        settings.collect::<Vec<_>>()
    };
    let defaults = check("data_dir = \"/var/lib/cardseal\"\nmetrics_listen = \"127.0.0.1:9142\"");
    assert_eq!(check(&example), defaults);

    // But those of which only one of several can be, and those that there are not by default.
    let only_one = ["# database_url", "# tls_", "# audit_heads"];
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(setting) if setting.contains(" = ") && !only_one.iter().any(|start| line.starts_with(start)) => {
            format!("{setting}\n")
        }
        _ => format!("{line}\n"),
    };
    let whole: String = example.lines().map(line).collect();
    assert_eq!(check(&whole), defaults);
    for (key, _) in defaults {
        let name = key.rsplit('.').next().unwrap();
        assert!(whole.lines().any(|line| line.starts_with(&format!("{name} = "))), "{key} is not told of");
    }
}

#[test]
fn the_container_holds_one_program_and_no_root() {
    let file = text("Containerfile");
    let from: Vec<&str> = file.lines().filter_map(|line| line.strip_prefix("FROM ")).collect();
    assert_eq!(from.last(), Some(&"scratch"));
    for image in &from {
        let name = image.split(' ').next().unwrap();
        // A host would have a dot or a port before the first slash.
        assert!(!name.contains('/'), "{name}");
        if name == "scratch" {
            continue;
        }
        // A tag can come to mean another image. The digest is given to the build, and has no default that would grow old.
        let digest = name.split_once("@${").and_then(|(_, digest)| digest.strip_suffix('}'));
        let digest = digest.unwrap_or_else(|| panic!("{name} has no digest"));
        let before = file.split("\nFROM ").next().unwrap();
        assert!(before.lines().any(|line| line == format!("ARG {digest}")), "{digest}");
        assert!(before.contains(&format!("--build-arg {digest}=sha256:")), "{digest}");
    }
    let last = file.rsplit("FROM ").next().unwrap();
    assert!(last.contains("\nUSER 65532:65532\n") && !last.contains("\nRUN "), "{last}");
    assert!(last.contains("ENTRYPOINT [\"/usr/bin/cardseal-vault\"]"), "{last}");
}
