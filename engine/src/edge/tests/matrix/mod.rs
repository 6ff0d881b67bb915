//! Every operation of the API's document, asked for by every kind of manager: allowed or refused as the table of
//! operations says, by the edge and by lanes that decide; and what lies outside, answered like what does not exist.
//!
//! | room | what |
//! |---|---|
//! | here | what is expected, of the table and of what a kind has; the comparison |
//! | `kinds` | who asks |
//! | `samples` | what is asked |
//! | `world` | of what |
//! | `deciding` | lanes that decide it |
//! | `why` | what `why` tells of it |
//! | `outside` | what lies outside, beside what does not exist |

pub(super) mod deciding;
mod kinds;
mod outside;
mod samples;
mod why;
mod world;

use std::collections::BTreeSet;

use linesman_domain::rights::{self, Need, is_within};
use linesman_schemas::Right;
use reqwest::Response;
use serde_json::Value;
use tokio::task::LocalSet;

use kinds::{Kind, Way};
use samples::{Sample, Seen};
use world::Asked;

/// What somebody may whose password was set by another.
const BEFORE_CHANGE: [&str; 3] = ["me", "set-password.own", "logout"];
/// What nobody may of their own by an API token: whoever found it would come in otherwise, and stay.
const BY_PASSWORD: [&str; 4] = ["set-password.own", "issue-token", "revoke-token", "revoke-session"];

/// What an answer is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// It is done, or does not fit how things stand.
    Allowed,
    /// What the body names is not there (422).
    Unnamed,
    /// There is no such thing (404).
    Unseen,
    /// What it takes is lacking, which is named (403).
    Forbidden(Need),
    /// It is refused in these words (403).
    Refused(&'static str),
    /// Nobody is known (401).
    Unknown,
}

/// What somebody is answered, by the table of operations and what they have.
fn expected(kind: &Kind, sample: &Sample) -> Expected {
    let operation = sample.operation.split('.').next().unwrap();
    let needs = if sample.takes.is_empty() { vec![rights::need(operation)] } else { sample.takes.clone() };
    if needs == [Need::Anybody] || operation == "login" {
        return Expected::Allowed;
    }
    match kind.way {
        Way::Nobody | Way::Expired => return Expected::Unknown,
        Way::MustChange if !BEFORE_CHANGE.contains(&sample.operation) => return Expected::Refused("change it first"),
        Way::Token if BY_PASSWORD.contains(&sample.operation) && sample.takes.is_empty() => {
            return Expected::Refused("API token");
        }
        // What was asked under that id is nothing that an API token asks for.
        Way::Token if operation == "command" => return Expected::Unseen,
        // One is shown nothing but itself of how its owner comes in.
        Way::Token if matches!(operation, "token" | "session") && !sample.path.contains("login=") => {
            return Expected::Unseen;
        }
        Way::Machine | Way::Session | Way::MustChange | Way::Token => {}
    }
    if let Some(first) = sample.first
        && let Some(expected) = unseen(kind, first)
    {
        return expected;
    }
    let needs: Vec<Need> = needs.into_iter().flat_map(|need| kind.takes(need)).collect();
    let lacking = needs.iter().copied().find(|need| !kind.has(*need));
    if let Some(place) = sample.place {
        let is_home = is_within(operation) && place == kind.home();
        if !kind.covers(place) && !is_home {
            match (kind.touches(place), is_within(operation)) {
                (true, true) => {}
                (true, false) => return Expected::Forbidden(needs[0]),
                (false, _) => return Expected::Unseen,
            }
        }
    }
    if let Some(need) = lacking {
        return Expected::Forbidden(need);
    }
    if operation == "remove-place" && sample.place.is_some_and(|place| kind.is_granted(place)) {
        return Expected::Refused("nobody changes what they were granted themselves");
    }
    sample.then.and_then(|then| unseen(kind, then)).unwrap_or(Expected::Allowed)
}

