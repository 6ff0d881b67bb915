//! The same asked for each of several organizations: whatever becomes of one, the others are asked too, and of each it is told.

use anyhow::{Error, bail};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::show::{self, Column, column};
use super::{Api, Refusal};

pub(in crate::cli) const BECAME: [Column; 3] =
    [column("ORGANIZATION", "/organization"), column("VERDICT", "/verdict"), column("DETAIL", "/detail")];
/// How many are named in a request: as many as the engine asks for at once, so that its answer does not wait for several rounds.
const AT_A_TIME: usize = 16;

/// What became of it for each that was asked, in their order.
#[derive(Default)]
struct Became {
    states: Vec<Value>,
    /// Why nobody else was asked.
    stopped: Option<Error>,
}

/// Asks for each by a request of its own, whose path and body `request` makes.
///
/// # Errors
/// It was refused for one, or what became of it is not known.
pub(super) async fn by_itself(
    api: &Api,
    organizations: &[String],
    method: Method,
    path: impl Fn(&str) -> String,
    body: Option<&Value>,
) -> anyhow::Result<()> {
    are_different(organizations)?;
    let key = api.command_key()?;
    let mut became = Became::default();
    for organization in organizations {
        let state = api.written(&method, &path(organization), &key, body).await;
        if !became.take(organization, state) {
            break;
        }
        became.settle(api, &key, became.states.len() - 1).await?;
    }
    became.tell(api, organizations)
}

/// Asks for several with each request, that names them.
///
/// # Errors
/// As [`by_itself`].
pub(super) async fn together(api: &Api, organizations: &[String], path: &str) -> anyhow::Result<()> {
    are_different(organizations)?;
    let key = api.command_key()?;
    let mut became = Became::default();
    for part in organizations.chunks(AT_A_TIME) {
        let from = became.states.len();
        let body = json!({ "organizations": part });
        match api.written(&Method::POST, path, &key, Some(&body)).await {
            Ok(mut found) => {
                let states = found.get_mut("organizations").and_then(Value::as_array_mut).map(std::mem::take);
                became.states.extend(states.unwrap_or_default());
            }
            // It may be about one of them alone: under the same key nothing is done twice.
            Err(error) if is_of_one(&error) => became.one_by_one(api, part, path, &key).await,
            Err(error) => became.stopped = Some(error),
        }
        if became.stopped.is_some() {
            break;
        }
        became.settle(api, &key, from).await?;
        if organizations.len() > AT_A_TIME {
            errln!("{} of {} organizations are asked", became.states.len(), organizations.len());
        }
    }
    became.tell(api, organizations)
}

/// Refuses to ask for one twice.
fn are_different(organizations: &[String]) -> anyhow::Result<()> {
    let mut known = std::collections::BTreeSet::new();
    match organizations.iter().find(|organization| !known.insert(*organization)) {
        Some(twice) => bail!("`{twice}` is named twice"),
        None => Ok(()),
    }
}

/// Whether the engine refused what was asked, which it may do for another not.
fn is_of_one(error: &Error) -> bool {
    let refusal = error.downcast_ref::<Refusal>();
    refusal.is_some_and(|refusal| refusal.status.is_client_error() && refusal.status != StatusCode::UNAUTHORIZED)
}

impl Became {
    /// Keeps what became of it for one; whether others are to be asked.
    fn take(&mut self, organization: &str, state: anyhow::Result<Value>) -> bool {
        match state {
            Ok(state) => self.states.push(state),
            Err(error) if is_of_one(&error) => {
                self.states.push(json!({
                    "organization": organization, "verdict": "refused", "detail": error.to_string(),
                }));
            }
            Err(error) => self.stopped = Some(error),
        }
        self.stopped.is_none()
    }

    async fn one_by_one(&mut self, api: &Api, part: &[String], path: &str, key: &str) {
        for organization in part {
            let body = json!({ "organizations": [organization] });
            let found = api.written(&Method::POST, path, key, Some(&body)).await;
            let state = found.map(|found| found.pointer("/organizations/0").cloned().unwrap_or_default());
            if !self.take(organization, state) {
                return;
            }
        }
    }

    /// Waits for what is on its way, of those from a place on.
    async fn settle(&mut self, api: &Api, key: &str, from: usize) -> anyhow::Result<()> {
        for state in self.states.iter_mut().skip(from) {
            *state = api.decided(key, std::mem::take(state)).await?;
        }
        Ok(())
    }

    /// Prints it; fails where it was refused for one, or not all were asked.
    fn tell(mut self, api: &Api, organizations: &[String]) -> anyhow::Result<()> {
        let asked = self.states.len();
        for organization in organizations.iter().skip(asked) {
            self.states.push(json!({ "organization": organization, "verdict": "unknown", "detail": "" }));
        }
        match api.is_json {
            true => outln!("{}", json!({ "organizations": self.states })),
            false => out!("{}", show::table(&self.states, &BECAME, api.room())),
        }
        if let Some(stopped) = self.stopped {
            let context =
                format!("of {} of {} organizations it is not known", organizations.len() - asked, organizations.len());
            return Err(stopped.context(context));
        }
        let is_refused = |state: &&Value| {
            let verdict = state.get("verdict").and_then(Value::as_str).unwrap_or_default();
            !["done", "pending", "awaiting-approval"].contains(&verdict)
        };
        match self.states.iter().filter(is_refused).count() {
            0 => Ok(()),
            refused => bail!("for {refused} of {} organizations it was refused", organizations.len()),
        }
    }
}
