//! People and places that are made, changed and removed until the log has it, through every crash.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Api, Engine};

/// How the engine writes what is done and what does not fit.
const DONE: u16 = 200;
const CREATED: u16 = 201;
const CONFLICT: u16 = 409;
/// Their password, which others have set.
const PASSWORD: &str = "correct horse battery";
/// In how many rounds each has a login of its own that it uses.
const LOGIN_EVERY: u64 = 4;
/// How many steps a round has.
const STEPS: u64 = 8;
/// How often what is left of a round is tried in the end.
const TRIES: usize = 30;
/// How many a page of the audit shows.
const PAGE: usize = 1000;

/// Something that is asked for under a key of its own, so that it is done once however often it is asked.
#[derive(Debug, Clone)]
struct Step {
    method: Method,
    path: String,
    body: Option<Value>,
    /// How it is answered in the end.
    status: u16,
}

/// Managers, places and sessions, a round of steps after the other.
///
/// ```text
///  round n   site n; manager n of it, then without its privilege; the site cannot go; person n; and what n - 1 had goes
/// ```
#[derive(Debug, Default)]
pub struct Staff {
    /// How many steps were answered, each before the next was asked for.
    answered: u64,
    /// How many were asked for.
    asked: u64,
    /// Sessions that were begun: in which round, whether they were ended, and what they bear.
    sessions: Vec<(u64, bool, String)>,
}

impl Staff {
    /// The step of that number.
    fn step(number: u64) -> Step {
        let (round, at) = (number / STEPS, number % STEPS);
        let put = |path: String, body: Value, status| Step { method: Method::PUT, path, body: Some(body), status };
        let delete = |path: String, status| Step { method: Method::DELETE, path, body: None, status };
        let (site, before) = (format!("places/acme/site-{round}"), round.wrapping_sub(1));
        match at {
            0 => put(site, json!({"display_name": "made"}), CREATED),
            1 => {
                let sphere = format!("acme/site-{round}");
                let body = json!({"sphere": [sphere], "privileges": ["managers"], "password": PASSWORD});
                put(format!("managers/acme/m-{round}"), body, CREATED)
            }
            2 => put(format!("managers/acme/m-{round}"), json!({"privileges": ["activation"]}), DONE),
            3 => put(site, json!({"display_name": "changed"}), DONE),
            // Its manager hangs on it.
            4 => delete(site, CONFLICT),
            5 => put(format!("managers/p-{round}"), json!({"sphere": ["acme"]}), CREATED),
            6 if round > 0 => delete(format!("managers/p-{before}"), DONE),
            7 if round > 0 => delete(format!("places/acme/site-{before}?cascade=true"), DONE),
            _ => put(format!("managers/p-{round}"), json!({"rights": {"audit": true}}), DONE),
        }
    }

    /// Asks for so many steps more, each under its key until it is answered. Ends before where the engine does.
    ///
    /// # Errors
    /// An answer is another than it should be.
    pub async fn work(&mut self, api: &Api, steps: u64) -> anyhow::Result<()> {
        for _ in 0..steps {
            let Step { method, path, body, status } = Self::step(self.answered);
            self.asked = self.answered + 1;
            let (key, path) = (Self::key(self.answered), format!("/api/v1/{path}"));
            let Ok(answer) = api.ask(method.clone(), &path, Some(&key), body).await else { return Ok(()) };
            match answer.status {
                // It is on its way, or the log is away: it is asked for again under the same key.
                202 | 503 => return Ok(()),
                found => ensure!(found == status, "{key}: {method} {path}: {answer:?}"),
            }
            let (round, at) = (self.answered / STEPS, self.answered % STEPS);
            self.answered += 1;
            if at == 2 && round.is_multiple_of(LOGIN_EVERY) {
                self.log_in_and_out(api, round).await?;
            }
        }
        Ok(())
    }

