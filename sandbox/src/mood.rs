//! How a vendor answers next: as documented, or in one of the ways that servers fail in.

use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use thiserror::Error;

/// How a request is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// As the vendor's documents say.
    #[default]
    Well,
    /// It is carried out, and answered so much later.
    Late(Duration),
    /// It is not carried out, and answered with this status and an empty object.
    Status(StatusCode),
    /// The same, with the wish not to be asked again for so many seconds.
    Busy(StatusCode, u32),
    /// It is carried out, and answered with what is no JSON.
    Garbage,
    /// It is not carried out, and the connection ends.
    HangUp,
    /// It is carried out, and the connection ends before the answer.
    LoseAnswer,
}

/// Not a mood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "a mood is well, late:MILLISECONDS, status:NUMBER, busy:NUMBER:SECONDS, garbage, hang-up or lose-answer"
)]
pub struct NotAMood;

impl FromStr for Mood {
    type Err = NotAMood;

    fn from_str(text: &str) -> Result<Self, NotAMood> {
        Ok(match text.split_once(':') {
            Some(("late", millis)) => {
                Self::Late(Duration::from_millis(millis.parse().map_err(|_| NotAMood)?))
            }
            Some(("busy", busy)) => {
                let (status, seconds) = busy.split_once(':').ok_or(NotAMood)?;
                Self::Busy(status.parse().map_err(|_| NotAMood)?, seconds.parse().map_err(|_| NotAMood)?)
            }
            Some(("status", status)) => Self::Status(status.parse().map_err(|_| NotAMood)?),
            None if text == "well" => Self::Well,
            None if text == "garbage" => Self::Garbage,
            None if text == "hang-up" => Self::HangUp,
            None if text == "lose-answer" => Self::LoseAnswer,
            _ => return Err(NotAMood),
        })
    }
}

/// A server's moods, one request after the other. When they are used up it is well.
#[derive(Clone, Debug, Default)]
pub struct Moods(Arc<Mutex<VecDeque<Mood>>>);

impl Moods {
    /// Answers the next requests so, after those that others were said of.
    pub fn set(&self, mood: Mood, requests: usize) {
        self.queue().extend(std::iter::repeat_n(mood, requests));
    }

    /// Forgets what was said.
    pub fn clear(&self) {
        self.queue().clear();
    }

    pub(crate) fn next(&self) -> Mood {
        self.queue().pop_front().unwrap_or_default()
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Mood>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn moods_are_read() {
        for (text, mood) in [
            ("well", Mood::Well),
            ("late:1500", Mood::Late(Duration::from_millis(1500))),
            ("status:503", Mood::Status(StatusCode::SERVICE_UNAVAILABLE)),
            ("busy:429:5", Mood::Busy(StatusCode::TOO_MANY_REQUESTS, 5)),
            ("garbage", Mood::Garbage),
            ("hang-up", Mood::HangUp),
            ("lose-answer", Mood::LoseAnswer),
        ] {
            assert_eq!(text.parse::<Mood>().unwrap(), mood);
        }
        for text in
            ["", "late", "late:", "late:soon", "status:99", "status:1000", "busy:503", "busy:503:-1", "angry"]
        {
            assert_eq!(text.parse::<Mood>(), Err(NotAMood), "{text}");
        }
    }

    #[test]
    fn each_is_for_one_request() {
        let moods = Moods::default();
        moods.set(Mood::Garbage, 2);
        moods.set(Mood::HangUp, 1);
        let next: Vec<_> = (0..4).map(|_| moods.next()).collect();
        assert_eq!(next, [Mood::Garbage, Mood::Garbage, Mood::HangUp, Mood::Well]);
    }
}
