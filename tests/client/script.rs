//! A vault that answers from a script, and a device whose clock moves only while the client waits.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cardseal::client::{Answer, Cache, Lost, Method, Request, Transport};
use serde_json::Value;

/// The time at which every script begins, in seconds since 1970.
pub(super) const START: u64 = 1_795_000_000;

#[derive(Debug, Default)]
pub(super) struct Script {
    answers: RefCell<VecDeque<Result<Answer, Lost>>>,
    pub(super) sent: RefCell<Vec<Sent>>,
    pub(super) waits: RefCell<Vec<Duration>>,
    clock: Cell<Duration>,
    jitter: f64,
}

/// A request as it went out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// Method and address, as in `GET https://…`.
    pub(super) line: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) reload: bool,
    pub(super) body: Option<String>,
    pub(super) timeout: Duration,
}

impl Script {
    pub(super) fn new(answers: impl IntoIterator<Item = Result<Answer, Lost>>) -> Self {
        Self::with_jitter(0.5, answers)
    }

    pub(super) fn with_jitter(jitter: f64, answers: impl IntoIterator<Item = Result<Answer, Lost>>) -> Self {
        Self { answers: RefCell::new(answers.into_iter().collect()), jitter, ..Self::default() }
    }

    /// Writes the script on.
    pub(super) fn then(&self, answers: impl IntoIterator<Item = Result<Answer, Lost>>) {
        self.answers.borrow_mut().extend(answers);
    }

    /// Method and path of every request so far, `GET+` for one that is not to be answered from a cache.
    pub(super) fn calls(&self) -> Vec<&'static str> {
        assert_eq!(self.answers.borrow().len(), 0, "the script was not played to its end");
        self.sent
            .borrow()
            .iter()
            .map(|sent| match (&*sent.line, sent.reload) {
                ("GET https://vault.example/.well-known/jwks.json", false) => "GET",
                ("GET https://vault.example/.well-known/jwks.json", true) => "GET+",
                ("POST https://vault.example/tokens", false) => "POST",
                other => panic!("unexpected request {other:?}"),
            })
            .collect()
    }

    /// Method and address of every request so far.
    pub(super) fn lines(&self) -> Vec<String> {
        assert_eq!(self.answers.borrow().len(), 0, "the script was not played to its end");
        self.sent.borrow().iter().map(|sent| sent.line.clone()).collect()
    }

    /// The body of each `POST` so far.
    pub(super) fn bodies(&self) -> Vec<Value> {
        let body = |sent: &Sent| Some(serde_json::from_str(sent.body.as_deref()?).unwrap());
        self.sent.borrow().iter().filter_map(body).collect()
    }

    /// The seal in each `POST` so far.
    pub(super) fn seals(&self) -> Vec<String> {
        self.bodies().iter().map(|body| body["card"]["sealed"].as_str().unwrap().to_owned()).collect()
    }
}

impl Sent {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| &**value)
    }
}

impl Transport for &Script {
    async fn send(&self, request: &Request<'_>, timeout: Duration) -> Result<Answer, Lost> {
        let (method, body) = match request.method {
            Method::Get => ("GET", None),
            Method::Post(body) => ("POST", Some(body.to_owned())),
        };
        self.sent.borrow_mut().push(Sent {
            line: format!("{method} {}", request.url),
            headers: request.headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            reload: request.cache == Cache::Reload,
            body,
            timeout,
        });
        self.answers.borrow_mut().pop_front().expect("nothing in the script answers this request")
    }

    async fn wait(&self, time: Duration) {
        self.waits.borrow_mut().push(time);
        self.clock.set(self.clock.get() + time);
    }

    fn now(&self) -> u64 {
        START + self.clock.get().as_secs()
    }

    fn jitter(&self) -> f64 {
        self.jitter
    }
}

/// What a future comes to that waits for nothing in the real world.
pub(super) fn run<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for something that no script gives"),
    }
}
