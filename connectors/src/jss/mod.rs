//! The support system's case API (`schemas/openapi-upstream.yaml`): opens cases, says what was
//! done with them and asks which changed.
//!
//! ```text
//!  Jss --- wire     what is said, as JSON        answer   what came back, checked
//!   |      |--- uploads  bytes in pieces
//!   |      `--- feed     the source: intelligence messages
//!  session --- token    one bearer token for all tasks
//!   |      `--- fault    the class of a failure
//!  upstream              one request and its whole answer
//! ```
//!
//! One call is one try: nothing is repeated but a request whose token the other side no longer
//! takes, once.

mod answer;
mod fault;
mod feed;
mod session;
mod settings;
mod token;
mod uploads;
mod wire;

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use linesman_schemas::outcome::{Done, Failure, Outcome, Report};
use linesman_schemas::reaction::{Action, CaseRequest, CaseTelling, Task};
use linesman_schemas::{Peer, ReactionId};

use crate::tls::Shown;
use crate::upload::{self, Leaving};
use crate::upstream::feed::Share;
use crate::upstream::probe::{self, Step, Steps, Trial};
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
        let Some(upstream::Settings::Jss(jss)) = &settings.upstream else { return Ok(None) };
        Ok(Some(Arc::new(Jss::new(jss.clone())?.leaving(settings.leaving.clone()))))
    },
    sources: |settings| {
        let Some(upstream::Settings::Jss(jss)) = &settings.upstream else { return Ok(Vec::new()) };
        if jss.way.intelligence_poll.is_zero() {
            return Ok(Vec::new());
        }
        Ok(vec![Arc::new(feed::Feed::new(jss)?)])
    },
};

const NAME: &str = "jss";
/// The most requests that one try makes: a poll of all its pages, a token before it, and once a token refused and renewed
/// midway; or some pieces of an upload, which goes on with the next try.
const REQUESTS_MOST: u32 = PAGES_PER_POLL as u32 + 5;
/// The most that one step of an upload makes, a piece that is lost and asked about, with a token renewed.
const UPLOAD_STEP: u32 = 4;

/// The connector `jss`.
#[derive(Debug)]
pub struct Jss {
    settings: Settings,
    session: Session,
    leaving: Leaving,
}

