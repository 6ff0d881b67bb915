//! What IN takes on the subjects of lanes that there are not: `p.<n>.ctl` with a number that no lane has, or with none. Only
//! the engine's login may publish there, and whoever it was given to.
//!
//! Such subjects are found by what the server says that IN has, and their messages are asked for one by one: reading the
//! subjects of all lanes to pass nearly all of it over would cost as much again as deciding it.

use std::collections::{BTreeMap, VecDeque};

use async_nats::Client;
use serde::Deserialize;
use serde_json::json;

use super::reader::InMessage;
use super::streams::{self, IN};
use super::{Error, api};

/// What of IN is told to a lane, or to none.
const TOLD: &str = "p.*.ctl";

/// Messages on subjects of no lane, each subject's next one first.
pub struct Strays {
    client: Client,
    next: BTreeMap<u64, InMessage>,
}

impl Strays {
    /// Those that IN has from a sequence on, where it has so many lanes.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn find(client: &Client, lanes: u32, from: u64) -> Result<Self, Error> {
        let mut strays = Self { client: client.clone(), next: BTreeMap::new() };
        for subject in subjects(client, lanes).await? {
            strays.go_on(&subject, from).await?;
        }
        Ok(strays)
    }

    /// The sequence of the first of them.
    pub fn first(&self) -> Option<u64> {
        self.next.first_key_value().map(|(sequence, _)| *sequence)
    }

    /// The first of them; behind it comes the next one of its subject.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn take(&mut self) -> Result<Option<InMessage>, Error> {
        let Some((sequence, message)) = self.next.pop_first() else { return Ok(None) };
        self.go_on(&message.subject, sequence + 1).await?;
        Ok(Some(message))
    }

    async fn go_on(&mut self, subject: &str, from: u64) -> Result<(), Error> {
        if let Some(message) = streams::next_message(&self.client, subject, from).await? {
            self.next.insert(message.sequence, message);
        }
        Ok(())
    }
}

/// What no lane reads, in the order in which it came: what has been read of the untransformed, and strays.
#[derive(Debug, Default)]
pub struct Waiting(VecDeque<InMessage>);

impl Waiting {
    /// Whether nothing is left of what was read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was read.
    pub fn add(&mut self, read: Vec<InMessage>) {
        self.0.extend(read);
    }

    /// What is to be set aside next behind a sequence, at most so much: nothing that came later before what came earlier.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn take(
        &mut self,
        mut strays: Strays,
        untransformed: &str,
        (behind, messages, bytes): (u64, usize, usize),
    ) -> Result<Vec<InMessage>, Error> {
        let mut taken: Vec<InMessage> = Vec::new();
        let mut size = 0;
        while taken.len() < messages && size < bytes {
            let read = self.0.front().map(|message| message.sequence);
            let one = match (read, strays.first()) {
                (None, None) => break,
                (Some(read), stray) if stray.is_none_or(|stray| read < stray) => self.0.pop_front(),
                (Some(_), _) => strays.take().await?,
                (None, Some(stray)) => {
                    // One that was not read yet may have come before.
                    let from = taken.last().map_or(behind, |last| last.sequence) + 1;
                    let next = streams::next_on(&strays.client, untransformed, from).await?;
                    if next.is_some_and(|(sequence, _)| sequence < stray) {
                        break;
                    }
                    strays.take().await?
                }
            };
            let Some(one) = one else { break };
            size += one.payload.len();
            taken.push(one);
        }
        Ok(taken)
    }
}

/// The subjects of IN on which a lane would be told something that there is not.
async fn subjects(client: &Client, lanes: u32) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Info {
        state: State,
    }
    #[derive(Deserialize)]
    struct State {
        #[serde(default)]
        subjects: Option<BTreeMap<String, u64>>,
    }
    let info: Info = api(client, &format!("STREAM.INFO.{IN}"), &json!({"subjects_filter": TOLD})).await?;
    let found = info.state.subjects.unwrap_or_default().into_keys();
    Ok(found.filter(|subject| !is_of_a_lane(subject, lanes)).collect())
}

/// Whether a lane reads a subject, where there are so many.
fn is_of_a_lane(subject: &str, lanes: u32) -> bool {
    let lane = subject.split('.').nth(1).unwrap_or_default();
    lane.parse::<u32>().is_ok_and(|number| number < lanes && number.to_string() == lane)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_a_number_as_it_is_written() {
        let of = |subject: &str| is_of_a_lane(subject, 16);
        assert!(of("p.0.ctl") && of("p.15.ctl"));
        for other in ["p.16.ctl", "p.x.ctl", "p.01.ctl", "p.+1.ctl", "p.-1.ctl", "p"] {
            assert!(!of(other), "{other}");
        }
    }
}