/// What somebody is answered who does not see a thing.
fn unseen(kind: &Kind, seen: Seen) -> Option<Expected> {
    match seen {
        Seen::All(place) => (!kind.covers(place)).then_some(Expected::Unseen),
        Seen::Own(place) => (!kind.owns(place)).then_some(Expected::Unseen),
        Seen::Named(place) => (!kind.owns(place)).then_some(Expected::Unnamed),
        Seen::Everything => {
            let is_asked = kind.has(Need::Right(Right::Services)) && !kind.covers("/");
            is_asked.then_some(Expected::Refused("name the place that is meant with `under`"))
        }
    }
}

/// What is wrong with an answer; nothing, if it is as expected.
async fn wrong(operation: &str, answer: Response, expected: Expected) -> Option<String> {
    let status = answer.status().as_u16();
    // An event stream has no end.
    let is_endless = answer.headers()["content-type"] == "text/event-stream";
    let body = if is_endless { String::new() } else { answer.text().await.unwrap() };
    let detail = serde_json::from_str::<Value>(&body).ok();
    let detail = detail.as_ref().and_then(|problem| problem["detail"].as_str()).unwrap_or_default();
    let is_so = match expected {
        // This engine has no files, and is not ready.
        Expected::Allowed if matches!(operation, "readyz" | "load-policies") => status == 503,
        // None is reached of that name.
        Expected::Allowed if operation.starts_with("use-device") => {
            status == 404 && detail.contains("reaches no device")
        }
        Expected::Allowed => matches!(status, 200 | 201 | 207 | 409),
        Expected::Unnamed => status == 422,
        // As where the name is free: what is wrong with the body is told first.
        Expected::Unseen if operation.starts_with("set-manager") || operation == "set-group" => {
            matches!(status, 404 | 422)
        }
        Expected::Unseen => status == 404,
        Expected::Forbidden(Need::WholeLog) => status == 403 && detail.contains("does not see all of the log"),
        Expected::Forbidden(need) => status == 403 && detail.contains(&format!("has not {need}")),
        Expected::Refused(words) => status == 403 && detail.contains(words),
        Expected::Unknown => status == 401,
    };
    (!is_so).then(|| format!("{status} {}", body.chars().take(200).collect::<String>()))
}

#[tokio::test]
async fn every_operation_is_allowed_or_refused_as_the_table_says_to_every_kind_of_manager() {
    let kinds = kinds::kinds();
    let samples = samples::samples();
    let asked = async {
        let (asked, people) = Asked::new(&kinds).await;
        let sampled: BTreeSet<_> = samples.iter().map(|sample| sample.operation).collect();
        let documented: BTreeSet<_> = asked.operations.keys().map(String::as_str).collect();
        assert_eq!(sampled, documented, "each operation has a sample, and each sample an operation");
        let mut otherwise = Vec::new();
        for person in &people {
            for sample in &samples {
                let expected = expected(person.kind, sample);
                let answer = asked.ask(person, sample.operation, sample.path, sample.body.as_ref()).await;
                if let Some(answer) = wrong(sample.operation, answer, expected).await {
                    let Sample { operation, path, .. } = sample;
                    otherwise.push(format!("{}: {operation} {path}: {expected:?}, not {answer}", person.kind.name));
                }
            }
        }
        asked.world.end().await;
        assert!(otherwise.is_empty(), "{}:\n{}", otherwise.len(), otherwise.join("\n"));
    };
    LocalSet::new().run_until(asked).await;
}

#[tokio::test]
async fn what_lies_outside_answers_like_what_does_not_exist_to_every_kind_of_manager() {
    let kinds = kinds::kinds();
    let asked = async {
        let (asked, people) = Asked::new(&kinds).await;
        let (apart, sampled) = asked.told_apart(&people).await;
        let naming: Vec<_> = asked.naming.iter().filter(|name| !sampled.contains(name.as_str())).collect();
        asked.world.end().await;
        assert!(naming.is_empty(), "{naming:?}: what lies outside of what they name?");
        assert!(apart.is_empty(), "{}:\n{}", apart.len(), apart.join("\n"));
    };
    LocalSet::new().run_until(asked).await;
}
