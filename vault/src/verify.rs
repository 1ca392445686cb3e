//! Whether a live vault serves what was released: its frame's headers, every byte that a payment page loads (PCI DSS
//! 11.6.1), and the keys that cards are sealed to.
//!
//! What is fetched is compared as it comes over the wire, in each coding, since that is what browsers get. The page is
//! made here by the same function that the vault makes it with.

use std::error::Error as _;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, STRICT_TRANSPORT_SECURITY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use cardseal::client::Pkey;
use cardseal::plain;
use cardseal::seal::KeySet;
use cardseal::seal::jwk::Jwk;
use reqwest::Client;
use reqwest::redirect::Policy;
use thiserror::Error;

use crate::assets::{Asset, Coding, FrameFiles, Integrity, Naming, Release, ReleaseError};
use crate::frame;
use crate::locale::Locale;
use crate::merchant::Origin;
use crate::sealing_keys::{SealingKeys, of_mode};
use crate::time::Clock;

/// What is to be held against what.
#[derive(Clone, Debug)]
pub struct Check {
    /// The live vault.
    pub vault: Origin,
    /// The key of the merchant whose frame is looked at.
    pub key: Pkey,
    /// The origins that may show the frame; if none are given, those that the frame's own policy names.
    pub origins: Vec<Origin>,
    /// The sealing keys that the vault should show, if they are known.
    pub keys: Option<SealingKeys>,
    /// Where Omise takes cards, if the merchant has an account there: the frame may talk to it.
    pub omise: Option<Origin>,
    /// The folder pkg/ of the release that the vault should serve.
    pub assets: PathBuf,
}

impl Check {
    /// Fetches the frame in each language and each file in each coding, and compares them with the release.
    ///
    /// # Errors
    /// [`VerifyError`]: nothing can be said then.
    pub async fn run(self) -> Result<Report, VerifyError> {
        let release = Release::load(&self.assets)?;
        let files = FrameFiles::of(&release)?;
        let live = Live::new(&self.vault)?;
        let mut origins = self.origins;
        // As the vault's database gives them.
        origins.sort();
        origins.dedup();
        let asking = origins.first().map(|origin| format!("&origin={origin}")).unwrap_or_default();
        let mut findings = Vec::new();
        let shown = live.get(JWKS, Coding::Identity, MAX_PAGE_BYTES).await?;
        let expected = self.keys.as_ref().map(|keys| expected(keys, &shown.body));
        findings.push(compare_keys(self.keys.as_ref(), expected.as_ref(), &shown));
        // Where nobody knows them, frame and set have the same, at least.
        let keys = expected.unwrap_or_else(|| read_set(&shown.body).unwrap_or_default());
        let keys = of_mode(&keys, self.key.is_live());
        for locale in Locale::ALL {
            let tag = locale.tag();
            let path = format!("/frame?key={}&locale={tag}{asking}", self.key.as_str());
            let answer = live.get(&path, Coding::Identity, MAX_PAGE_BYTES).await?;
            if origins.is_empty() {
                origins = framers(&answer.headers);
            }
            let page = frame::page(&files, &self.key, &origins, self.omise.as_ref(), &keys, locale);
            let subject = format!("/frame {tag}");
            findings.extend(compare_page(&subject, &page, &answer));
            if self.vault.as_str().starts_with("https://") {
                findings.push(stays_encrypted(&subject, &answer.headers));
            }
        }
        for asset in release.assets() {
            for naming in [Naming::Stable, Naming::Hashed] {
                findings.push(compare_file(&live, asset, naming).await?);
            }
        }
        let keys = if self.keys.is_some() { Keys::Compared } else { Keys::Unknown };
        Ok(Report { vault: self.vault, version: release.version().into(), origins, keys, findings })
    }
}

/// What was found: a line a file and, for the frame, a line a header.
#[derive(Clone, Debug)]
pub struct Report {
    vault: Origin,
    version: String,
    origins: Vec<Origin>,
    keys: Keys,
    findings: Vec<Finding>,
}

/// Whether the sealing keys were held against those that the operator knows.
#[derive(Clone, Copy, Debug)]
enum Keys {
    Compared,
    Unknown,
}

#[derive(Clone, Debug)]
struct Finding {
    subject: String,
    differences: Vec<Difference>,
}

