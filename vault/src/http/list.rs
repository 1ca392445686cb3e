//! Lists as Omise pages through them.

use serde_json::Value;

use super::body::{BadRequest, Params};
use super::openapi::{Operation, schema};
use crate::list::{Limit, Order, Window};
use crate::time::Timestamp;

/// An operation that asks for a page: what [`window`] reads.
pub(super) fn described(operation: Operation) -> Operation {
    let window = Window::default();
    let with_default = |mut schema: Value, default: Value| {
        schema["default"] = default;
        schema
    };
    let limit = schema::whole(1, Limit::MAX.into(), "Most items of the page.");
    let offset = schema::whole(0, u32::MAX.into(), "How many items are left out before it.");
    let order = schema::one_of(Order::ALL.map(Order::as_str), "What comes first.");
    let from = schema::time("Since when items were made.");
    operation
        .query("limit", with_default(limit, window.limit.items().into()))
        .query("offset", with_default(offset, window.offset.into()))
        .query("order", with_default(order, window.order.as_str().into()))
        .query("from", with_default(from, window.from.to_string().into()))
        .query("to", schema::time("Until when; now, unless you say another time."))
        .reads()
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
