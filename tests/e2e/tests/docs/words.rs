//! What the documentation speaks of is there, and what is there it speaks of.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};

use crate::root;
use crate::snippets::pages;

/// The text of a file of the project's.
fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| path.to_owned())
}

/// Words in backticks, wherever they stand in a text.
fn names(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The literals of a TypeScript union.
fn union<'a>(source: &'a str, name: &str) -> Result<BTreeSet<&'a str>> {
    let (_, rest) =
        source.split_once(&format!("export type {name} =")).with_context(|| format!("no {name}"))?;
    let (union, _) = rest.split_once(';').context("a type ends")?;
    Ok(union.split('"').skip(1).step_by(2).collect())
}

/// The members of a TypeScript interface.
fn interface<'a>(source: &'a str, name: &str) -> Result<BTreeSet<&'a str>> {
    // A name is followed by a space or by its parameters.
    let (_, rest) = [' ', '<']
        .iter()
        .find_map(|next| source.split_once(&format!("export interface {name}{next}")))
        .with_context(|| format!("no {name}"))?;
    let (body, _) = rest.split_once("\n}").context("an interface ends")?;
    let member = |line: &'a str| {
        let name = line.strip_prefix("  ")?.split(['?', ':', '(', '<']).next()?;
        (!name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_'))
            .then_some(name)
    };
    Ok(body.lines().filter_map(member).collect())
}

#[test]
fn npm_md_speaks_of_every_name() -> Result<()> {
    let page = read("docs/npm.md")?;
    let (card, error, locale, cardseal) =
        (read("www/card.ts")?, read("www/error.ts")?, read("www/locale.ts")?, read("www/cardseal.ts")?);
    let prose = names(&page);
    // In tables, members have their parameters; in examples, they are properties.
    let speaks_of = |name: &str| {
        prose.iter().any(|word| *word == name || word.starts_with(&format!("{name}(")))
            || page.contains(&format!("{name}:"))
    };
    let mut missing = Vec::new();
    for (what, names) in [
        ("FontFamily", union(&card, "FontFamily")?),
        ("Reason", union(&error, "Reason")?),
        ("FieldName", union(&error, "FieldName")?),
        ("Locale", union(&locale, "Locale")?),
        ("TextName", union(&locale, "TextName")?),
        ("Appearance", interface(&card, "Appearance")?),
        ("BillingAddress", interface(&card, "BillingAddress")?),
        ("Card", interface(&card, "Card")?),
        ("CardEvents", interface(&card, "CardEvents")?),
        ("CardOptions", interface(&card, "CardOptions")?),
        ("CardState", interface(&card, "CardState")?),
        ("LoadOptions", interface(&cardseal, "LoadOptions")?),
        ("CardToken", interface(&card, "CardToken")?),
        ("VendorToken", interface(&card, "VendorToken")?),
        ("Vendor", interface(&error, "Vendor")?),
        ("Profile", union(&card, "Profile")?),
        ("TokenizeDetails", interface(&card, "TokenizeDetails")?),
        ("UpdateOptions", interface(&card, "UpdateOptions")?),
    ] {
        assert!(names.len() > 2, "{what} has {names:?}");
        missing
            .extend(names.into_iter().filter(|name| !speaks_of(name)).map(|name| format!("{what}: {name}")));
    }
    assert_eq!(missing, Vec::<String>::new());
    Ok(())
}

#[test]
fn the_table_of_errors_has_every_code_and_no_other() -> Result<()> {
    let page = read("docs/npm.md")?;
    let error = read("www/error.ts")?;
    let (_, table) = page.split_once("| `code` |").context("a table of errors")?;
    let (table, _) = table.split_once("\n\n").context("it ends")?;
    let told: Vec<_> = table.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect();
    assert!(told.is_sorted(), "{told:?}");
    assert_eq!(told.iter().copied().collect::<BTreeSet<_>>(), union(&error, "ErrorCode")?);
    Ok(())
}

