//! A partner's controller as the upstream (`linesman_schemas::cascade`): reports cases, asks what became of them and
//! says what was done with them. The partner never calls.
//!
//! ```text
//!  Partner --- answer    what came back, checked
//!   |      |--- uploads   bytes in pieces
//!   |      `--- feed      the source: intelligence messages
//!  session --- pace      no more requests than the partner bears
//!   |      `--- fault    the class of a failure
//!  upstream              one request and its whole answer
//! ```
//!
//! One call is one try. What is reported has left filtered, as to the support system.

mod answer;
mod fault;
mod feed;
mod pace;
mod session;
mod settings;
mod uploads;

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use linesman_schemas::cascade::CaseReport;
use linesman_schemas::outcome::{Done, Failure, FailureClass, Outcome, Report};
use linesman_schemas::reaction::{Action, CaseRequest, CaseTelling, Task};
use linesman_schemas::{Peer, ReactionId};

use crate::tls::Shown;
use crate::upload::{self, Leaving};
use crate::upstream::probe::Step;
use crate::upstream::{self, PAGES_PER_POLL, SettingsError};
use crate::{Attempted, Connector, Contents, Folder, Turn};
use session::Session;
use uploads::Uploads;

pub use settings::Settings;

/// What belongs to the connector.
pub static FOLDER: Folder = Folder {
    name: NAME,
    section: Some(&upstream::SECTION),
    notification: None,
    shown: upstream::shown,
    make: |settings| {
        let Some(upstream::Settings::Partner(partner)) = &settings.upstream else { return Ok(None) };
        Ok(Some(Arc::new(Partner::new(partner)?.leaving(settings.leaving.clone()))))
    },
    sources: |settings| {
        let Some(upstream::Settings::Partner(partner)) = &settings.upstream else { return Ok(Vec::new()) };
        if partner.way.intelligence_poll.is_zero() {
            return Ok(Vec::new());
        }
        Ok(vec![Arc::new(feed::Feed::new(partner)?)])
    },
};

const NAME: &str = "partner";
/// The most requests of one try at an upload: others have their turn, and the next try goes on.
const UPLOAD_REQUESTS: u32 = 512;

/// The connector `partner`.
#[derive(Debug)]
pub struct Partner {
    session: Session,
    concurrency: usize,
    leaving: Leaving,
}

impl Partner {
    /// A client of the partner that `settings` name.
    ///
    /// # Errors
    /// A setting cannot be used, or its file of certificates.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let (session, concurrency) = (Session::new(settings)?, settings.way.concurrency);
        Ok(Self { session, concurrency, leaving: Leaving::default() })
    }

    /// The same with documents that leave so.
    #[must_use]
    pub fn leaving(self, leaving: Leaving) -> Self {
        Self { leaving, ..self }
    }

    /// Reports a case. INVARIANT (what is withheld stays here): the body is made from `request` alone, and `request` is
    /// filtered already.
    async fn submit(&self, key: &ReactionId, request: &CaseRequest) -> Attempted {
        let mut requests = 0;
        let answer = self.session.post(&["cases"], key, &report(request), &mut requests).await;
        match answer.and_then(|answer| answer::receipt(&answer)) {
            Ok(transaction_id) => Attempted::done(requests, Done::CaseAccepted { transaction_id, case: None }),
            Err(failure) => Attempted::failed(requests, failure),
        }
    }

    /// Says what was done with a case. It is filtered already, as a case is.
    async fn tell(&self, key: &ReactionId, telling: &CaseTelling) -> Attempted {
        let mut requests = 0;
        let path = ["cases", &telling.transaction_id, "changes"];
        let answer = self.session.post(&path, key, &telling.step, &mut requests).await;
        match answer.and_then(|answer| answer::of_telling(&answer, telling)) {
            // How the case stands then is known at once, and not with the next poll.
            Ok(standing) => {
                let reports = vec![Report::CaseChanged(standing)];
                Attempted { reports, ..Attempted::done(requests, Done::CaseTold) }
            }
            Err(failure) => Attempted::failed(requests, failure),
        }
    }

    /// Reads what changed since `cursor`, page by page.
    async fn poll(&self, cursor: Option<&str>) -> Attempted {
        let (mut requests, mut reports) = (0, Vec::new());
        let outcome = match self.pages(cursor, &mut requests, &mut reports).await {
            Ok(cursor) => Outcome::Done(Done::Polled { cursor }),
            Err(failure) => Outcome::Failed(failure),
        };
        let reports = upstream::last_of_each(reports);
        Attempted { reports, ..Attempted::of(requests, outcome) }
    }

    /// The cursor to go on from, the changed cases being in `reports`.
    async fn pages(
        &self,
        cursor: Option<&str>,
        requests: &mut u32,
        reports: &mut Vec<Report>,
    ) -> Result<Option<String>, Failure> {
        let mut cursor = cursor.map(str::to_owned);
        for number in 0..PAGES_PER_POLL {
            let body = match self.session.page(cursor.as_deref(), requests).await {
                // The partner gave it to nobody, or not to us: its log was begun anew, or it is another partner.
                Err(failure) if number == 0 && cursor.is_some() && failure.class == FailureClass::Refused => {
                    tracing::warn!(failure = %failure.message, "the partner does not know where its changes went on: from the beginning");
                    cursor = None;
                    self.session.page(None, requests).await?
                }
                body => body?,
            };
            let page = answer::page(&body, cursor.as_deref())?;
            reports.extend(page.cases.into_iter().map(Report::CaseChanged));
            cursor = Some(page.cursor);
            if !page.has_more {
                break;
            }
        }
        Ok(cursor)
    }
}

