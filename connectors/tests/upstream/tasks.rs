//! The tasks that upstreams are tried with, and what came of them.

use linesman_connectors::Attempted;
use linesman_schemas::cascade::CaseStep;
use linesman_schemas::outcome::{CaseNote, CaseStanding, Done, Failure, Outcome, Report};
use linesman_schemas::reaction::{Action, CaseRequest, CaseTelling, Task};
use linesman_schemas::{IncidentId, Priority};

/// The only password that is taken.
pub(crate) const PASSWORD: &str = "hunter2-hunter2";

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
        Report::Attempt(_) | Report::DeviceStands(_) | Report::JmbSetAside(_) | Report::JmbErrorEnded(_) => None,
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
