//! A request's body whose client has to send it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::places::Place;

/// A body that fails when it is not there in full at some moment.
#[derive(Debug)]
pub(super) struct Awaited {
    body: Incoming,
    end: Instant,
    /// Runs once there is something to wait for.
    waiting: Option<Pin<Box<Sleep>>>,
    place: Arc<Place>,
}

impl Awaited {
    /// When it is there, it is no longer the client's turn in this place.
    pub(super) fn until(end: Instant, body: Incoming, place: Arc<Place>) -> Self {
        if body.is_end_stream() {
            place.works();
        }
        Self { body, end, waiting: None, place }
    }
}

impl Body for Awaited {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            // Also where a drop is always there when somebody looks.
            let is_late = frame.is_some() && Instant::now() >= self.end;
            if !is_late && (frame.is_none() || self.body.is_end_stream()) {
                self.place.works();
            }
            let frame =
                if is_late { Some(Err(late())) } else { frame.map(|frame| frame.map_err(io::Error::other)) };
            return Poll::Ready(frame);
        }
        let end = self.end;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep_until(end)));
        waiting.as_mut().poll(context).map(|()| Some(Err(late())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn late() -> io::Error {
    io::ErrorKind::TimedOut.into()
}
