//! Reads both streams and the lanes' states through, round and round, and says what of them is damaged: what nobody reads any
//! more is noticed only when a lane has to be rebuilt from it, at the next start, or by nobody.
//!
//! IN is held against the hashes in the lanes' states (`linesman_domain::spans`), OUT against itself, each row of a state against
//! its check. Of the streams it reads what the server
//! gives: what the server cannot read is missing. It mends nothing, and changes no readiness: what is decided, is decided of a
//! state that is whole, and an engine that is taken out of service for it could do nothing that this one cannot.

mod input;
mod output;
mod pace;
mod round;
mod state;
#[cfg(test)]
mod tests;

pub use round::{Damage, Reading, Round, Rows};

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::Client;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::lane::status::LaneStatus;
use crate::log;
use crate::log::scan::{self, Scan};
use crate::log::streams::{IN, OUT};
use crate::logging::full;
use crate::store::{self, Store};
use input::Input;
use output::{GAPS_MOST, Output};
use pace::Pace;
use state::STATE;

/// How long after the start the first round begins, and how long it rests behind each.
const FIRST_AFTER: Duration = Duration::from_secs(10);
const REST: Duration = Duration::from_secs(3_600);
/// How long behind one that broke off.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How many bytes a second are read where somebody waits for it.
const ASKED_BYTES_PER_S: u64 = 128 * 1024 * 1024;
/// How many faults a round tells in the log, and how many are remembered as told.
const TOLD_MOST: usize = 20;
const REMEMBERED_MOST: usize = 10_000;

/// What of the streams is known.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = Verification)]
pub struct Overview {
    /// How many bytes a second are read in the background; 0: nothing is.
    pub bytes_per_s: u64,
    /// How many rounds have come to their end in the background.
    pub rounds: u64,
    /// The one that is under way in the background; null while it rests.
    pub current: Option<Round>,
    /// The last one that has ended.
    pub last: Option<Round>,
    /// The one that somebody asked for last; null where nobody has.
    pub asked: Option<Round>,
    /// How many faults the last round over all lanes has found, whoever asked for it; of one that is under way where those are more.
    pub faults: u64,
}

/// Who reads it, and in which of the places of the overview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Background,
    Asked,
}

/// Somebody else has asked for another round that is under way.
#[derive(Debug)]
pub struct Busy;

/// How others look at it, and ask for it.
#[derive(Debug, Clone)]
pub struct Verification(watch::Sender<Overview>);

