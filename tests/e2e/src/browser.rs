//! A headless browser and the program that drives it.

use std::env;
use std::ops::Deref;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, TimeoutConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use url::{ParseError, Url};

use crate::server::Server;
use crate::stage::target;

/// A browser. Which one the environment says: `BROWSER` is `chromium` (the default) or `firefox`, and `CHROME`,
/// `CHROMEDRIVER`, `FIREFOX`, `GECKODRIVER` name programs that are not in PATH.
#[derive(Debug)]
pub struct Browser {
    session: Client,
    _driver: Server,
}

/// How long something may take before it counts as never happening; far longer than it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a driver is started that does not get its port.
const DRIVER_STARTS: u32 = 5;

impl Browser {
    /// Opens a window.
    ///
    /// # Errors
    /// When browser or driver cannot be started.
    pub async fn open() -> Result<Self> {
        let folder = target()?.join("e2e");
        std::fs::create_dir_all(&folder)?;
        let log = folder.join("driver.log");
        let (driver, url, capabilities) = match env::var("BROWSER").as_deref() {
            Ok("firefox") => {
                let mut command = Command::new(program("GECKODRIVER", "geckodriver"));
                let driver = Server::start(command.args(["--port", "0"]), "Listening on", &log)?;
                let address = driver.greeting.rsplit(' ').next().unwrap_or_default().to_owned();
                (driver, format!("http://{address}"), firefox())
            }
            Ok("chromium") | Err(_) => {
                let mut command = Command::new(program("CHROMEDRIVER", "chromedriver"));
                command.arg("--port=0");
                let mut start = || Server::start(&mut command, "started successfully on port", &log);
                // It takes a free port of one kind of address, and ends if somebody has the same of the other kind.
                let driver = (1..DRIVER_STARTS).find_map(|_| start().ok()).map_or_else(start, Ok)?;
                let port = driver.greeting.trim_end_matches('.').rsplit(' ').next().unwrap_or_default();
                let url = format!("http://127.0.0.1:{port}");
                (driver, url, chromium())
            }
            Ok(other) => bail!("BROWSER is chromium or firefox, not {other}"),
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let session = builder.capabilities(capabilities).connect(&url).await?;
        // What may take long on a busy machine is waited for, never slept for.
        session.update_timeouts(TimeoutConfiguration::new(Some(PATIENCE), Some(PATIENCE), None)).await?;
        session.set_window_size(1280, 1000).await?;
        Ok(Self { session, _driver: driver })
    }

    /// Closes it. Dropping ends it too, without waiting for the end.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn close(self) -> Result<()> {
        Ok(self.session.clone().close().await?)
    }

    /// Runs a script in the page, not in a frame of it, and returns what it returns; a promise is waited for.
    ///
    /// # Errors
    /// When the script throws.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        self.session.enter_parent_frame().await?;
        Ok(self.session.execute(script, arguments).await?)
    }

    /// An element of the page, not of a frame of it.
    ///
    /// # Errors
    /// When there is none.
    pub async fn find(&self, locator: Locator<'_>) -> Result<Element> {
        self.session.enter_parent_frame().await?;
        Ok(self.session.find(locator).await?)
    }

    /// What a screen reader is told of an element: its role and its name, as the browser works them out.
    ///
    /// # Errors
    /// When the driver does not say.
    pub async fn accessible(&self, element: &Element) -> Result<(String, String)> {
        let mut told = Vec::new();
        for computed in ["computedrole", "computedlabel"] {
            let id = element.element_id().to_string();
            let answer = self.session.issue_cmd(Computed { element: id, computed }).await?;
            told.push(answer.as_str().context("a text")?.to_owned());
        }
        Ok((told.remove(0), told.remove(0)))
    }

    /// Waits until a script returns something that JavaScript takes for true, and returns that.
    ///
    /// # Errors
    /// When it has not after a minute.
    pub async fn wait_for(&self, script: &str) -> Result<Value> {
        let begun = Instant::now();
        loop {
            // A page that is just changing has nothing to say.
            match self.run(script, vec![]).await {
                Ok(value) if truthy(&value) => return Ok(value),
                last if begun.elapsed() > PATIENCE => {
                    bail!("waited in vain for: {script}; it came to {last:?}")
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

/// Whether JavaScript takes a value for true (ECMA-262, section 7.1.2).
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// What a browser works out of an element (WebDriver, sections 12.4.9 and 12.4.10), which fantoccini has no call for.
#[derive(Debug)]
struct Computed {
    element: String,
    computed: &'static str,
}

impl WebDriverCompatibleCommand for Computed {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let (session, Self { element, computed }) = (session.unwrap_or_default(), self);
        base.join(&format!("session/{session}/element/{element}/{computed}"))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::GET, None)
    }
}

impl Deref for Browser {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.session
    }
}

fn chromium() -> Capabilities {
    // Root and containers have no sandbox to offer and little shared memory, and every page it opens is ours. The rest
    // keeps it from calling home.
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ];
    let mut options = json!({ "args": arguments });
    if let Ok(program) = env::var("CHROME") {
        options["binary"] = program.into();
    }
    capabilities("goog:chromeOptions", options)
}

fn firefox() -> Capabilities {
    let mut options = json!({ "args": ["-headless"] });
    if let Ok(program) = env::var("FIREFOX") {
        options["binary"] = program.into();
    }
    capabilities("moz:firefoxOptions", options)
}

fn capabilities(name: &str, options: Value) -> Capabilities {
    Map::from_iter([(name.to_owned(), options)])
}

fn program(variable: &str, name: &str) -> String {
    env::var(variable).unwrap_or_else(|_| name.into())
}