#[test]
fn custom_element_md_speaks_of_every_attribute_event_state_and_detail() -> Result<()> {
    let page = read("docs/custom-element.md")?;
    let element = read("www/element.ts")?;
    let (_, rest) = element.split_once("observedAttributes = [").context("attributes")?;
    let (attributes, _) = rest.split_once(']').context("they end")?;
    let (_, rest) = element.split_once("const DETAILS").context("details")?;
    let (details, _) = rest.split_once("};").context("they end")?;
    let details = details.lines().filter_map(|line| line.strip_prefix("  ")?.split(':').next());
    let events = element.lines().filter_map(|line| line.strip_prefix("  \"cardseal-")?.split('"').next());
    let events: Vec<_> = events.map(|name| format!("cardseal-{name}")).collect();
    let states = ["loading", "ready", "failed", "empty", "complete", "tokenizing"]
        .map(|name| format!(":state({name})"));
    assert!(events.len() > 6, "{events:?}");
    let said = names(&page);
    let all = attributes.split('"').skip(1).step_by(2).chain(["name", "disabled"]).chain(details);
    let all = all.chain(events.iter().map(String::as_str)).chain(states.iter().map(String::as_str));
    let missing: Vec<_> = all.filter(|name| !said.contains(name)).collect();
    assert_eq!(missing, Vec::<&str>::new());
    Ok(())
}

/// A heading as links name it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[test]
fn every_link_leads_somewhere() -> Result<()> {
    let pages = pages()?;
    let mut links = 0;
    for page in &pages {
        for link in page.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            links += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let path = if file.is_empty() { root().join(&page.path) } else { root().join(folder).join(file) };
            assert!(path.exists(), "{}: {link}", page.path);
            if !heading.is_empty() {
                let text = fs::read_to_string(&path)?;
                let found =
                    text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading);
                assert!(found, "{}: {link}", page.path);
            }
        }
    }
    assert!(links > 40, "only {links} links");
    for page in &pages {
        for path in
            names(&page.text).into_iter().filter(|name| name.starts_with("tests/") && name.contains('.'))
        {
            let file = path.split("::").next().unwrap_or_default();
            assert!(root().join(file).exists(), "{}: {path}", page.path);
        }
    }
    Ok(())
}

#[test]
fn every_page_begins_with_an_example() -> Result<()> {
    for page in pages()? {
        // The front page has its own order, and the others explain what there is no example of.
        let without = ["README.md", "docs/THREAT_MODEL.md", "docs/complaints.md", "docs/rate-limits.md"];
        if without.contains(&page.path.as_str()) {
            continue;
        }
        let first = page.text.find("```").with_context(|| page.path.clone())?;
        assert!(page.text[..first].lines().count() < 8, "{} explains before it shows", page.path);
    }
    Ok(())
}

/// A Rust test's name is its module's path and its own; one of Node's is its file and its title.
#[test]
fn every_test_that_complaints_md_names_exists() -> Result<()> {
    let page = read("docs/complaints.md")?;
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    assert_eq!(rows.len(), 20);
    let sources = rust_tests()?;
    let mut missing = Vec::new();
    for row in rows {
        let shown_by = row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        let tests = names(shown_by);
        assert!(!tests.is_empty(), "{row}");
        for test in tests {
            let exists = if test.ends_with(".test.mjs") {
                has_node_test(test, shown_by)?
            } else {
                let (modules, name) =
                    test.rsplit_once("::").with_context(|| format!("`{test}` is no test"))?;
                let path = format!("/{}", modules.replace("::", "/"));
                sources.iter().any(|(file, source)| file.ends_with(&path) && has_test(source, name))
            };
            if !exists {
                missing.push(test);
            }
        }
    }
    assert_eq!(missing, Vec::<&str>::new());
    Ok(())
}