    /// Begins two sessions and ends one; what is not answered may be or not.
    async fn log_in_and_out(&mut self, api: &Api, round: u64) -> anyhow::Result<()> {
        let body = json!({"login": format!("acme/m-{round}"), "password": PASSWORD});
        for is_to_end in [false, true] {
            let Ok(begun) = api.by("").post("/api/v1/session", body.clone()).await else { return Ok(()) };
            if begun.status == 503 {
                return Ok(());
            }
            ensure!(begun.status == CREATED, "{begun:?}");
            let token = begun.body.get("token").and_then(Value::as_str).context("no token")?.to_owned();
            if is_to_end {
                let ended = api.by(&token).ask(Method::DELETE, "/api/v1/session", None, None).await;
                if !ended.is_ok_and(|ended| ended.status == DONE) {
                    return Ok(());
                }
            }
            self.sessions.push((round, is_to_end, token));
        }
        Ok(())
    }

    fn key(number: u64) -> String {
        format!("staff-{number}")
    }

    /// That all that was answered is so and was done once; what was refused was not done.
    ///
    /// # Errors
    /// It is not.
    pub async fn check(&mut self, engine: &Engine) -> anyhow::Result<()> {
        let api = engine.api()?;
        // What an engine was killed over is asked for again, up to the end of a round: it may have been done unanswered.
        let end = self.asked.next_multiple_of(STEPS);
        for _ in 0..TRIES {
            self.work(&api, end - self.answered).await?;
        }
        ensure!(self.answered == end, "{} steps of {end} were answered", self.answered);
        if let Some(last) = (self.answered / STEPS).checked_sub(1) {
            check_last(&api, last).await?;
        }
        let found = records(engine).await?;
        for number in 0..self.answered {
            let outcome = if Self::step(number).status == CONFLICT { "conflict" } else { "done" };
            let key = Self::key(number);
            ensure!(found.get(&key) == Some(&vec![outcome.to_owned()]), "{key}: {:?}", found.get(&key));
        }
        for (round, is_ended, token) in &self.sessions {
            // Those of managers that were removed went with them.
            let expected = if *is_ended || (round + 1) * STEPS < self.answered { 401 } else { DONE };
            let status = api.by(token).ask(Method::GET, "/api/v1/me", None, None).await?.status;
            ensure!(status == expected, "a session of round {round}: {status}");
        }
        Ok(())
    }
}

/// That there is what the last round left behind, and nothing else.
async fn check_last(api: &Api, last: u64) -> anyhow::Result<()> {
    let get = async |path: String| api.ask(Method::GET, &format!("/api/v1/{path}"), None, None).await;
    for (list, field, expected) in [
        ("places?under=acme", "place", vec!["acme".to_owned(), format!("acme/site-{last}")]),
        ("managers?under=acme", "login", vec![format!("acme/m-{last}")]),
    ] {
        let page = get(list.to_owned()).await?.body;
        let items = page.get("items").and_then(Value::as_array).context("no list")?;
        let names: Vec<_> = items.iter().filter_map(|item| item.get(field)?.as_str()).collect();
        ensure!(names == expected, "{list}: {names:?}");
    }
    let site = get(format!("places/acme/site-{last}")).await?.body;
    ensure!(site.get("display_name") == Some(&json!("changed")), "{site}");
    let manager = get(format!("managers/acme/m-{last}")).await?.body;
    ensure!(manager.get("privileges") == Some(&json!(["activation"])), "{manager}");
    for person in 0..=last {
        let found = get(format!("managers/p-{person}")).await?;
        ensure!(found.status == if person == last { DONE } else { 404 }, "p-{person}: {found:?}");
    }
    Ok(())
}

/// What became of each command that is on record, as often as it is.
async fn records(engine: &Engine) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = engine.get(&format!("/api/v1/audit?limit={PAGE}{cursor}")).await?;
        for item in page.get("items").and_then(Value::as_array).context("no list")? {
            let text = |field: &str| item.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
            found.entry(text("command")).or_default().push(text("outcome"));
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(found),
        }
    }
}
