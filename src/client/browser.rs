//! The transport of a browser: `fetch`, `setTimeout` and `Date`.
//!
//! A page can replace what the browser offers, and what it puts there can answer or throw anything. So every value from
//! JavaScript is read through calls that may fail, and whatever fails is a lost request, never a panic.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use js_sys::{Date, Function, Math, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{Answer, Cache, Lost, Method, Request, Transport};
use crate::card::YearMonth;
use crate::object::Object;

/// The browser this code runs in. Anything with `fetch` will do, Node included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Browser;

impl Transport for Browser {
    async fn send(&self, request: &Request<'_>, timeout: Duration) -> Result<Answer, Lost> {
        let controller = AbortController::new().map_err(|_| Lost::Network)?;
        let signal = controller.signal().map_err(|_| Lost::Network)?;
        let mut answer = pin!(fetch_whole(request, &signal));
        let mut time_is_up = pin!(Timer::new(timeout));
        // The timer decides, not the signal: a `fetch` of the page's own may not heed it.
        poll_fn(|context| {
            if let Poll::Ready(answer) = answer.as_mut().poll(context) {
                return Poll::Ready(answer.map_err(|_| Lost::Network));
            }
            ready!(time_is_up.as_mut().poll(context));
            let _ = controller.abort();
            Poll::Ready(Err(Lost::Timeout))
        })
        .await
    }

    async fn wait(&self, time: Duration) {
        Timer::new(time).await;
    }

    fn now(&self) -> u64 {
        seconds(Date::now()).unwrap_or_default()
    }

    fn jitter(&self) -> f64 {
        Math::random()
    }
}

/// The month by the device's clock.
pub(crate) fn today() -> YearMonth {
    YearMonth::today(Browser.now())
}

/// Fetches and reads to the end: a body that stops half-way is a lost answer too.
async fn fetch_whole(request: &Request<'_>, signal: &JsValue) -> Result<Answer, JsValue> {
    let response = settled(&fetch(request.url, &init(request, signal))?).await?;
    let response: Response = response.unchecked_into();
    let status = response.status()?.as_f64().unwrap_or_default();
    let headers = response.headers()?;
    let header = |name| headers.get(name).ok().and_then(|value| value.as_string());
    let date = header("Date").and_then(|date| seconds(Date::parse(&date)));
    let retry_after = header("Retry-After").and_then(|wish| retry_after(&wish, date));
    let body = settled(&response.text()?).await?.as_string().unwrap_or_default();
    Ok(Answer { status: status as u16, date, retry_after, body })
}

/// What a value comes to, as `await` in JavaScript takes it: a promise, whatever else has a `then`, or neither.
fn settled(value: &JsValue) -> JsFuture {
    // `resolve` never throws; what reading or calling the value's `then` throws is a rejection.
    Promise::new(&mut |resolve, _| drop(resolve.call1(&JsValue::UNDEFINED, value))).into()
}

/// The request in the form that `fetch` takes (Fetch standard, RequestInit).
fn init(request: &Request<'_>, signal: &JsValue) -> JsValue {
    let headers = Object::new();
    for (name, value) in request.headers {
        headers.text(name, *value);
    }
    let init = Object::new();
    if let Method::Post(body) = request.method {
        init.text("method", "POST");
        init.text("body", body);
        headers.text("Content-Type", "application/json");
    }
    if request.cache == Cache::Reload {
        init.text("cache", "reload");
    }
    // No cookie goes along, no redirect leads elsewhere, and the vault does not learn which page it was.
    init.text("credentials", "omit");
    init.text("redirect", "error");
    init.text("referrerPolicy", "no-referrer");
    init.set("headers", &headers.into());
    init.set("signal", signal);
    init.into()
}

/// `Retry-After` as seconds or as a date (RFC 9110 section 10.2.3); a date counts from the answer's own.
fn retry_after(wish: &str, date: Option<u64>) -> Option<Duration> {
    if let Ok(wish) = wish.parse() {
        return Some(Duration::from_secs(wish));
    }
    let (until, now) = (seconds(Date::parse(wish))?, date?);
    Some(Duration::from_secs(until.saturating_sub(now)))
}

/// Ready once the time has passed; called off when it is dropped.
struct Timer {
    id: JsValue,
    passed: JsFuture,
}

impl Timer {
    fn new(time: Duration) -> Self {
        let mut id = JsValue::UNDEFINED;
        let passed = Promise::new(&mut |passed, _| match set_timeout(&passed, 1000.0 * time.as_secs_f64()) {
            Ok(timer) => id = timer,
            // Whoever has no timers does not wait.
            Err(_) => drop(passed.call0(&JsValue::UNDEFINED)),
        });
        Self { id, passed: passed.into() }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.passed).poll(context).map(drop)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // The worst that can come of a failure is a timer that nobody hears.
        let _ = clear_timeout(&self.id);
    }
}

fn seconds(milliseconds: f64) -> Option<u64> {
    (milliseconds >= 0.0).then_some((milliseconds / 1000.0) as u64)
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, init: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = setTimeout)]
    fn set_timeout(callback: &Function, milliseconds: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue) -> Result<(), JsValue>;

    type AbortController;
    #[wasm_bindgen(constructor, catch)]
    fn new() -> Result<AbortController, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn signal(this: &AbortController) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn abort(this: &AbortController) -> Result<(), JsValue>;

    type Response;
    #[wasm_bindgen(method, getter, structural, catch)]
    fn status(this: &Response) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, structural, catch)]
    fn headers(this: &Response) -> Result<Headers, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn text(this: &Response) -> Result<JsValue, JsValue>;

    type Headers;
    #[wasm_bindgen(method, structural, catch)]
    fn get(this: &Headers, name: &str) -> Result<JsValue, JsValue>;
}
