//! A lane that cannot go on stands still, tells where and why, and waits for a way out; the others go on.
//!
//! The way out is an override (`log/overrides.rs`): once there is one that was not there, the lane is taken up again.

use std::time::Duration;

use async_nats::Client;
use jiff::Timestamp;
use linesman_domain as domain;
use linesman_schemas::lane_override::{Overridden, Override};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use utoipa::ToSchema;

use super::Error;
use super::rows::DifferingRows;
use super::status::LaneStatus;
use crate::log::{self, mark, overrides};
use crate::logging::full;

/// How often a lane that stands still looks whether there is a way out.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What differs where no event does.
const ROWS_ALONE: &str =
    "no event differs that OUT still has: rows of its state do, of which nothing was said, or the mark was changed";

/// Where and why a lane stands still.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stopped {
    /// Why, in words.
    pub why: String,
    /// Sequence in IN of the input that it does not pass; 0 where it is none. Of a lane that decides otherwise than was committed, that
    /// of which the first event came that differs; where none is found, the last that was committed.
    pub position: u64,
    /// By which subject the input came, without its source; none where IN does not have it.
    pub subject: Option<String>,
    /// SHA-256 of the input, in hexadecimal.
    pub sha256: Option<String>,
    /// Its length in bytes.
    pub length: Option<usize>,
    /// What fell due with the input and cannot be done, where it is that: skipped is this, and the input is decided.
    pub timer: Option<String>,
    /// The job whose slice the input is, where it is that: skipped is what is left of it, from engine level 15 on.
    pub job: Option<String>,
    /// What it decided otherwise than was committed; none where it cannot decide at all.
    pub diverged: Option<Diverged>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// What a lane has decided otherwise than was committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Diverged {
    /// Sequence in IN up to which it was committed.
    pub position: u64,
    /// The digest that was committed, in hexadecimal.
    pub expected: String,
    /// The one that is found.
    pub found: String,
    /// The events that differ, the first of them.
    pub events: Vec<Differing>,
    /// How many more there are.
    pub more: usize,
    /// The rows that differ from the state that stood there before; null where there was none, or too much of it.
    pub rows: Option<DifferingRows>,
}

/// An event that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Differing {
    /// Its subject.
    pub subject: String,
    /// Its id.
    pub id: String,
    /// In what it differs.
    pub how: How,
}

/// In what an event differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// It was committed, and says something else now.
    Otherwise,
    /// It is decided now, and was not committed.
    New,
}

impl Stopped {
    /// Where a lane stands that has ended so; none where that ends the engine.
    pub(super) async fn of(client: &Client, error: &Error) -> Option<Self> {
        let (position, diverged) = match error {
            Error::Decide { position, .. } | Error::BrokeOff { position, .. } => (*position, None),
            Error::Damaged { .. } | Error::Idle { .. } => (0, None),
            Error::Diverged { input, diverged, .. } => (*input, Some((**diverged).clone())),
            _ => return None,
        };
        let (timer, job) = match error {
            Error::Decide { source: domain::Error::Timer { timer, .. }, .. } => (Some(timer.clone()), None),
            Error::Decide { source: domain::Error::Slice { job, .. }, .. } => (None, Some(job.clone())),
            _ => (None, None),
        };
        let why = match &diverged {
            Some(diverged) if diverged.events.is_empty() => format!("{}; {ROWS_ALONE}", full(error)),
            _ => full(error),
        };
        let input = overrides::input(client, position).await.ok().flatten();
        Some(Self {
            why,
            position,
            sha256: input.as_ref().map(|(_, bytes)| hex::encode(Sha256::digest(bytes))),
            length: input.as_ref().map(|(_, bytes)| bytes.len()),
            subject: input.map(|(subject, _)| subject),
            timer,
            job,
            diverged,
            since: Timestamp::now(),
        })
    }
}

/// Waits until there is an override of a lane behind a place in OUT; whether there is one, and it was not told to end first.
pub(super) async fn way_out(client: &Client, lane: u32, after: u64, stop: &mut watch::Receiver<bool>) -> bool {
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return false,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        match overrides::behind(client, lane, after).await {
            Ok((found, _)) if !found.is_empty() => return true,
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(lane, error = full(&error), "it cannot be seen yet whether there is a way out")
            }
        }
    }
}

