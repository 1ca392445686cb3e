//! Lists as Omise pages through them.

use serde::Serialize;

use super::body::{BadRequest, Params};
use crate::list::{Limit, Order, Page, Window};
use crate::time::Timestamp;

/// A page of a list.
#[derive(Debug, Serialize)]
pub(super) struct ListObject<T> {
    object: &'static str,
    data: Vec<T>,
    limit: u8,
    offset: u32,
    total: u64,
    location: String,
    order: &'static str,
    from: String,
    to: String,
}

impl<T> ListObject<T> {
    /// A page of the list at `location`. `show` makes objects of what is in it.
    pub(super) fn new<I>(page: Page<I>, location: String, now: Timestamp, show: impl FnMut(I) -> T) -> Self {
        let Page { window, items, total } = page;
        Self {
            object: "list",
            data: items.into_iter().map(show).collect(),
            limit: window.limit.items(),
            offset: window.offset,
            total,
            location,
            order: window.order.as_str(),
            from: window.from.to_string(),
            to: window.to.unwrap_or(now).to_string(),
        }
    }
}

/// Which page a request asks for.
pub(super) fn window(mut params: Params) -> Result<Window, BadRequest> {
    let mut window = Window::default();
    if let Some(limit) = params.text_or_number("limit")? {
        let limit = limit.parse().ok().and_then(Limit::new);
        window.limit = limit.ok_or_else(|| params.wrong_type("limit", "a whole number from 1 to 100"))?;
    }
    if let Some(offset) = params.text_or_number("offset")? {
        let offset = offset.parse().ok();
        window.offset = offset.ok_or_else(|| params.wrong_type("offset", "a whole number"))?;
    }
    if let Some(order) = params.text("order")? {
        window.order = Order::parse(&order)
            .ok_or_else(|| params.wrong_type("order", "chronological or reverse_chronological"))?;
    }
    let mut time = |name| match params.text(name)? {
        Some(text) => match Timestamp::parse(&text) {
            Some(time) => Ok(Some(time)),
            None => Err(params.wrong_type(name, "a time in UTC, such as 2019-12-31T12:59:59Z")),
        },
        None => Ok(None),
    };
    window.from = time("from")?.unwrap_or(window.from);
    window.to = time("to")?;
    params.finish()?;
    Ok(window)
}
