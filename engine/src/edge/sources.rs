//! What the API tells of, and what its routes read from.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use axum::http::StatusCode;
use linesman_connectors::Connector;
use linesman_connectors::upload::Leaving;
use linesman_domain::organizations::{self, OrgRow};
use linesman_domain::remembered;
use linesman_domain::table::Table;
use linesman_schemas::command::SectionLoad;
use linesman_schemas::control::{RefusedPolicy, Section};
use linesman_schemas::service::{RefusedService, ServicesSection};
use linesman_schemas::{OrgName, Principal};
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot, watch};

use super::admission::Admission;
use super::commands::Commands;
use super::event_ids::EventIds;
use super::gauges::Gauges;
use super::grants::Grants;
use super::logins::{Cost, Entry, Limits, Logins, Way};
use super::refusals::Refusals;
use super::shares::Shares;
use super::transport::problem::Problem;
use super::turns::Turns;
use super::viewer::Bearers;
use crate::audit::Auditor;
use crate::dispatch::{Fetching, Overview};
use crate::failing::Failing;
use crate::lane::failures::PolicyFailures;
use crate::lane::status::{LaneStatus, Unread};
use crate::licence::Standing;
use crate::log::books::Books;
use crate::log::streams::lane_of;
use crate::logging::Logging;
use crate::metrics::Metrics;
use crate::partner;
use crate::pin::Pin;
use crate::reach::Hands;
use crate::scrub::Verification;
use crate::seal::Sealed;
use crate::serve::Fault;
use crate::sources;
use crate::store::{self, Store};

/// How many requests read the store at a time: lanes need the cores more.
const READS: usize = 4;
/// How many find out at a time what a write would do: each decides as a lane does.
const PREVIEWS: usize = 2;
/// How many may listen to events at once: each has a consumer at the server.
const LISTENERS: usize = 128;
/// How many may export the audit, or cases, at a time.
const EXPORTERS: usize = 8;
/// How many may read dead letters at a time: each has a consumer at the server, and what it has fetched in memory.
const READERS: usize = 4;

/// What the edge tells of.
pub struct Edge {
    /// The applied state. It is not kept: whoever stops the engine can close it while answers end.
    pub store: Arc<Store>,
    /// The log, to look up how far it is.
    pub client: Client,
    /// The rule books, to show what is judged by.
    pub books: Arc<Books>,
    /// How long OUT keeps what it says.
    pub out_age: Duration,
    /// How far each lane is, by number.
    pub lanes: Vec<watch::Receiver<LaneStatus>>,
    /// What no lane reads.
    pub unread: watch::Receiver<Unread>,
    /// By what the engine cannot work.
    pub faults: watch::Receiver<Vec<Fault>>,
    /// What of the streams is damaged, and who looks.
    pub verification: Verification,
    /// This engine, as commands name it.
    pub node: Arc<str>,
    /// What signs checkpoints of the audit.
    pub auditor: Arc<Auditor>,
    /// What a request of whoever is on the machine bears.
    pub token: String,
    /// Where it is kept what failed at logins.
    pub doors: PathBuf,
    /// For how long somebody who has logged in is let in.
    pub limits: Limits,
    /// Under what licence organizations are added.
    pub standing: Arc<Standing>,
    /// Whether the engine serves.
    pub ready: watch::Receiver<bool>,
    /// Policies that have failed lately.
    pub failures: PolicyFailures,
    /// How the policies are.
    pub policies: watch::Receiver<PolicyStatus>,
    /// Whom to ask what this node's files say.
    pub files: mpsc::Sender<FilesAsked>,
    /// How the dispatcher is.
    pub dispatch: watch::Receiver<Overview>,
    /// What of the destinations fails, and why.
    pub failing: Arc<Failing>,
    /// How the sources are.
    pub sources: watch::Receiver<sources::Overview>,
    /// How the partner listener is; none where there is none.
    pub partner: Option<partner::Overview>,
    /// The connector that leads to the upstream.
    pub upstream: Option<Arc<dyn Connector>>,
    /// How documents leave, filtered.
    pub leaving: Leaving,
    /// What the installation keeps sealed.
    pub sealed: Arc<Sealed>,
    /// What devices are reached by.
    pub hands: Arc<Hands>,
    /// Which certificate of the upstream was confirmed; none where there is no upstream.
    pub pin: Option<Pin>,
    /// What is measured.
    pub metrics: Metrics,
    /// What the log tells.
    pub logging: Logging,
}