/// Why a way out is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The lane does not stand still there, or has gone on.
    #[error("{0}")]
    Conflict(String),
    /// The log does not answer.
    #[error(transparent)]
    Log(#[from] log::Error),
    /// The override is not written.
    #[error(transparent)]
    Emit(#[from] log::outbox::EmitError),
}

/// A way out that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The input is set aside; or what fell due with it, where that cannot be done.
    Skip {
        /// Even where reports of what was carried out stand behind it, and what they are of is decided again.
        is_forced: bool,
    },
    /// What is decided now counts.
    Rejudge,
}

/// Writes a way out of where a lane stands still: `one` without what it decides and of which input.
///
/// # Errors
/// The lane does not stand there, or the log takes nothing.
pub async fn take((client, lanes): (Client, u32), status: &LaneStatus, way: Way, one: Override) -> Result<(), Refused> {
    let conflict = |detail: String| Err(Refused::Conflict(detail));
    let (lane, position) = (one.lane, one.position);
    let Some(stopped) = &status.stopped else {
        return conflict(format!("lane {lane} does not stand still: only what it cannot pass is set aside"));
    };
    if stopped.position == 0 {
        return conflict(format!(
            "lane {lane} stands still at no input: `linesman lane show {lane}` says what it takes"
        ));
    }
    let written = overrides::read(&client, lane).await?.all;
    if let Some(one) = written.iter().find(|one| one.at >= stopped.since) {
        return conflict(format!(
            "there is a way out of it already, at {} by {}: it is taken up by it",
            one.position, one.by
        ));
    }
    let last = mark::last(&client, lane).await?;
    let Some(mark) = last.stored.as_ref().map(|stored| stored.mark.clone()) else {
        return conflict(format!("lane {lane} has committed nothing yet: there is nothing that it could go on from"));
    };
    // What was committed is decided anew: that it comes to something else is accepted with it.
    let accepted = |found: &str| Override {
        position: mark.position,
        message: mark.message.clone(),
        what: Overridden::AcceptDecision { expected: mark.digest.clone(), found: found.to_owned() },
        ..one.clone()
    };
    let found = stopped.diverged.as_ref().map_or("", |diverged| diverged.found.as_str());
    let overrides = match way {
        Way::Rejudge if stopped.diverged.is_none() => {
            return conflict(format!("lane {lane} has not decided otherwise than was committed: skip the input"));
        }
        Way::Rejudge if position != mark.position => {
            return conflict(format!("lane {lane} decides otherwise up to {}, not up to {position}", mark.position));
        }
        Way::Rejudge => vec![accepted(found)],
        Way::Skip { .. }
            if position != stopped.position && (stopped.diverged.is_none() || position > mark.position) =>
        {
            return conflict(format!("lane {lane} stands still at {}, not at {position}", stopped.position));
        }
        Way::Skip { is_forced } => {
            let Some((subject, bytes)) = overrides::input(&client, position).await? else {
                return conflict(format!("IN has no message {position}"));
            };
            if !is_of(lanes, lane, &subject) {
                return conflict(format!("the message {position} of IN is not of lane {lane}"));
            }
            let is_committed = position <= mark.position;
            if is_committed && !is_forced {
                let carried_out = overrides::reports(&client, lane, &subject, position).await?;
                if carried_out > 0 {
                    return conflict(shifted(lane, position, carried_out));
                }
            }
            let message = hex::encode(Sha256::digest(&bytes));
            let what = match &stopped.timer {
                Some(timer) if position == stopped.position => Overridden::SkipTimer { timer: timer.clone() },
                _ => Overridden::SkipInput,
            };
            let skipped = Override { message, what, ..one.clone() };
            if is_committed { vec![skipped, accepted("")] } else { vec![skipped] }
        }
    };
    overrides::write(client, lane, &overrides, &last, mark).await?;
    Ok(())
}

/// What comes of it when an input is skipped that reports of what was carried out stand behind.
fn shifted(lane: u32, position: u64, carried_out: u64) -> String {
    let reports = if carried_out == 1 { "1 report".to_owned() } else { format!("{carried_out} reports") };
    format!(
        "behind the message {position} lane {lane} has {reports} of what was carried out: decided again without it, incidents \
         and reactions have other numbers, those reports are of others, and what was sent is sent once more; accept what is \
         decided now instead, or force it"
    )
}

/// Whether a message that came by a subject is of a lane.
fn is_of(lanes: u32, lane: u32, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    match (tokens.next(), tokens.next()) {
        (Some("in"), Some(org)) => log::streams::lane_of(org, lanes) == lane,
        (_, Some(number)) => number == lane.to_string(),
        _ => false,
    }
}
