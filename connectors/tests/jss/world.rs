//! A stand-in, a client for it, and the tasks they are tried with.

use std::path::Path;
use std::time::Duration;

use linesman_connectors::jss::{Jss, Settings};
use linesman_connectors::{Attempted, Connector as _, Secret, standin, tls};
use linesman_schemas::cascade::CaseStep;
use linesman_schemas::outcome::{CaseNote, CaseStanding, Done, Failure, Outcome, Report};
use linesman_schemas::reaction::{Action, CaseRequest, CaseTelling, Task};
use linesman_schemas::{IncidentId, Priority};
use serde_json::Value;
use tempfile::TempDir;

/// The only password the stand-in takes.
pub(crate) const PASSWORD: &str = "hunter2-hunter2";

/// A stand-in of its own for one test.
pub(crate) struct World {
    pub(crate) standin: standin::Standin,
    pub(crate) dir: TempDir,
    http: reqwest::Client,
}

impl World {
    /// Ids are given at once.
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = standin::Settings::new("127.0.0.1:0".parse().unwrap(), dir.path());
        settings.password = Some(Secret::new(PASSWORD));
        settings.assign_after = Duration::ZERO;
        let standin = standin::start(settings).await.unwrap();
        let http = tls::http_client(Some(standin.ca_path())).unwrap().build().unwrap();
        Self { standin, dir, http }
    }

    pub(crate) fn settings(&self) -> Settings {
        settings(&self.standin.url(), self.standin.ca_path())
    }

    pub(crate) fn jss(&self) -> Jss {
        Jss::new(self.settings()).unwrap()
    }

    /// Tells the stand-in something.
    pub(crate) async fn control(&self, control: Value) {
        let url = format!("{}/_control", self.standin.url());
        let answer = self.http.post(url).json(&control).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{control}: {}", answer.text().await.unwrap());
    }

    /// What the stand-in has counted.
    pub(crate) async fn count(&self) -> Value {
        self.http.get(format!("{}/_count", self.standin.url())).send().await.unwrap().json().await.unwrap()
    }

    /// Requests of the contract so far: for tokens, `createSR`, `querySR`.
    pub(crate) async fn requests(&self) -> [u64; 3] {
        let count = self.count().await;
        ["token", "createSR", "querySR"].map(|endpoint| count["requests"][endpoint].as_u64().unwrap())
    }
}

pub(crate) fn settings(url: &str, ca: &Path) -> Settings {
    Settings {
        url: url.to_owned(),
        ca: Some(ca.to_owned()),
        site_id: "SITE-1".to_owned(),
        user: "noc@acme.example".to_owned(),
        password: Secret::new(PASSWORD),
        application_id: "linesman-test".to_owned(),
        requests_per_hour: Settings::REQUESTS_PER_HOUR,
        concurrency: 8,
        timeout: Duration::from_secs(20),
    }
}

pub(crate) fn incident(number: u64) -> IncidentId {
    IncidentId { org: "acme".parse().unwrap(), number }
}

pub(crate) fn task(number: u64, action: Action) -> Task {
    Task {
        id: format!("acme-r{number}-18f0").parse().unwrap(),
        org: "acme".parse().ok(),
        peer: None,
        attempt: 1,
        action,
    }
}

/// The reaction that opens a case for incident `number`, nothing withheld from its synopsis.
pub(crate) fn submit(number: u64) -> Task {
    let request = CaseRequest {
        incident: incident(number),
        priority: Priority::High,
        synopsis: format!("fan {number} failed"),
        details: None,
        alias: String::new(),
        address: String::new(),
        trace_route: Vec::new(),
    };
    task(number, Action::SubmitCase(Box::new(request)))
}

/// The reaction that says what was done with the case of incident `number`.
pub(crate) fn tell(number: u64, transaction_id: &str, step: CaseStep) -> Task {
    let telling = CaseTelling { incident: incident(number), transaction_id: transaction_id.to_owned(), step };
    task(1000 + number, Action::TellCase(Box::new(telling)))
}

/// What somebody says; empty for nothing.
pub(crate) fn note(text: &str) -> CaseNote {
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    CaseNote { id: "acme-17-n1".to_owned(), author: "ada".to_owned(), at, text: text.to_owned() }
}

pub(crate) fn poll(cursor: Option<&str>) -> Task {
    task(0, Action::PollCases { cursor: cursor.map(str::to_owned) })
}

/// The cases that changed.
pub(crate) fn cases(attempted: &Attempted) -> Vec<CaseStanding> {
    let case = |report: &Report| match report {
        Report::CaseChanged(standing) => Some(standing.clone()),
        Report::Attempt(_) => None,
    };
    attempted.reports.iter().filter_map(case).collect()
}

pub(crate) fn failure(attempted: Attempted) -> Failure {
    match attempted.outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Done(done) => panic!("done: {done:?}"),
    }
}

pub(crate) fn done(attempted: Attempted) -> Done {
    match attempted.outcome {
        Outcome::Done(done) => done,
        Outcome::Failed(failure) => panic!("failed: {failure:?}"),
    }
}

/// The transaction id of a case taken.
pub(crate) async fn transaction(jss: &Jss, task: &Task) -> String {
    match done(jss.carry_out(task).await) {
        Done::CaseAccepted { transaction_id, .. } => transaction_id,
        other => panic!("{other:?}"),
    }
}