#[derive(Clone, Debug)]
enum Difference {
    /// The answer to a request for a file in this coding has another digest.
    Bytes { coding: Coding, released: Integrity, found: Integrity },
    /// A header that is not the vault's, and that makes a browser go, load or remember something.
    Foreign(&'static str),
    /// A file's header.
    Header { coding: Coding, name: HeaderName, change: Change },
    /// What is wrong with the set of sealing keys.
    Keys(String),
    /// A browser may come by plain HTTP the next time.
    OpenLine,
    /// The answer goes on where the released one has ended.
    Longer,
    /// The answer is no page or file at all.
    Status(StatusCode),
    /// The page, or a header of it.
    Text(Change),
}

/// Where two texts part.
#[derive(Clone, Debug)]
struct Change {
    released: String,
    found: String,
}

impl Report {
    /// How many of the lines tell of a difference, and how many there are.
    #[must_use]
    pub fn differing(&self) -> (usize, usize) {
        let differing = self.findings.iter().filter(|finding| !finding.differences.is_empty()).count();
        (differing, self.findings.len())
    }
}

/// The longest page read. The largest that a vault makes has its origins in it twice.
const MAX_PAGE_BYTES: usize = 1024 * 1024;

/// The longest that the vault may take for an answer.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// Headers that the vault never sends: they make a browser go elsewhere, load more, or keep a script of theirs.
const FOREIGN: [&str; 5] = ["link", "refresh", "service-worker-allowed", "set-cookie", "speculation-rules"];

/// Where a vault shows the keys that pages seal to.
const JWKS: &str = "/.well-known/jwks.json";

/// The set that the vault should show. Clocks may differ, and a set may come out of a cache just when a key takes over.
fn expected(keys: &SealingKeys, shown: &[u8]) -> KeySet {
    const CACHED: Duration = Duration::from_secs(10 * 60);
    let now = Clock::system().now();
    let sets = [now, now.minus(CACHED), now.plus(CACHED)].map(|at| keys.published(at));
    let [usual, ..] = &sets;
    sets.iter().find(|set| written(set) == shown).unwrap_or(usual).clone()
}

fn written(set: &KeySet) -> Vec<u8> {
    serde_json::to_vec(set).unwrap_or_default()
}

/// Whether a browser that came by TLS comes by nothing else for a year, as the vault has it, or longer, as a proxy in front of it
/// may (RFC 6797 section 6.1). Of several headers it heeds the first (section 8.1).
fn stays_encrypted(subject: &str, headers: &HeaderMap) -> Finding {
    const A_YEAR: u64 = 365 * 24 * 60 * 60;
    let header = headers.get(STRICT_TRANSPORT_SECURITY).and_then(|header| header.to_str().ok());
    let seconds = header.and_then(|header| {
        let directives = header.split(';').filter_map(|directive| directive.split_once('='));
        let mut ages = directives.filter(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"));
        let (_, age) = ages.next()?;
        age.trim().trim_matches('"').parse().ok()
    });
    let stays = seconds.is_some_and(|seconds: u64| seconds >= A_YEAR);
    let differences = if stays { Vec::new() } else { vec![Difference::OpenLine] };
    Finding { subject: format!("{subject}: {STRICT_TRANSPORT_SECURITY}"), differences }
}

/// A set as a browser reads it.
fn read_set(body: &[u8]) -> Option<KeySet> {
    plain::parse(std::str::from_utf8(body).ok()?).ok()
}

fn compare_keys(known: Option<&SealingKeys>, expected: Option<&KeySet>, answer: &Answer) -> Finding {
    let mut differences = Vec::new();
    if answer.status != StatusCode::OK {
        differences.push(Difference::Status(answer.status));
    } else if let Some((known, expected)) = known.zip(expected) {
        if written(expected) != answer.body || answer.is_longer {
            differences = strange_keys(known, expected, &answer.body);
        }
    } else if read_set(&answer.body).is_none() {
        differences.push(Difference::Keys("no set of keys".into()));
    }
    differences.extend(foreign(&answer.headers).map(Difference::Foreign));
    Finding { subject: JWKS.into(), differences }
}

/// What makes a set another one, key by key.
fn strange_keys(known: &SealingKeys, expected: &KeySet, body: &[u8]) -> Vec<Difference> {
    let Some(set) = read_set(body) else { return vec![Difference::Keys("no set of keys".into())] };
    let kid = |jwk: &Jwk| jwk.kid.clone().unwrap_or_default();
    let mut words = Vec::new();
    for jwk in &set.keys {
        let id = kid(jwk);
        match known.find(&id) {
            None => words.push(format!("the key {id:?} is foreign")),
            Some(own) if own != jwk => words.push(format!("the key {id:?} was altered")),
            Some(_) if !expected.keys.contains(jwk) => {
                words.push(format!("the key {id:?} is not the one in use"))
            }
            Some(_) => {}
        }
    }
    let missing = expected.keys.iter().filter(|jwk| !set.keys.iter().any(|shown| shown.kid == jwk.kid));
    words.extend(missing.map(|jwk| format!("the key {:?} is missing", kid(jwk))));
    if words.is_empty() {
        words.push("the set is written otherwise".into());
    }
    words.into_iter().map(Difference::Keys).collect()
}

/// The origins that a frame's policy lets show it; none if they are not plain origins.
fn framers(headers: &HeaderMap) -> Vec<Origin> {
    let policy = text(headers, &CONTENT_SECURITY_POLICY);
    let directive = policy.split(';').find_map(|directive| directive.trim().strip_prefix("frame-ancestors "));
    let origins = directive.map(|list| list.split(' ').map(Origin::parse).collect::<Result<_, _>>());
    origins.and_then(Result::ok).unwrap_or_default()
}

fn compare_page(subject: &str, page: &frame::Page, answer: &Answer) -> Vec<Finding> {
    let finding = |subject: String, differences| Finding { subject, differences };
    if answer.status != page.status {
        return vec![finding(subject.into(), vec![Difference::Status(answer.status)])];
    }
    let body = String::from_utf8_lossy(&answer.body);
    let mut findings =
        vec![finding(subject.into(), changed(&page.html, &body).map(Difference::Text).into_iter().collect())];
    for (name, value) in &page.headers {
        let change = changed(value.to_str().unwrap_or_default(), &text(&answer.headers, name));
        findings
            .push(finding(format!("{subject}: {name}"), change.map(Difference::Text).into_iter().collect()));
    }
    for name in foreign(&answer.headers) {
        findings.push(finding(format!("{subject}: {name}"), vec![Difference::Foreign(name)]));
    }
    findings
}

async fn compare_file(live: &Live<'_>, asset: &Asset, naming: Naming) -> Result<Finding, VerifyError> {
    let path = format!("/v1/{}", asset.name(naming));
    let mut differences = Vec::new();
    for coding in Coding::ALL {
        let form = asset.form(coding);
        let answer = live.get(&path, coding, form.bytes.len()).await?;
        if answer.status != StatusCode::OK {
            differences.push(Difference::Status(answer.status));
            break;
        }
        let found = Integrity::of(&answer.body);
        if answer.is_longer {
            differences.push(Difference::Longer);
        } else if found != form.integrity {
            differences.push(Difference::Bytes { coding, released: form.integrity, found });
        }
        let mut released = asset.headers(naming, coding);
        released.entry(CONTENT_ENCODING).or_insert(HeaderValue::from_static(""));
        for (name, value) in &released {
            let change = changed(value.to_str().unwrap_or_default(), &text(&answer.headers, name));
            differences.extend(change.map(|change| Difference::Header {
                coding,
                name: name.clone(),
                change,
            }));
        }
        differences.extend(foreign(&answer.headers).map(Difference::Foreign));
    }
    Ok(Finding { subject: path, differences })
}

fn foreign(headers: &HeaderMap) -> impl Iterator<Item = &'static str> {
    FOREIGN.into_iter().filter(|name| headers.contains_key(*name))
}

/// A header's value, as a browser takes several of one name together (RFC 9110 section 5.3); empty if there is none.
fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    let values: Vec<_> =
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    values.join(", ")
}