/// There a Rust test's name is its file and its function. Every attack names one, and so does each of the weak points.
#[test]
fn every_test_that_the_threat_model_names_exists() -> Result<()> {
    let page = read("docs/THREAT_MODEL.md")?;
    let (mut missing, mut named) = (Vec::new(), BTreeSet::new());
    for line in page.lines() {
        for test in names(line).into_iter().filter(|name| name.contains(".rs") || name.ends_with(".test.mjs"))
        {
            let exists = match test.split_once("::") {
                Some((path, name)) => root().join(path).is_file() && has_test(&read(path)?, name),
                None => test.ends_with(".test.mjs") && has_node_test(test, line)?,
            };
            if !exists {
                missing.push(test);
            }
            named.insert(test);
        }
    }
    assert_eq!(missing, Vec::<&str>::new());
    assert!(named.len() > 80, "only {} tests", named.len());

    let attacks = page.split("\n### ").skip(1).map(|attack| attack.split("\n## ").next().unwrap_or_default());
    let without: Vec<_> = attacks
        .filter(|attack| !attack.contains("\n- `") || !attack.contains("\n**Not stopped"))
        .filter_map(|attack| attack.lines().next())
        .collect();
    assert_eq!(without, Vec::<&str>::new(), "without a test, or without a word on what is not stopped");

    let (_, points) = page.split_once("| shown by |").context("a table of weak points")?;
    let shown: BTreeSet<_> = names(points).into_iter().filter_map(|name| name.split("::").nth(1)).collect();
    let tests = read("vault/tests/weak_points.rs")?;
    let tests: BTreeSet<_> =
        tests.split("fn point_").skip(1).filter_map(|rest| rest.split('(').next()).collect();
    let tests: BTreeSet<_> = tests.into_iter().map(|name| format!("point_{name}")).collect();
    assert_eq!(shown, tests.iter().map(String::as_str).collect());
    Ok(())
}

/// What an assessor asks of a vault's operator has a test in each row.
#[test]
fn every_test_that_the_table_of_requirements_names_exists() -> Result<()> {
    let page = read("docs/PCI.md")?;
    let (_, table) = page.split_once("| Shown by |").context("a table with tests")?;
    let rows: Vec<_> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    let mut missing = Vec::new();
    for row in &rows {
        let tests: Vec<_> = names(row).into_iter().filter(|name| name.contains(".rs::")).collect();
        ensure!(!tests.is_empty(), "no test: {row}");
        for test in tests {
            let (path, name) = test.split_once("::").context("a file and a function")?;
            if !root().join(path).is_file() || !has_test(&read(path)?, name) {
                missing.push(test);
            }
        }
    }
    assert_eq!(missing, Vec::<&str>::new());
    assert!(rows.len() > 15, "only {} rows", rows.len());
    Ok(())
}

/// Whether there is a test of this name, and not only a function.
fn has_test(source: &str, name: &str) -> bool {
    let function = format!("fn {name}(");
    let Some(at) = source.find(&function) else { return false };
    let attributes = source[..at].rsplit("\n\n").next().unwrap_or_default();
    // Tests of properties stand within a macro, which has the attribute or gives it.
    attributes.contains("test") || source.contains("proptest!")
}

/// Whether a file of Node's tests has the one whose title stands behind the file's name.
fn has_node_test(file: &str, text: &str) -> Result<bool> {
    let (_, rest) = text.split_once(&format!("`{file}` \"")).with_context(|| format!("{file}: no title"))?;
    let title = rest.split('"').next().unwrap_or_default();
    Ok(read(file)?.contains(&format!("test(\"{title}\"")))
}

/// Every file of Rust tests, by its path without `.rs` and `/main.rs`.
fn rust_tests() -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("tests"), root().join("vault/tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            // A project that a test builds has no tests of ours in it.
            if path.is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let module = path.with_extension("").display().to_string();
                files.push((module.trim_end_matches("/main").to_owned(), fs::read_to_string(&path)?));
            }
        }
    }
    Ok(files)
}