/// How the policies are.
#[derive(Debug, Clone, Default)]
pub struct PolicyStatus {
    /// The version of the rule book that every lane judges by.
    pub version: u64,
    /// Why the rule directory cannot be read, if it cannot.
    pub directory: Option<String>,
    /// How many policy files are refused.
    pub count: usize,
    /// They, the first by name.
    pub refused: Arc<[RefusedPolicy]>,
    /// The services that are refused, and the parameters of all, the first by name.
    pub services: Arc<[RefusedService]>,
    /// The sections that the files of this node have otherwise than what was last loaded into the log.
    pub differing: Vec<Section>,
}

/// Asks whoever watches the files what a section is to be loaded as.
#[derive(Debug)]
pub struct FilesAsked {
    /// Which section.
    pub section: Section,
    /// Whether it is only looked at, and is not to be loaded yet.
    pub is_look: bool,
    /// What they say, or why there is nothing.
    pub answer: oneshot::Sender<Result<FilesSaid, String>>,
}

/// What a node's files say of a section.
#[derive(Debug)]
pub struct FilesSaid {
    /// What is to be asked of the log, its content being in the object store where it is not only looked at.
    pub load: SectionLoad,
    /// The services, of their section.
    pub services: Option<ServicesSection>,
    /// What the operator is to know beside it; empty for nothing.
    pub note: String,
}

/// What the routes read from.
pub(super) struct Sources {
    /// Who is known by a token of the engine's.
    pub(super) bearers: Bearers,
    /// Who logs in.
    pub(super) logins: Arc<Logins>,
    /// What they were granted.
    pub(super) grants: Arc<Grants>,
    /// Under what licence organizations are added, and whose turn it is.
    pub(super) standing: Arc<Standing>,
    pub(super) admission: Admission,
    pub(super) ready: watch::Receiver<bool>,
    /// By what the engine cannot work.
    pub(super) faults: watch::Receiver<Vec<Fault>>,
    /// What of the streams is damaged.
    pub(super) verification: Verification,
    pub(super) policies: watch::Receiver<PolicyStatus>,
    /// Those that have failed lately.
    pub(super) failures: PolicyFailures,
    /// Whom to ask what this node's files say.
    pub(super) files: mpsc::Sender<FilesAsked>,
    pub(super) dispatch: watch::Receiver<Overview>,
    /// What of the destinations fails, and why.
    pub(super) failing: Arc<Failing>,
    /// What brings inputs by itself.
    pub(super) sources: watch::Receiver<sources::Overview>,
    /// How the partner listener is.
    pub(super) partner: Option<partner::Overview>,
    /// The connector that leads to the upstream.
    pub(super) upstream: Option<Arc<dyn Connector>>,
    /// How documents leave, filtered.
    pub(super) leaving: Leaving,
    /// Where bytes of cases are fetched from.
    pub(super) fetching: Fetching,
    /// Held while the way to it is tried out.
    pub(super) trying: Mutex<()>,
    /// What the installation keeps sealed.
    pub(super) sealed: Arc<Sealed>,
    /// Held by whoever changes something of it.
    pub(super) sealing: Mutex<()>,
    /// Held while pseudonyms of a document are undone: it lies in memory.
    pub(super) undoing: Mutex<()>,
    /// What devices are reached by.
    pub(super) hands: Arc<Hands>,
    /// Which certificate of the upstream was confirmed.
    pub(super) pin: Option<Pin>,
    /// How far each lane is, by number.
    pub(super) lanes: Vec<watch::Receiver<LaneStatus>>,
    /// Their rows, by number.
    pub(super) rows: Arc<[store::Lane]>,
    /// Turns of those who read the store.
    pub(super) reads: Turns,
    /// Room for those who ask what a write would do.
    pub(super) previews: Arc<Semaphore>,
    /// The log.
    pub(super) client: Client,
    pub(super) commands: Arc<Commands>,
    /// The ids of what stands in OUT.
    pub(super) ids: EventIds,
    /// Writes that were refused before they became commands.
    pub(super) refusals: Arc<Refusals>,
    /// Room for those who listen to events.
    pub(super) listeners: Shares,
    /// Room for those who read dead letters.
    pub(super) readers: Shares,
    /// Room for those who export the audit, or cases.
    pub(super) exporters: Shares,
    /// What signs checkpoints of the audit.
    pub(super) auditor: Arc<Auditor>,
    /// Held by whoever replays one.
    pub(super) replaying: Mutex<()>,
    /// How long a walk through the store may take.
    pub(super) walk_most: Duration,
    pub(super) books: Arc<Books>,
    pub(super) gauges: Gauges,
    pub(super) metrics: Metrics,
    pub(super) logging: Logging,
}