/// Why a round ends before its end.
#[derive(Debug, thiserror::Error)]
enum BrokenOff {
    #[error("the streams cannot be read")]
    Log(#[from] log::Error),
    #[error("the hashes cannot be read")]
    Store(#[from] store::Error),
}

/// What reads the streams.
pub struct Scrub {
    client: Client,
    store: Arc<Store>,
    lanes: Vec<watch::Receiver<LaneStatus>>,
    bytes_per_s: u64,
    overview: watch::Sender<Overview>,
    told: Mutex<BTreeSet<Damage>>,
}

impl Verification {
    /// What is known by now.
    pub fn overview(&self) -> Overview {
        self.0.borrow().clone()
    }

    /// Asks for a round of all lanes, or of one, or joins the same that is under way; as it is by now.
    ///
    /// # Errors
    /// Another one is under way that somebody asked for.
    pub fn ask(&self, lane: Option<u32>) -> Result<Round, Busy> {
        let mut asked = Err(Busy);
        self.0.send_if_modified(|overview| match &overview.asked {
            Some(round) if round.ended.is_none() => {
                if round.lane == lane {
                    asked = Ok(round.clone());
                }
                false
            }
            before => {
                let number = before.as_ref().map_or(1, |before| before.round + 1);
                let round = Round::begin(number, lane);
                asked = Ok(round.clone());
                overview.asked = Some(round);
                true
            }
        });
        asked
    }
}

impl Scrub {
    /// What reads the streams of a store's lanes, so many bytes a second in the background; 0 for none.
    pub fn new(
        client: Client,
        store: Arc<Store>,
        lanes: Vec<watch::Receiver<LaneStatus>>,
        bytes_per_s: u64,
    ) -> (Self, Verification) {
        let overview = watch::Sender::new(Overview { bytes_per_s, ..Overview::default() });
        let verification = Verification(overview.clone());
        (Self { client, store, lanes, bytes_per_s, overview, told: Mutex::default() }, verification)
    }

    /// Reads until it is dropped.
    pub async fn run(self) {
        metrics::gauge!("linesman_scrub_faults").set(0.0);
        tokio::join!(self.go_round(), self.answer());
    }

    /// Reads in the background.
    async fn go_round(&self) {
        if self.bytes_per_s == 0 {
            return;
        }
        tokio::time::sleep(FIRST_AFTER).await;
        for number in 1.. {
            let is_whole = self.round(Of::Background, Round::begin(number, None)).await;
            tokio::time::sleep(if is_whole { REST } else { AGAIN_AFTER }).await;
        }
    }

    /// Reads where somebody asks for it.
    async fn answer(&self) {
        let mut overview = self.overview.subscribe();
        loop {
            let is_open = |overview: &Overview| overview.asked.as_ref().is_some_and(|round| round.ended.is_none());
            let asked = match overview.wait_for(is_open).await {
                Ok(overview) => overview.asked.clone(),
                Err(_) => return,
            };
            if let Some(round) = asked {
                self.round(Of::Asked, round).await;
            }
        }
    }

    /// One round; whether it came to its end.
    async fn round(&self, of: Of, mut round: Round) -> bool {
        let rate = if of == Of::Background { self.bytes_per_s } else { ASKED_BYTES_PER_S };
        let lanes: &[_] = if of == Of::Background { self.lanes.as_slice() } else { &[] };
        let mut pace = Pace::new(rate, lanes);
        self.show(of, &round);
        let read = async {
            self.read_input(of, &mut round, &mut pace).await?;
            self.read_output(of, &mut round, &mut pace).await?;
            self.read_states(of, &mut round, &mut pace).await
        };
        round.broken_off = read.await.err().map(|error: BrokenOff| full(&error));
        let is_whole = round.broken_off.is_none();
        if let Some(why) = &round.broken_off {
            tracing::warn!(round = round.round, why, "the streams were not read to their end");
        }
        round.ended = Some(Timestamp::now());
        self.tell(&round);
        self.finish(of, round);
        is_whole
    }

    async fn read_input(&self, of: Of, round: &mut Round, pace: &mut Pace<'_>) -> Result<(), BrokenOff> {
        let count = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        let wanted = (0..count).filter(|lane| round.lane.is_none_or(|wanted| wanted == *lane));
        let rows = wanted.map(|lane| Ok((lane, self.store.lane(lane)?)));
        let rows = rows.collect::<Result<Vec<_>, store::Error>>()?;
        // IMPORTANT: before it is known how far IN goes.
        let open = Input::open(&rows)?;
        let extent = scan::extent(&self.client, IN).await?;
        let mut input = Input::begin(rows, open, (extent, round.lane.is_some()), &mut round.input)?;
        let mut scan = Scan::new(self.client.clone(), IN, extent);
        loop {
            let messages = scan.next().await?;
            if messages.is_empty() {
                break;
            }
            let bytes = weight(&messages);
            for message in messages {
                input.take(&message, round)?;
            }
            metrics::counter!("linesman_scrub_bytes_total", "stream" => IN).increment(bytes);
            self.show(of, round);
            pace.spent(bytes).await;
        }
        input.end(scan::extent(&self.client, IN).await?.first, round)?;
        Ok(())
    }

    async fn read_output(&self, of: Of, round: &mut Round, pace: &mut Pace<'_>) -> Result<(), BrokenOff> {
        let extent = scan::extent(&self.client, OUT).await?;
        let lanes = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        let mut output = Output::begin(lanes, round.lane, extent, round);
        let mut scan = Scan::new(self.client.clone(), OUT, extent);
        loop {
            let messages = scan.next().await?;
            if messages.is_empty() {
                break;
            }
            let bytes = weight(&messages);
            messages.iter().for_each(|message| output.take(message, round));
            metrics::counter!("linesman_scrub_bytes_total", "stream" => OUT).increment(bytes);
            self.show(of, round);
            pace.spent(bytes).await;
        }
        let end = scan::extent(&self.client, OUT).await?;
        let deleted = match end.deleted {
            few if few <= GAPS_MOST as u64 && !output.is_full() => Some(scan::deleted(&self.client, OUT).await?),
            _ => None,
        };
        output.end(end.first, deleted.as_ref(), round);
        Ok(())
    }

    async fn read_states(&self, of: Of, round: &mut Round, pace: &mut Pace<'_>) -> Result<(), BrokenOff> {
        let count = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        for lane in (0..count).filter(|lane| round.lane.is_none_or(|wanted| wanted == *lane)).collect::<Vec<_>>() {
            state::read((lane, self.store.lane(lane)?), round, pace, |round| self.show(of, round)).await?;
        }
        Ok(())
    }

    /// Shows how far a round is.
    fn show(&self, of: Of, round: &Round) {
        self.overview.send_modify(|overview| {
            match of {
                Of::Background => overview.current = Some(round.clone()),
                Of::Asked => overview.asked = Some(round.clone()),
            }
            overview.faults = overview.faults.max(round.faults_in_all);
        });
    }

    /// Shows what a round has come to.
    fn finish(&self, of: Of, round: Round) {
        let is_all = round.lane.is_none() && round.broken_off.is_none();
        self.overview.send_modify(|overview| {
            if is_all {
                overview.faults = round.faults_in_all;
            }
            match of {
                Of::Background => {
                    overview.rounds += u64::from(is_all);
                    overview.current = None;
                    overview.last = Some(round);
                }
                Of::Asked => overview.asked = Some(round),
            }
            metrics::gauge!("linesman_scrub_faults").set(overview.faults as f64);
        });
        if of == Of::Background && is_all {
            metrics::counter!("linesman_scrub_rounds_total").increment(1);
        }
    }

    /// Tells of each fault once.
    fn tell(&self, round: &Round) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = told.len() >= REMEMBERED_MOST;
        // Of a state whoever reads it tells.
        let faults = round.faults.iter().filter(|damage| damage.stream != STATE);
        let news: Vec<&Damage> = faults.filter(|damage| !is_known && told.insert((*damage).clone())).collect();
        for damage in news.iter().take(TOLD_MOST) {
            let (stream, lane) = (damage.stream, damage.lane);
            tracing::warn!(stream, lane, what = damage.what, meaning = damage.meaning, "the log is damaged");
        }
        if let Some(more) = news.len().checked_sub(TOLD_MOST).filter(|more| *more > 0) {
            tracing::warn!(more, "the log is damaged in more places; `linesman verify` tells them");
        }
    }
}

/// How many bytes messages count for.
fn weight(messages: &[scan::Lying]) -> u64 {
    messages.iter().map(|one| (one.payload.len() + one.subject.len() + 64) as u64).sum()
}
