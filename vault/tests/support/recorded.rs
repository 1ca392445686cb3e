//! A request's body that can be looked at when it was read.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// The most that is kept: no larger body is fulfilled.
const MOST: usize = 8 * 1024;

/// What was read of a body.
#[derive(Clone, Default)]
pub(crate) struct Read(Arc<Mutex<Vec<u8>>>);

/// A body that is read as it is.
pub(crate) struct Recorded {
    body: Body,
    read: Read,
}

impl Recorded {
    pub(crate) fn of(body: Body) -> (Body, Read) {
        let read = Read::default();
        (Body::new(Self { body, read: read.clone() }), read)
    }
}

impl Read {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl HttpBody for Recorded {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            let mut read = self.read.0.lock().unwrap();
            let room = MOST.saturating_sub(read.len());
            read.extend_from_slice(&data[..data.len().min(room)]);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
