//! Who works while the demo runs: the support system, which moves cases on and closes them, and people, who complete
//! incidents.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, ensure};
use linesman_connectors::standin::Standin;
use linesman_connectors::tls;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval};

use super::super::people::Engine;
use super::News;
use super::Telling;
use super::board::Due;

/// How long a case lies at the support system before somebody works on it, and how long that takes.
const TAKEN_UP_AFTER: Duration = Duration::from_secs(4);
const CLOSED_AFTER: Duration = Duration::from_secs(10);
/// How long people take for an incident whose case is closed, and for any other.
const COMPLETED_AFTER: Duration = Duration::from_secs(2);
const LOOKED_AFTER: Duration = Duration::from_secs(40);
/// How often it is looked what has come due, and how often cases are counted.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const COUNT_EVERY: Duration = Duration::from_secs(2);

/// What somebody does about an incident.
#[derive(Debug, Clone, Copy)]
enum Step {
    TakeUp,
    Close,
    Complete,
    /// The same, of one that has no case.
    LookAfter,
}

/// What is to be done, by when.
#[derive(Default)]
struct Diary {
    /// Of each kind the earliest first.
    steps: [VecDeque<(Instant, String)>; 4],
}

impl Diary {
    fn note(&mut self, due: Due, now: Instant) {
        let mut put = |step: Step, incident: String, after: Duration| {
            if let Some(steps) = self.steps.get_mut(step as usize) {
                steps.push_back((now + after, incident));
            }
        };
        match due {
            Due::New(incident) => put(Step::LookAfter, incident, LOOKED_AFTER),
            Due::Closed(incident) => put(Step::Complete, incident, COMPLETED_AFTER),
            Due::Assigned(incident) => {
                put(Step::TakeUp, incident.clone(), TAKEN_UP_AFTER);
                put(Step::Close, incident, CLOSED_AFTER);
            }
        }
    }

    /// One that is due.
    fn next(&mut self, now: Instant) -> Option<(Step, String)> {
        for step in [Step::TakeUp, Step::Close, Step::Complete, Step::LookAfter] {
            let steps = self.steps.get_mut(step as usize)?;
            if let Some((_, incident)) = steps.pop_front_if(|(due, _)| *due <= now) {
                return Some((step, incident));
            }
        }
        None
    }
}

/// The support system's own side, and the engine's API.
pub(super) struct Work {
    http: Client,
    support: String,
    engine: Engine,
}

impl Work {
    /// At a stand-in, and by an engine.
    ///
    /// # Errors
    /// There is no client for it.
    pub(super) fn new(standin: &Standin, engine: Engine) -> anyhow::Result<Self> {
        let http = tls::http_client(Some(standin.ca_path()))?.build()?;
        Ok(Self { http, support: standin.url(), engine })
    }

    /// Does what comes due; ready once nobody tells any more what that is.
    ///
    /// # Errors
    /// The support system does not answer.
    pub(super) async fn go_on(
        self,
        mut dues: mpsc::UnboundedReceiver<Due>,
        is_paused: watch::Receiver<bool>,
        telling: Telling,
    ) -> anyhow::Result<()> {
        let mut diary = Diary::default();
        let (mut look, mut count) = (interval(LOOK_EVERY), interval(COUNT_EVERY));
        loop {
            tokio::select! {
                due = dues.recv() => match due {
                    Some(due) => diary.note(due, Instant::now()),
                    None => return Ok(()),
                },
                _ = count.tick() => {
                    let (cases, twice) = self.count().await?;
                    telling.tell(News::AtSupport { cases, twice });
                }
                _ = look.tick(), if !*is_paused.borrow() => {
                    while let Some((step, incident)) = diary.next(Instant::now()) {
                        self.take(step, &incident).await?;
                    }
                }
            }
        }
    }

    async fn take(&self, step: Step, incident: &str) -> anyhow::Result<()> {
        let note = json!({"id": format!("{incident}-note"), "author": "support", "text": "an engineer looks at it",
            "at": jiff::Timestamp::now()});
        match step {
            Step::TakeUp => self.moves(json!({"tracking": incident, "status": "in progress", "note": note})).await,
            Step::Close => self.moves(json!({"tracking": incident, "status": "closed"})).await,
            Step::Complete => self.completes(incident, "the support system has closed the case").await,
            Step::LookAfter => self.completes(incident, "looked after").await,
        }
    }

    /// Moves the cases of a tracking number on.
    async fn moves(&self, update: Value) -> anyhow::Result<()> {
        let request = self.http.post(format!("{}/_control", self.support)).json(&json!({"update": update}));
        let answer = request.send().await.context("the support system does not answer")?;
        ensure!(answer.status().is_success(), "the support system does not move on: {}", answer.text().await?);
        Ok(())
    }

    /// Completes one that is open; one of which something goes on still is left, and so is all while the engine is away.
    async fn completes(&self, incident: &str, note: &str) -> anyhow::Result<()> {
        let path = format!("/incidents/{incident}");
        let token = self.engine.admin();
        let Ok((status, shown)) = self.engine.ask(token, Method::GET, &path, &json!({})).await else { return Ok(()) };
        let text = |path: &str| shown.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let goes_on = !matches!(text("/case/state"), "" | "none" | "closed" | "withheld");
        if status.is_success() && text("/status") != "completed" && !goes_on {
            // Somebody else may have been faster, or the engine away since.
            let _ = self.engine.ask(token, Method::POST, &format!("{path}/close"), &json!({"note": note})).await;
        }
        Ok(())
    }

    /// How many cases there are, and how many of these an incident has more than once.
    async fn count(&self) -> anyhow::Result<(u64, u64)> {
        let answer = self.http.get(format!("{}/_count", self.support)).send().await;
        let count: Value = answer.context("the support system does not answer")?.json().await?;
        let cases = count.get("cases").and_then(Value::as_u64).unwrap_or_default();
        let by_tracking = count.get("cases_by_tracking").and_then(Value::as_object);
        let each = by_tracking.into_iter().flat_map(|counts| counts.values()).filter_map(Value::as_u64);
        Ok((cases, each.map(|count| count.saturating_sub(1)).sum()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_taken_up_closed_and_its_incident_completed_each_at_its_time() {
        let start = Instant::now();
        let mut diary = Diary::default();
        diary.note(Due::New("a".to_owned()), start);
        diary.note(Due::Assigned("a".to_owned()), start);
        diary.note(Due::Closed("b".to_owned()), start);
        let mut told = |after: u64| {
            let now = start + Duration::from_secs(after);
            std::iter::from_fn(|| diary.next(now)).map(|(step, about)| format!("{step:?} {about}")).collect::<Vec<_>>()
        };
        assert!(told(1).is_empty());
        assert_eq!(told(3), ["Complete b"]);
        assert_eq!(told(10), ["TakeUp a", "Close a"]);
        assert_eq!(told(60), ["LookAfter a"]);
    }
}
