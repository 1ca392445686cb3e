//! The code blocks of the documentation.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::pay::Way;
use crate::root;

/// The page whose commands have a test with the vault's own, as they need no browser but a PostgreSQL.
const OPERATIONS: &str = "docs/OPERATIONS.md";

/// A code block.
#[derive(Clone, Debug)]
pub(crate) struct Snippet {
    /// The page that it stands in, such as `npm.md`.
    pub(crate) page: String,
    /// The line that it begins in.
    line: usize,
    /// What it is.
    pub(crate) kind: Kind,
    /// What is in it.
    pub(crate) text: String,
}

/// What a code block is, and so what is done with it. It is written behind the fence, where readers do not see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `html WAY [MEMBER]`: a page that is paid with; it posts this member, `card_token` unless told otherwise.
    Page(Way, String),
    /// `html markup`: a page that the modules after it are for.
    Markup,
    /// `ts module`: the script of the page that stands before it.
    Module,
    /// `ts part`: lines of a script that has `cardseal` and a `card` in the page.
    Part,
    /// `tsx react`: a module with a component `Checkout`.
    React,
    /// `vue app`: a component.
    Vue,
    /// `sh run`: commands that come to an end, and well.
    Run,
    /// `sh serve`: a command that serves until it is stopped.
    Serve,
    /// `sh xtask`: a command of the project's, which other tests run.
    Xtask,
    /// `sh npm`: a command for a project that has, or is getting, the package.
    Npm,
    /// `sh integrity`: the same; it prints the tag of the page that stands before it.
    Integrity,
    /// What the vault's own test of docs/OPERATIONS.md (vault/tests/operations.rs) runs or looks at: `sh operate`, a
    /// command; `sh service`, one for systemd; `sh drill`, a second vault; `text shown`, what the command before it
    /// prints; `toml vault`, its settings; `yaml rules`, rules for Prometheus; `text file`, lines of other programs' files.
    Operation,
    /// What the vault's test of a failover (vault/tests/durability/failover.rs) runs and writes: `sh a` and `sh b`, commands on the
    /// two machines; `sh rejoin`, on the one that comes back; `conf postgresql`, `conf haproxy` and `conf failover`, files.
    Failover,
    /// `toml vendors`: settings of a vault that say where vendors are.
    Vendors,
    /// `toml account VENDOR`: what a vendor knows a merchant by.
    Account(String),
    /// `sh machine`: a command that changes the machine itself, and that no test runs.
    Machine,
    /// `http frame`: headers that the vault's frame has.
    FrameHeaders,
    /// `http PAGE…`: headers that the first example of each page is served with, or the second one of `PAGE:2`.
    Headers(Vec<Example>),
}

/// An example among those of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Example {
    /// Such as `npm.md`.
    pub(crate) page: String,
    /// From 1.
    pub(crate) number: usize,
}

impl Example {
    fn parse(word: &str) -> Result<Self> {
        let (page, number) = word.split_once(':').unwrap_or((word, "1"));
        ensure!(page.ends_with(".md"), "`{word}` is no page");
        Ok(Self { page: page.into(), number: number.parse()? })
    }
}

impl Kind {
    fn parse(mark: &str) -> Result<Self> {
        let words: Vec<&str> = mark.split_whitespace().collect();
        Ok(match words[..] {
            ["html", "markup"] => Self::Markup,
            ["html", way] => Self::Page(Way::parse(way)?, "card_token".into()),
            ["html", way, member] => Self::Page(Way::parse(way)?, member.into()),
            ["ts", "module"] => Self::Module,
            ["ts", "part"] => Self::Part,
            ["tsx", "react"] => Self::React,
            ["vue", "app"] => Self::Vue,
            ["sh", "run"] => Self::Run,
            ["sh", "serve"] => Self::Serve,
            ["sh", "xtask"] => Self::Xtask,
            ["sh", "npm"] => Self::Npm,
            ["sh", "integrity"] => Self::Integrity,
            ["sh", "operate" | "service" | "drill"]
            | ["text", "shown" | "file"]
            | ["toml", "vault"]
            | ["yaml", "rules"] => Self::Operation,
            ["sh", "a" | "b" | "rejoin"] | ["conf", "postgresql" | "haproxy" | "failover"] => Self::Failover,
            ["toml", "vendors"] => Self::Vendors,
            ["toml", "account", vendor] => Self::Account(vendor.into()),
            ["sh", "machine"] => Self::Machine,
            ["http", "frame"] => Self::FrameHeaders,
            ["http", _, ..] => {
                Self::Headers(words[1..].iter().map(|word| Example::parse(word)).collect::<Result<_>>()?)
            }
            _ => bail!("`{mark}` does not say what to do with the block"),
        })
    }
}

impl Snippet {
    /// Every code block of README.md and docs/.
    pub(crate) fn all() -> Result<Vec<Self>> {
        let mut snippets = Vec::new();
        for page in pages()? {
            snippets.extend(page.snippets()?);
        }
        Ok(snippets)
    }

    /// Where it is.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }

    /// A name for a file, which no other has.
    pub(crate) fn file(&self) -> String {
        self.place().replace(|letter: char| !letter.is_ascii_alphanumeric(), "_").to_lowercase()
    }
}

/// A page of the documentation.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Within the project, such as `docs/npm.md`.
    pub(crate) path: String,
    /// Markdown.
    pub(crate) text: String,
}

/// README.md and the pages of docs/.
pub(crate) fn pages() -> Result<Vec<Page>> {
    let mut paths = vec!["README.md".to_owned()];
    for entry in fs::read_dir(root().join("docs"))? {
        let name = entry?.file_name().into_string().ok().context("file names are text")?;
        if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
            paths.push(format!("docs/{name}"));
        }
    }
    paths.sort();
    let read = |path: String| Ok(Page { text: fs::read_to_string(root().join(&path))?, path });
    paths.into_iter().map(read).collect()
}

impl Page {
    fn snippets(&self) -> Result<Vec<Snippet>> {
        let page = self.path.rsplit('/').next().unwrap_or_default().to_owned();
        let mut snippets = Vec::new();
        let mut lines = self.text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            let place = format!("{}:{number}", self.path);
            // Markdown takes four spaces for code as well, which has no room for a mark.
            ensure!(
                !line.starts_with("    ") && !line.starts_with('\t'),
                "{place}: an indented block: fence it"
            );
            let trimmed = line.trim_start();
            ensure!(trimmed == line || !trimmed.starts_with("```"), "{place}: an indented fence");
            ensure!(!trimmed.starts_with("~~~"), "{place}: fences are ```");
            let Some(mark) = line.strip_prefix("```") else { continue };
            let kind = Kind::parse(mark).with_context(|| place.clone())?;
            ensure!(
                !matches!(kind, Kind::Operation | Kind::Failover | Kind::Machine) || self.path == OPERATIONS,
                "{place}: the test of {OPERATIONS} does not read this page"
            );
            let block: Vec<&str> =
                lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```").collect();
            snippets.push(Snippet { page: page.clone(), line: number, kind, text: block.join("\n") + "\n" });
        }
        Ok(snippets)
    }
}
