//! An origin registered as nobody's browser writes it, so that the operator believes a page served that is not, or another one:
//! `https://2130706433`, an address in odd forms, other letters; and so many that the frame's header is dropped on its way.

use cardseal_vault::merchant::{MOST_ORIGIN_BYTES, MOST_ORIGINS, Origin};

use crate::support::program::run;

fn add(dir: &str, origins: &[String]) -> (bool, String) {
    let mut arguments = vec!["merchant", "add", "--data-dir", dir, "--name", "A"];
    for origin in origins {
        arguments.extend(["--origin", origin]);
    }
    let output = run(&arguments);
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn an_origin_is_kept_as_browsers_write_it() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let dir = dir.to_str().unwrap();
    for (given, kept) in [
        ("https://2130706433", "https://127.0.0.1"),
        ("https://127.1", "https://127.0.0.1"),
        ("https://Shop.Example:443/", "https://shop.example"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ] {
        assert_eq!(Origin::parse(given).unwrap().as_str(), kept);
        assert!(add(dir, &[given.to_owned()]).0);
        let listed = String::from_utf8(run(&["merchant", "list", "--data-dir", dir]).stdout).unwrap();
        assert!(listed.contains(&format!("{kept}\n")) && !listed.contains(given), "{listed}");
    }
}

#[test]
fn there_are_no_more_origins_than_a_header_takes() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("vault");
    let dir = dir.to_str().unwrap();
    let short = |count: usize| (0..count).map(|n| format!("https://{n}.example")).collect::<Vec<_>>();
    let long = |count: usize| {
        (0..count).map(|n| format!("https://{n}.{}.example", "a".repeat(60))).collect::<Vec<_>>()
    };
    let (added, _) = add(dir, &short(MOST_ORIGINS));
    assert!(added);
    for origins in [short(400), short(MOST_ORIGINS + 1), long(MOST_ORIGIN_BYTES / 70)] {
        let (added, said) = add(dir, &origins);
        assert!(!added && said.contains("more than a merchant has: 100"), "{said}");
    }
}