/// Where two texts part, if they do.
fn changed(released: &str, found: &str) -> Option<Change> {
    if released == found {
        return None;
    }
    let same = released.chars().zip(found.chars()).take_while(|(one, other)| one == other).count();
    let cut = |text: &str| text.chars().skip(same.saturating_sub(20)).take(100).collect();
    Some(Change { released: cut(released), found: cut(found) })
}

/// The live vault.
struct Live<'a> {
    vault: &'a Origin,
    client: Client,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    /// There is more of the body than was asked for.
    is_longer: bool,
}

impl<'a> Live<'a> {
    fn new(vault: &'a Origin) -> Result<Self, VerifyError> {
        let client = Client::builder()
            .redirect(Policy::none())
            .timeout(LONGEST_ANSWER)
            // Who serves a browser something else may well leave other programs alone.
            .user_agent("Mozilla/5.0")
            .default_headers(as_a_page())
            .build()
            .map_err(|source| VerifyError::unreachable(vault, &source))?;
        Ok(Self { vault, client })
    }

    async fn get(&self, path: &str, coding: Coding, max_bytes: usize) -> Result<Answer, VerifyError> {
        let unreachable = |source| VerifyError::unreachable(self.vault, &source);
        let request = self.client.get(format!("{}{path}", self.vault));
        let request = request.header(ACCEPT_ENCODING, coding.name().unwrap_or("identity"));
        let mut response = request.send().await.map_err(unreachable)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while body.len() <= max_bytes
            && let Some(chunk) = response.chunk().await.map_err(unreachable)?
        {
            body.extend_from_slice(&chunk);
        }
        let is_longer = body.len() > max_bytes;
        body.truncate(max_bytes);
        Ok(Answer { status, headers, body, is_longer })
    }
}