impl Sources {
    /// Whether what was granted to somebody is not known as it is: the state that says so is that of an earlier time.
    pub(super) fn is_past(&self, entry: &Entry) -> bool {
        if entry.way == Way::Machine && entry.principal == Principal::admin() {
            return false;
        }
        let is_past = |lane: u32| self.lanes.get(lane as usize).is_some_and(|status| status.borrow().is_past);
        let lanes = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        let own = entry.principal.login().and_then(|login| login.organization);
        is_past(0) || own.is_some_and(|org| is_past(lane_of(org.as_str(), lanes)))
    }

    /// An organization's row, as it is applied.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn organization(&self, org: &OrgName) -> Result<Option<OrgRow>, linesman_domain::Error> {
        Ok(self.lane(org).map(|lane| Table::read(lane, &organizations::key(org))).transpose()?.flatten())
    }

    /// The quota of remembered ids that an organization was given.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn ids_quota(&self, org: &OrgName) -> Result<Option<u64>, linesman_domain::Error> {
        Ok(self.lane(org).map(|lane| remembered::given(lane, org)).transpose()?.flatten())
    }

    /// The rows of an organization's lane.
    pub(super) fn lane(&self, org: &OrgName) -> Option<&store::Lane> {
        let lanes = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.rows.get(lane_of(org.as_str(), lanes) as usize)
    }

    /// Lets on what the mode of the installation has: the log's where that was changed since the start.
    ///
    /// # Errors
    /// It is an operation of another mode.
    pub(super) fn is_of_mode(&self, operation: &str) -> Result<(), Problem> {
        let mode = self.admission.switched().unwrap_or(self.standing.mode);
        mode.refuse(operation).map_or(Ok(()), |detail| Err(Problem::new(StatusCode::CONFLICT, detail)))
    }

    /// What `edge` offers; its store is let go of.
    ///
    /// # Errors
    /// The store cannot be read, or there are no random numbers.
    pub(super) fn new(edge: Edge, walk_most: Duration) -> Result<Self, super::Error> {
        let rows: Arc<[_]> =
            (0..).zip(&edge.lanes).map(|(lane, _)| edge.store.lane(lane)).collect::<Result<_, store::Error>>()?;
        // All that the engine keeps lies there.
        let folder = edge.doors.parent().unwrap_or(&edge.doors).to_owned();
        Ok(Self {
            bearers: Bearers::new(&edge.token),
            ids: EventIds::new(&edge.token),
            logins: Logins::new(Arc::clone(&rows), edge.limits, Cost::usual()?, &edge.token, edge.doors)?,
            grants: Arc::new(Grants::new(Arc::clone(&rows))),
            gauges: Gauges::new(
                edge.client.clone(),
                edge.lanes.clone(),
                Arc::clone(&rows),
                edge.unread,
                (edge.ready.clone(), edge.faults.clone()),
                (Arc::clone(&edge.standing), folder, edge.out_age),
            ),
            standing: edge.standing,
            admission: Admission::default(),
            ready: edge.ready,
            faults: edge.faults,
            verification: edge.verification,
            policies: edge.policies,
            failures: edge.failures,
            files: edge.files,
            dispatch: edge.dispatch,
            failing: edge.failing,
            sources: edge.sources,
            partner: edge.partner,
            upstream: edge.upstream,
            leaving: edge.leaving,
            fetching: Fetching::new(edge.client.clone()),
            trying: Mutex::default(),
            sealed: edge.sealed,
            sealing: Mutex::default(),
            undoing: Mutex::default(),
            hands: edge.hands,
            pin: edge.pin,
            commands: Arc::new(Commands::new(edge.client.clone(), edge.node, edge.lanes.clone(), Arc::clone(&rows))),
            refusals: Arc::default(),
            listeners: Shares::new(LISTENERS, "listen already"),
            readers: Shares::new(READERS, "read dead letters"),
            exporters: Shares::new(EXPORTERS, "exports are under way"),
            auditor: edge.auditor,
            replaying: Mutex::default(),
            client: edge.client,
            lanes: edge.lanes,
            rows,
            reads: Turns::new(READS),
            previews: Arc::new(Semaphore::new(PREVIEWS)),
            walk_most,
            books: edge.books,
            metrics: edge.metrics,
            logging: edge.logging,
        })
    }
}