impl Jss {
    /// A client of the support system that `settings` name.
    ///
    /// # Errors
    ///
    /// A setting cannot be used, or its file of certificates.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        Ok(Self { session: Session::new(&settings)?, settings, leaving: Leaving::default() })
    }

    /// The same with documents that leave so.
    #[must_use]
    pub fn leaving(self, leaving: Leaving) -> Self {
        Self { leaving, ..self }
    }

    /// Tries the way out, asks for a token and for the first page of changes, step by step.
    async fn try_out(&self) -> Vec<Step> {
        let (mut steps, way) = (Steps::default(), &self.settings.way);
        if !probe::way(way, &mut steps).await {
            return steps.end();
        }
        if let Err(failure) = self.session.log_in().await {
            steps.refused(failure);
            return steps.end();
        }
        steps.note(Trial::Login, Ok(format!("the user `{}` has a token", way.user)));
        let body = wire::QuerySr { site_id: &self.settings.site_id, cursor: None };
        let answer = self.session.call("case/v1/querySR", None, &body, &mut 0).await;
        match answer.and_then(|answer| answer::page(&answer, None)) {
            Err(failure) => {
                steps.note(Trial::Organization, Err(failure.message));
            }
            Ok(_) => {
                steps.note(Trial::Organization, Ok(format!("the site `{}` is known", self.settings.site_id)));
                let pace = self.settings.requests_per_hour;
                steps.note(Trial::Pace, Ok(format!("{pace} requests an hour, by `upstream.requests_per_hour`")));
                steps.clock(self.session.ahead());
            }
        }
        steps.end()
    }

    /// Opens a case. INVARIANT (what is withheld stays here): the body is made from `request` and the
    /// settings alone, and `request` is filtered already.
    async fn submit(&self, key: &ReactionId, request: &CaseRequest) -> Attempted {
        let mut requests = 0;
        let body = wire::CreateSr::new(&self.settings, request);
        let answer = self.session.call("case/v1/createSR", Some(key), &body, &mut requests).await;
        match answer.and_then(|answer| answer::created(&answer, &request.incident)) {
            Ok((transaction_id, case)) => Attempted::done(requests, Done::CaseAccepted { transaction_id, case }),
            Err(failure) => Attempted::failed(requests, failure),
        }
    }

    /// Says what was done with a case. It is filtered already, as a case is.
    async fn tell(&self, key: &ReactionId, telling: &CaseTelling) -> Attempted {
        let mut requests = 0;
        let body = wire::UpdateSr::new(&self.settings, telling);
        match self.session.call("case/v1/updateSR", Some(key), &body, &mut requests).await {
            Ok(_) => Attempted::done(requests, Done::CaseTold),
            Err(failure) => Attempted::failed(requests, failure),
        }
    }

    /// Reads what changed since `cursor`, page by page.
    async fn poll(&self, cursor: Option<&str>) -> Attempted {
        let mut poll = Poll { requests: 0, reports: Vec::new(), skipped: 0, example: String::new() };
        let outcome = match self.pages(cursor, &mut poll).await {
            Ok(cursor) => Outcome::Done(Done::Polled { cursor }),
            Err(failure) => Outcome::Failed(failure),
        };
        if poll.skipped > 0 {
            tracing::warn!(
                cases = poll.skipped,
                tracking_number = %poll.example,
                "cases skipped: their customer tracking number is no incident id"
            );
        }
        let reports = upstream::last_of_each(poll.reports);
        Attempted { reports, ..Attempted::of(poll.requests, outcome) }
    }

    /// The cursor to go on from, the changed cases being in `poll`.
    async fn pages(&self, cursor: Option<&str>, poll: &mut Poll) -> Result<Option<String>, Failure> {
        let mut cursor = cursor.map(str::to_owned);
        for _ in 0..PAGES_PER_POLL {
            let body = wire::QuerySr { site_id: &self.settings.site_id, cursor: cursor.as_deref() };
            let answer = self.session.call("case/v1/querySR", None, &body, &mut poll.requests).await?;
            let page = answer::page(&answer, cursor.as_deref())?;
            for case in page.cases {
                poll.take(case);
            }
            cursor = Some(page.cursor);
            if !page.has_more {
                break;
            }
        }
        Ok(cursor)
    }
}

/// What a poll has gathered so far.
struct Poll {
    requests: u32,
    /// The cases that changed.
    reports: Vec<Report>,
    /// Cases that are nobody's here.
    skipped: usize,
    /// The tracking number of the first of them.
    example: String,
}

impl Poll {
    fn take(&mut self, case: answer::Case) {
        match case.standing {
            Some(standing) => self.reports.push(Report::CaseChanged(standing)),
            None => {
                if self.skipped == 0 {
                    self.example = crate::text::excerpt(&case.tracking_number, 80);
                }
                self.skipped += 1;
            }
        }
    }
}

impl Connector for Jss {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_upstream(&self) -> bool {
        true
    }

    fn probe(&self) -> BoxFuture<'_, Vec<Step>> {
        self.try_out().boxed()
    }

    fn concurrency(&self, peer: Option<&Peer>) -> usize {
        // Uploads have a destination of their own, so that they take no case's place.
        peer.map_or(self.settings.way.concurrency, |_| upload::AT_A_TIME)
    }

    fn turn(&self) -> BoxFuture<'_, Option<Turn>> {
        self.leaving.turn().boxed()
    }

    fn requests_per_hour(&self) -> Option<u32> {
        let feed = match self.settings.way.intelligence_poll.is_zero() {
            true => 0,
            false => Share::of(self.settings.requests_per_hour),
        };
        Some(self.settings.requests_per_hour.saturating_sub(feed).max(1))
    }

    fn certificate(&self) -> Option<Shown> {
        self.session.certificate()
    }

    fn pin_mismatches(&self) -> u64 {
        self.session.pin_mismatches()
    }

    fn requests_most(&self) -> u32 {
        REQUESTS_MOST
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
        let receiver = |key| Uploads { session: &self.session, settings: &self.settings, key };
        upload::send(&self.leaving, task, upload, contents, (receiver, REQUESTS_MOST - UPLOAD_STEP)).boxed()
    }
}