/// What a browser says of a request that a script of the same origin makes.
fn as_a_page() -> HeaderMap {
    [
        ("accept", "*/*"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "same-origin"),
    ]
    .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
    .into_iter()
    .collect()
}

impl fmt::Display for Report {
    /// What comes from the live vault is shown escaped: it could as well move the cursor or lie in other colours.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vault, version, origins, keys, findings } = self;
        let origins: Vec<_> = origins.iter().map(Origin::as_str).collect();
        writeln!(formatter, "{vault}, held against cardseal {}", version.escape_debug())?;
        writeln!(
            formatter,
            "shown by {}",
            if origins.is_empty() { "no origin".into() } else { origins.join(" ") }
        )?;
        writeln!(
            formatter,
            "sealing keys {}\n",
            match keys {
                Keys::Compared => "held against those given",
                Keys::Unknown => "NOT COMPARED: give what `keys export` writes with --keys",
            }
        )?;
        let width = findings.iter().map(|finding| finding.subject.len()).max().unwrap_or_default();
        for Finding { subject, differences } in findings {
            if differences.is_empty() {
                writeln!(formatter, "{subject:width$}  ok")?;
            } else {
                let differences: Vec<_> = differences.iter().map(Difference::to_string).collect();
                writeln!(formatter, "{subject:width$}  DIFFERS: {}", differences.join("; "))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |coding: &Coding| coding.name().unwrap_or("identity");
        match self {
            Self::Bytes { coding, released, found } => {
                write!(formatter, "{found} instead of {released} ({})", name(coding))
            }
            Self::Foreign(name) => write!(formatter, "the header {name} is not the vault's"),
            Self::Header { coding, name: header, change } => {
                write!(formatter, "{header}: {change} ({})", name(coding))
            }
            Self::Keys(words) => formatter.write_str(words),
            Self::OpenLine => formatter
                .write_str("it keeps no browser from plain HTTP for a year (max-age of 31536000 s or more)"),
            Self::Longer => formatter.write_str("it goes on where the released one ends"),
            Self::Status(status) => write!(formatter, "the vault answers {} instead of 200", status.as_u16()),
            Self::Text(change) => change.fmt(formatter),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} instead of {:?}", self.found, self.released)
    }
}

/// Why nothing can be said of a live vault.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The released folder is not what was released. The operator's to put right.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// The vault gave no answer. Trying again may help.
    #[error("{vault} gives no answer: {reason}")]
    Unreachable {
        /// The vault.
        vault: Origin,
        /// What went wrong.
        reason: String,
    },
}

impl VerifyError {
    /// The last cause says what happened; those before it say what was attempted.
    fn unreachable(vault: &Origin, error: &reqwest::Error) -> Self {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            reason = error.to_string();
            cause = error.source();
        }
        Self::Unreachable { vault: vault.clone(), reason }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_kept_from_plain_http_for_a_year_at_least() {
        let is_kept = |values: &[&'static str]| {
            let values =
                values.iter().map(|value| (STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(value)));
            stays_encrypted("/frame en", &values.collect()).differences.is_empty()
        };
        for value in ["max-age=31536000", "includeSubDomains; MAX-AGE = \"63072000\"; preload"] {
            assert!(is_kept(&[value]), "{value}");
        }
        for value in ["", "max-age", "max-age=0", "max-age=31535999", "max-age=-1", "maxage=31536000"] {
            assert!(!is_kept(&[value]), "{value}");
        }
        assert!(!is_kept(&[]) && !is_kept(&["max-age=0", "max-age=31536000"]));
    }
}