/// A case as it is reported.
fn report(request: &CaseRequest) -> CaseReport {
    // Every field by name: one added to `CaseRequest` must be decided on here. Where spare parts go the partner knows.
    let CaseRequest { incident, priority, synopsis, details, alias, address: _, trace_route } = request;
    CaseReport {
        tracking_number: incident.clone(),
        priority: *priority,
        synopsis: synopsis.clone(),
        details: details.clone(),
        alias: alias.clone(),
        trace_route: trace_route.clone(),
    }
}

impl Connector for Partner {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_upstream(&self) -> bool {
        true
    }

    fn probe(&self) -> BoxFuture<'_, Vec<Step>> {
        self.session.probe().boxed()
    }

    fn concurrency(&self, peer: Option<&Peer>) -> usize {
        // Uploads have a destination of their own, so that they take no case's place.
        peer.map_or(self.concurrency, |_| upload::AT_A_TIME)
    }

    fn turn(&self) -> BoxFuture<'_, Option<Turn>> {
        self.leaving.turn().boxed()
    }

    /// The partner bounds requests a second, and says how many; the session keeps to it.
    fn requests_per_hour(&self) -> Option<u32> {
        None
    }

    fn requests_most(&self) -> u32 {
        // A poll of all its pages, the registration before it, and a cursor that the partner does not know.
        PAGES_PER_POLL as u32 + 2
    }

    fn certificate(&self) -> Option<Shown> {
        self.session.certificate()
    }

    fn pin_mismatches(&self) -> u64 {
        self.session.pin_mismatches()
    }

    fn carry_out<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Attempted> {
        match &task.action {
            Action::SubmitCase(request) => self.submit(&task.id, request).boxed(),
            Action::PollCases { cursor } => self.poll(cursor.as_deref()).boxed(),
            Action::TellCase(telling) => self.tell(&task.id, telling).boxed(),
            // One of nothing; its bytes come by `carry_out_with`.
            Action::Upload(_) | Action::Configure(_) | Action::Notify(_) => {
                ready(Attempted::misdirected(self.name(), task)).boxed()
            }
        }
    }

    fn carry_out_with<'a>(&'a self, task: &'a Task, contents: Contents) -> BoxFuture<'a, Attempted> {
        let Action::Upload(upload) = &task.action else {
            return ready(Attempted::misdirected(self.name(), task)).boxed();
        };
        let receiver = |key| Uploads { session: &self.session, key };
        upload::send(&self.leaving, task, upload, contents, (receiver, UPLOAD_REQUESTS)).boxed()
    }
}
