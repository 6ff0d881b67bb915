//! A partner listener to ask, and what its store holds.

use std::num::NonZeroU32;
use std::time::Duration;

use async_nats::ConnectOptions;
use jiff::Timestamp;
use linesman_connectors::tls::Fingerprint;
use linesman_connectors::{Secret, tls};
use linesman_domain::cases::chain::{self, ChangesRow, LeadsTo, NoteRow, ReportedRow, Side};
use linesman_domain::cases::{self, CaseRow, CaseState, CaseText, ChainRow, Stays};
use linesman_domain::organizations::{self, OrgRow, Standing};
use linesman_domain::state::Writes;
use linesman_domain::table;
use linesman_schemas::command::{Handling, SubmitCaseAs};
use linesman_schemas::{FilterLevel, OrgName};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

use super::super::*;
use crate::config::Login;
use crate::lane::status::LaneStatus;
use crate::log::objects::PIECE;
use crate::log::streams::lane_of;
use crate::store::Store;

pub(super) const LANES: u32 = 4;
/// This controller's name.
pub(super) const HERE: &str = "partner-1";
/// Who has a login; each has its name and `'s own` as password.
pub(super) const LOGINS: [&str; 4] = ["acme", "bolt", "corp", "dory"];

/// How much may be uploaded: two pieces and one, and what is kept besides.
const BOUNDED: section::Uploads =
    section::Uploads { most_bytes: 2 * PIECE + 7, kept_most_bytes: 3 * PIECE, kept_most_count: COUNT_MOST };
/// How many uploads and snapshots are kept.
pub(super) const COUNT_MOST: u64 = 20;

/// Which certificates are known of whom, and how much each may report in a day, if that is bounded.
#[derive(Default)]
pub(super) struct Known {
    pub(super) certificates: Vec<(&'static str, Fingerprint)>,
    pub(super) subjects: Vec<(&'static str, &'static str)>,
    pub(super) clients: Option<section::Clients>,
    pub(super) reported_most_bytes: Option<NonZeroU32>,
}

/// A listening partner listener. `acme` and `bolt` take part, `corp` is suspended, `dory` is no end customer.
pub(super) struct Fixture {
    pub(super) listening: Listening,
    pub(super) store: Arc<Store>,
    pub(super) http: reqwest::Client,
    dir: TempDir,
    pub(super) lanes: Vec<watch::Sender<LaneStatus>>,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        Self::within(BOUNDS_HERE, 1000).await
    }

    /// One that bears so many requests a second of an end customer, and as many at once.
    pub(super) async fn bearing(requests_per_second: u32) -> Self {
        Self::within(BOUNDS_HERE, requests_per_second).await
    }

    pub(super) async fn within(bounds: Bounds, requests_per_second: u32) -> Self {
        Self::knowing(bounds, requests_per_second, &Known::default()).await
    }

    /// One that knows certificates of some.
    pub(super) async fn knowing(bounds: Bounds, requests_per_second: u32, known: &Known) -> Self {
        let client = ConnectOptions::new().retry_on_initial_connect().connect("127.0.0.1:9").await.unwrap();
        Self::of(client, bounds, requests_per_second, known).await
    }

    /// One on a log at engine level 7.
    pub(super) async fn on(client: async_nats::Client) -> Self {
        let partner = Self::of(client, BOUNDS_HERE, 1000, &Known::default()).await;
        partner.lanes.iter().for_each(|lane| drop(lane.send_replace(LaneStatus { level: 7, ..Default::default() })));
        partner
    }

    async fn of(client: async_nats::Client, bounds: Bounds, requests_per_second: u32, known: &Known) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&dir.path().join("state")).unwrap());
        let (lanes, statuses) =
            (0..LANES).map(|_| watch::channel(LaneStatus { level: 6, ..Default::default() })).unzip();
        let authority = Authority::open(&dir.path().join("tls")).unwrap();
        let http = tls::http_client(Some(authority.ca_path())).unwrap().build().unwrap();
        let few = NonZeroU32::new(requests_per_second).unwrap();
        let settings = Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            identity: None,
            clients: known.clients.clone(),
            requests_per_second: few,
            burst: few,
            reported_most_bytes: known.reported_most_bytes.unwrap_or(NonZeroU32::MAX),
            uploads: BOUNDED,
        };
        let login = |name: &str| Login {
            password: Some((name.to_owned(), Secret::new(format!("{name}'s own")))),
            certificate: known.certificates.iter().find(|(who, _)| *who == name).map(|(_, certificate)| *certificate),
            subject: known.subjects.iter().find(|(who, _)| *who == name).map(|(_, subject)| subject.parse().unwrap()),
        };
        let partner = Partner {
            store: Arc::clone(&store),
            client,
            lanes: statuses,
            node: "here".into(),
            controller: HERE.into(),
            replicas: 1,
            settings,
            logins: LOGINS.iter().map(|name| (name.parse().unwrap(), login(name))).collect(),
        };
        let listening = listen_within(bounds, partner, &authority).await.unwrap();
        let partner = Self { listening, store, http, dir, lanes };
        for (name, is_proxy, standing) in [
            ("acme", true, Standing::Active),
            ("bolt", true, Standing::Active),
            ("corp", true, Standing::Suspended),
            ("dory", false, Standing::Active),
        ] {
            let org = name.parse().unwrap();
            let row = table::encode(&organization(is_proxy, standing)).unwrap();
            partner.write(name, vec![(organizations::key(&org).into_bytes(), row)]);
        }
        partner
    }

    /// A request of an end customer's.
    pub(super) fn request(&self, who: &str, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).basic_auth(who, Some(format!("{who}'s own")))
    }

    /// The file of the authority whose certificate it shows.
    pub(super) fn ca(&self) -> std::path::PathBuf {
        self.dir.path().join("tls/ca.pem")
    }

    /// A request of nobody's.
    pub(super) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("https://{}/partner/v1/{path}", self.listening.overview().address()))
    }

    pub(super) async fn get(&self, who: &str, path: &str) -> Response {
        self.request(who, Method::GET, path).send().await.unwrap()
    }

    pub(super) async fn post(&self, who: &str, path: &str, key: &str, body: &Value) -> Response {
        let request = self.request(who, Method::POST, path).header("Idempotency-Key", key).json(body);
        request.send().await.unwrap()
    }

    /// Writes rows where the organization's lane has them.
    pub(super) fn write(&self, org: &str, rows: Vec<(Vec<u8>, Vec<u8>)>) {
        let rows = rows.into_iter().map(|(key, value)| (key, Some(value))).collect();
        self.store.lane(lane_of(org, LANES)).unwrap().apply(&Writes { batch: 1, rows }).unwrap();
    }

    /// A case that an organization has reported under the key `k-<number>`, and its last change.
    pub(super) fn reported(&self, name: &str, number: u64, change: u64, notes: Vec<NoteRow>) {
        let org: OrgName = name.parse().unwrap();
        let chain = ChainRow {
            reported: Some(ReportedRow {
                is_test: false,
                key: format!("k-{number}"),
                tracking_number: format!("own-{}", 100 + number),
                transaction_id: format!("T-{name}-{number}"),
                alias: name.to_uppercase(),
                trace_route: vec!["their".to_owned()],
                has_details: false,
            }),
            change,
            told: chain::shown(&case(number), None),
            notes,
            updated: at(change),
            ..ChainRow::default()
        };
        let leads = table::encode(&LeadsTo { incident: number }).unwrap();
        self.write(
            name,
            vec![
                (cases::key(&org, number).into_bytes(), table::encode(&case(number)).unwrap()),
                (chain::key(&org, number).into_bytes(), table::encode(&chain).unwrap()),
                (chain::key_of(&org, &format!("k-{number}")).into_bytes(), leads.clone()),
                (chain::change(&org, change).into_bytes(), leads),
                (chain::count(&org).into_bytes(), table::encode(&ChangesRow { last: change }).unwrap()),
            ],
        );
    }
}

pub(super) fn at(second: u64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + i64::try_from(second).unwrap()).unwrap()
}

/// What somebody has said.
pub(super) fn note(id: &str, side: Side, text: &str) -> NoteRow {
    NoteRow { id: id.to_owned(), author: "ann".to_owned(), at: at(0), text: text.to_owned(), side }
}

fn organization(is_proxy: bool, standing: Standing) -> OrgRow {
    OrgRow {
        display_name: String::new(),
        is_proxy,
        filter_level: FilterLevel::All,
        standing,
        device_groups: Vec::new(),
        loaded: None,
        incidents: 0,
        events: 0,
        reactions: 0,
        alias: String::new(),
        handling: Handling::Forward,
        submit_case_as: SubmitCaseAs::Real,
        upload: true,
        snapshot_interval_s: 0,
        approvals: Default::default(),
        quotas: Default::default(),
        address: String::new(),
    }
}

fn case(number: u64) -> CaseRow {
    CaseRow {
        state: CaseState::Created,
        reaction: format!("r-{number}"),
        policy: None,
        request: CaseText::default(),
        transaction_id: "T-above".to_owned(),
        case_id: format!("C-{number}"),
        status: "open".to_owned(),
        previous_status: String::new(),
        link: format!("https://support.example/C-{number}"),
        updated: at(0),
        opened: at(0),
        is_test: false,
        stays: Stays::default(),
        further: linesman_domain::cases::Further::default(),
    }
}

/// The problem an answer tells of: status, detail and the part at fault; everything else is checked here.
pub(super) async fn problem(answer: Response) -> (u16, String, Option<String>) {
    let status = answer.status();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["type"], &body["status"]), (&Value::from("about:blank"), &Value::from(status.as_u16())));
    let fault = &body["errors"][0];
    let at = fault["pointer"].as_str().or(fault["parameter"].as_str());
    (status.as_u16(), body["detail"].as_str().unwrap().to_owned(), at.map(str::to_owned))
}

/// What comes within a time that is ample.
pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("it comes to an end")
}
