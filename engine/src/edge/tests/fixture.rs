//! An edge to ask, and what its store holds.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

use async_nats::{Client, ConnectOptions};
use jiff::Timestamp;
use linesman_connectors::tls;
use linesman_schemas::audit::{Record, Verdict};
use linesman_schemas::command::CredentialsKind;
use linesman_schemas::device::DeviceState;
use linesman_schemas::scripts::{ScriptKind, ScriptsState};
use linesman_schemas::{FilterLevel, OrgName, PlacePath, Principal, Priority, Privileges, Rights};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

use super::super::*;
use super::people;
use crate::audit::{Auditor, Signer};
use crate::lane::status::LaneStatus;
use crate::log::books::Books;
use crate::log::streams::lane_of;
use crate::store::{Lane, Store};
use linesman_domain::audit::{self, AuditRow, Hash, Head};
use linesman_domain::bundles::BundleRef;
use linesman_domain::devices::{self, DeviceRow};
use linesman_domain::incidents::page;
use linesman_domain::incidents::page::PER_PAGE;
use linesman_domain::incidents::{IncidentRow, Status};
use linesman_domain::organizations::{self, GroupRow, OrgRow, Standing};
use linesman_domain::places::{self, PlaceRow};
use linesman_domain::reached::{self, AfterRow, DirectivesRow, JmbErrorRow, ReachedRow, StandingRow, WishRow};
use linesman_domain::scripts::{
    self, DeviceScriptsRow, FileRow, GroupScriptsRow, InstalledRow, ProfileRow, ScriptBundleRow,
};
use linesman_domain::state::{Write, Writes};
use linesman_domain::table;

pub(super) const LANES: u32 = 4;
/// The address of the upstream whose certificate may be confirmed.
const PINNED: &str = "https://partner.example";
pub(super) const TOKEN: &str = "5f0c-the-right-token-of-this-test";
/// The token of `acme/ann`, who sees `acme` and nothing else.
pub(super) const TOKEN_OF_ACME: &str = "77a1-the-token-of-acme";

/// A listening edge.
pub(super) struct Fixture {
    pub(super) listening: Listening,
    pub(super) store: Arc<Store>,
    pub(super) lanes: Vec<watch::Sender<LaneStatus>>,
    pub(super) ready: watch::Sender<bool>,
    pub(super) policies: watch::Sender<PolicyStatus>,
    pub(super) http: reqwest::Client,
    pub(super) dir: TempDir,
    /// What of the destinations fails.
    pub(super) failing: Arc<crate::failing::Failing>,
    /// Policies that have failed lately.
    pub(super) policy_failures: crate::lane::failures::PolicyFailures,
    /// How the sources are.
    pub(super) brought: watch::Sender<crate::sources::Overview>,
    /// Room for previews.
    pub(super) previews: Arc<tokio::sync::Semaphore>,
    /// Who logs in.
    pub(super) logins: Arc<logins::Logins>,
    /// What reaches devices.
    pub(super) hands: Arc<crate::reach::Hands>,
    /// Without its log a level cannot be changed.
    _log: tracing::Dispatch,
}

/// A client of a NATS server that is not there.
pub(super) async fn nobody() -> Client {
    ConnectOptions::new().retry_on_initial_connect().connect("127.0.0.1:9").await.unwrap()
}

/// Who logs in at rows, with doors that are kept in the folder.
pub(super) fn people_at(rows: Arc<[Lane]>, dir: &TempDir) -> Arc<logins::Logins> {
    let (limits, doors) = (Limits::of(43_200, 2_592_000), dir.path().join("doors.json"));
    logins::Logins::new(rows, limits, logins::Cost::least(), TOKEN, doors).unwrap()
}

impl Fixture {
    pub(super) async fn new() -> Self {
        let (_, metrics) = Metrics::recorder().unwrap();
        Self::with(BOUNDS, nobody().await, metrics).await
    }

    pub(super) async fn with(bounds: Bounds, client: Client, metrics: Metrics) -> Self {
        Self::in_dir(tempfile::tempdir().unwrap(), WALK_MOST, bounds, client, metrics).await
    }

    pub(super) async fn walking(walk_most: Duration, bounds: Bounds, client: Client, metrics: Metrics) -> Self {
        Self::in_dir(tempfile::tempdir().unwrap(), walk_most, bounds, client, metrics).await
    }

    /// With a store that lies in the folder's `state`.
    pub(super) async fn in_dir(
        dir: TempDir,
        walk_most: Duration,
        bounds: Bounds,
        client: Client,
        metrics: Metrics,
    ) -> Self {
        let store = Arc::new(Store::open(&dir.path().join("state")).unwrap());
        let (lanes, statuses) = (0..LANES).map(|_| watch::channel(LaneStatus::default())).unzip();
        let (ready, is_ready) = watch::channel(false);
        let (policy_status, policies) = watch::channel(PolicyStatus::default());
        let authority = Authority::open(&dir.path().join("tls")).unwrap();
        let http = tls::http_client(Some(authority.ca_path())).unwrap().build().unwrap();
        let token = TOKEN.to_owned();
        let log = crate::logging::Log { format: crate::logging::LogFormat::Json, level: "info".to_owned() };
        let (log, logging) = crate::logging::build(&log).unwrap();
        let node: Arc<str> = "here".into();
        let sealed = Arc::new(crate::seal::Sealed::open(dir.path(), None).unwrap());
        let reached = crate::reach::Parts {
            client: client.clone(),
            rows: (0..LANES).map(|lane| store.lane(lane).unwrap()).collect(),
            lanes: Vec::clone(&statuses),
            sealed: Arc::clone(&sealed),
            node: Arc::clone(&node),
            journal: dir.path().join("collected.log"),
            gathered: dir.path().join("gathered.log"),
            gathering: dir.path().join("gathering"),
            objects: crate::log::objects::Objects::new(client.clone(), 1),
            collecting: dir.path().join("collecting"),
            settings: crate::reach::Settings {
                incomplete_after: Duration::from_secs(3_600),
                missed_after: Duration::from_secs(7_200),
                drift_every: Duration::from_secs(86_400),
                visits: 1,
                visits_of_one: 1,
                gatherings: 1,
                gatherings_of_one: 1,
                gathering_within: Duration::from_secs(7_200),
                snapshot_every: Duration::from_secs(604_800),
            },
        };
        let hands = Arc::new(crate::reach::Hands::open(reached).unwrap());
        let verification = crate::scrub::Scrub::new(client.clone(), Arc::clone(&store), Vec::clone(&statuses), 0).1;
        let failing = Arc::new(crate::failing::Failing::of_destinations());
        let policy_failures = crate::lane::failures::PolicyFailures::default();
        let resting = |is_resting| crate::sources::SourceOverview { is_resting, failed: None };
        let (brought, sources) = watch::channel([("bulletins", resting(true)), ("notices", resting(false))].into());
        let edge = Edge {
            store: Arc::clone(&store),
            books: Arc::new(Books::new(client.clone(), 1)),
            client,
            out_age: Duration::from_secs(30 * 86_400),
            lanes: statuses,
            unread: watch::channel(Default::default()).1,
            faults: watch::channel(Vec::new()).1,
            verification,
            node,
            auditor: Arc::new(Auditor { signer: Signer::open(dir.path()).unwrap(), id: "in".to_owned() }),
            token,
            doors: dir.path().join("doors.json"),
            limits: Limits::of(43_200, 2_592_000),
            standing: Arc::new(crate::licence::Standing::without(linesman_schemas::Mode::Partner)),
            ready: is_ready,
            policies,
            failures: policy_failures.clone(),
            files: tokio::sync::mpsc::channel(1).0,
            dispatch: watch::channel(Default::default()).1,
            failing: Arc::clone(&failing),
            sources,
            partner: None,
            upstream: None,
            leaving: Default::default(),
            sealed,
            hands: Arc::clone(&hands),
            pin: Some(crate::pin::Pin::at(dir.path(), PINNED, false)),
            metrics,
            logging,
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut sources = Sources::new(edge, walk_most).unwrap();
        // What hashes cost is shown where they are made.
        sources.logins = people_at(Arc::clone(&sources.rows), &dir);
        for (token, login) in people::BEARERS {
            sources.bearers.add(token, people::principal(login));
        }
        let (previews, logins) = (Arc::clone(&sources.previews), Arc::clone(&sources.logins));
        let served = Tls::default().served(address, &authority).unwrap();
        let listening = listen_within(bounds, sources, address, served).await.unwrap();
        let _log = tracing::Dispatch::new(log);
        let policies = policy_status;
        let edge = Self {
            listening,
            store,
            lanes,
            ready,
            policies,
            http,
            dir,
            failing,
            policy_failures,
            brought,
            previews,
            logins,
            hands,
            _log,
        };
        edge.grant("acme/ann", "acme", Privileges::all(), Rights::default());
        edge
    }

    /// What the engine keeps sealed.
    pub(super) fn sealed(&self) -> crate::seal::Sealed {
        crate::seal::Sealed::open(self.dir.path(), None).unwrap()
    }

    /// Which certificate of the upstream was confirmed.
    pub(super) fn pin(&self) -> crate::pin::Pin {
        crate::pin::Pin::at(self.dir.path(), PINNED, false)
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.listening.addr()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.addr())
    }

    /// A request without the token.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// The answer to a `GET` with the token.
    pub(super) async fn get(&self, path: &str) -> Response {
        self.get_as(TOKEN, path).await
    }

    /// The answer to a `GET` with a token.
    pub(super) async fn get_as(&self, token: &str, path: &str) -> Response {
        self.request(Method::GET, path).bearer_auth(token).send().await.unwrap()
    }

    /// Writes rows where the organization's lane has them.
    pub(super) fn write(&self, org: &str, rows: Vec<(Vec<u8>, Vec<u8>)>) {
        let lane = lane_of(org, LANES);
        self.write_on(lane, rows);
        let lane = self.store.lane(lane).unwrap();
        lane.apply(&reached::index(&lane).unwrap()).unwrap();
    }

    /// Writes rows of the provider's.
    pub(super) fn write_provider(&self, rows: Vec<(Vec<u8>, Vec<u8>)>) {
        self.write_on(0, rows);
    }

    fn write_on(&self, lane: u32, rows: Vec<(Vec<u8>, Vec<u8>)>) {
        let rows: Vec<Write> = rows.into_iter().map(|(key, value)| (key, Some(value))).collect();
        self.store.lane(lane).unwrap().apply(&Writes { batch: 1, rows }).unwrap();
    }

    /// Writes rows of a lane.
    pub(super) fn write_to(&self, lane: u32, rows: Vec<(Vec<u8>, Vec<u8>)>) {
        let rows: Vec<Write> = rows.into_iter().map(|(key, value)| (key, Some(value))).collect();
        self.store.lane(lane).unwrap().apply(&Writes { batch: 1, rows }).unwrap();
    }

    /// An organization with so many incidents of one device.
    pub(super) fn organization(&self, name: &str, incidents: u64) {
        let incidents: Vec<_> = (1..=incidents).map(|_| "SN1").collect();
        self.fleet(name, &[("SN1", "edge-1.example", "")], &incidents);
    }

    /// An organization with devices by serial number, host name and group, and incidents by their serial numbers.
    pub(super) fn fleet(&self, name: &str, fleet: &[(&str, &str, &str)], incidents: &[&str]) {
        let org: OrgName = name.parse().unwrap();
        let hosts = |wanted: &str| {
            fleet.iter().filter(move |(_, _, group)| *group == wanted).map(|(_, host, _)| (*host).to_owned()).collect()
        };
        let group = |group: &str| GroupRow { name: group.to_owned(), devices: hosts(group) };
        let groups: BTreeSet<&str> =
            fleet.iter().map(|(_, _, group)| *group).filter(|group| !group.is_empty()).collect();
        let row = OrgRow {
            display_name: name.to_uppercase(),
            is_proxy: true,
            filter_level: FilterLevel::All,
            standing: Standing::Active,
            device_groups: groups.into_iter().map(group).collect(),
            loaded: None,
            incidents: incidents.len() as u64,
            events: incidents.len() as u64,
            reactions: 0,
            alias: String::new(),
            handling: linesman_schemas::command::Handling::Forward,
            submit_case_as: linesman_schemas::command::SubmitCaseAs::Real,
            upload: true,
            snapshot_interval_s: 0,
            approvals: Default::default(),
            quotas: Default::default(),
            address: String::new(),
        };
        let mut rows = vec![(organizations::key(&org).into_bytes(), table::encode(&row).unwrap())];
        for (serial_number, host_name, _) in fleet {
            let row = table::encode(&device(host_name)).unwrap();
            rows.push((devices::key(&org, serial_number).into_bytes(), row));
        }
        let numbers: Vec<_> = (1..).zip(incidents).collect();
        for (page, numbers) in (0..).zip(numbers.chunks(PER_PAGE as usize)) {
            let mut bytes = Vec::new();
            for (number, serial_number) in numbers {
                let row = IncidentRow { serial_number: (**serial_number).to_owned(), ..incident(*number) };
                let row = table::encode(&row).unwrap();
                bytes.extend_from_slice(&u32::try_from(row.len()).unwrap().to_le_bytes());
                bytes.extend_from_slice(&row);
            }
            rows.push((page::key(&org, page).into_bytes(), bytes));
        }
        self.write(name, rows);
    }
}

/// Rows of a device `r1` that is reached, and of a file `f1` of it that is no bundle.
pub(super) fn reached(organization: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let org: OrgName = organization.parse().unwrap();
    let row = ReachedRow {
        address: "192.0.2.1".into(),
        port: 22,
        netconf_port: 830,
        user: "linesman".into(),
        credentials: CredentialsKind::Key,
        given: 1,
        directory: "/var/tmp".into(),
        pattern: "*.xml".into(),
        poll_s: 30,
        after: AfterRow::Remove,
        place: None,
        serial_number: format!("S-{organization}"),
        directives: Vec::new(),
        is_legacy: false,
        accepts_first_host_key: false,
        host_key: None,
    };
    let standing = StandingRow {
        state: DeviceState::Unreachable,
        since: Timestamp::UNIX_EPOCH,
        error: format!("error of {organization}"),
        collected: None,
        shown_host_key: None,
        facts: Default::default(),
    };
    let directives = DirectivesRow { commands: vec![format!("show secret of {organization}")] };
    let error = JmbErrorRow {
        file: format!("{organization}.xml"),
        size: 1,
        modified: 1,
        fault: "not-xml".into(),
        detail: String::new(),
        line: 0,
        column: 0,
        head: format!("head of {organization}"),
        found: Timestamp::UNIX_EPOCH,
        wish: WishRow::None,
    };
    let installed =
        || InstalledRow { bundle: "health".to_owned(), version: "1".to_owned(), profile: "chassis".to_owned() };
    let content = format!("script of {organization}");
    let file = FileRow { kind: ScriptKind::Op, name: "look.slax".to_owned(), sha256: String::new(), content };
    let bundle = ScriptBundleRow { files: vec![file], kept: Timestamp::UNIX_EPOCH };
    let profile = ProfileRow { events: vec![("FAN_FAILURE".to_owned(), 1)] };
    let group = GroupScriptsRow {
        order: 1,
        scripts: Some(installed()),
        overwrites: Vec::new(),
        asked: Timestamp::UNIX_EPOCH,
        by: Vec::new(),
    };
    let scripts = DeviceScriptsRow {
        group: "core".to_owned(),
        order: 1,
        state: ScriptsState::Done,
        since: Timestamp::UNIX_EPOCH,
        done: 1,
        of: 1,
        detail: String::new(),
        has: Some(installed()),
        is_begun: false,
        by: Vec::new(),
    };
    vec![
        (scripts::bundle_key(&org, "health", "1").into_bytes(), table::encode(&bundle).unwrap()),
        (scripts::profile_key(&org, "chassis").into_bytes(), table::encode(&profile).unwrap()),
        (scripts::group_key(&org, "core").into_bytes(), table::encode(&group).unwrap()),
        (scripts::device_key(&org, "r1").into_bytes(), table::encode(&scripts).unwrap()),
        (reached::key(&org, "r1").into_bytes(), table::encode(&row).unwrap()),
        (reached::standing_key(&org, "r1").into_bytes(), table::encode(&standing).unwrap()),
        (reached::jmb_error_key(&org, "r1", "f1").into_bytes(), table::encode(&error).unwrap()),
        (reached::directives_key(&org, "mx").into_bytes(), table::encode(&directives).unwrap()),
    ]
}

/// Rows of a group on a device of the access line of [`reached`]'s organization, which that has otherwise than it was told.
pub(super) fn drifted(organization: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    use linesman_domain::activations::drift::{self, DriftRow, LineRow};
    use linesman_domain::activations::parts::{self, GroupRow};

    let org: OrgName = organization.parse().unwrap();
    let group = format!("linesman-{organization}-0123456789ab-line-7");
    let owner = GroupRow {
        line: format!("{organization}/berlin/line-7").parse().unwrap(),
        activation: format!("{organization}-0123456789ab"),
        leaves: Vec::new(),
        is_blocked: false,
        strictness: linesman_rules::Strictness::Utmost,
    };
    let row = DriftRow {
        device: "r1".to_owned(),
        state: drift::State::Drifted,
        since: Timestamp::UNIX_EPOCH,
        missing: vec![LineRow { text: format!("of {organization}"), template: String::new() }],
        more_missing: 0,
        extra: Vec::new(),
        more_extra: 0,
        told: None,
        restored: None,
        restores: 0,
    };
    vec![
        (parts::group_key(&org, "SN1", &group).into_bytes(), table::encode(&owner).unwrap()),
        (drift::key(&org, "SN1", &group).into_bytes(), table::encode(&row).unwrap()),
    ]
}

fn device(host_name: &str) -> DeviceRow {
    DeviceRow {
        host_name: host_name.into(),
        product: "MX240".into(),
        platform: "junos".into(),
        os_version: "21.4R3".into(),
        management_address: "192.0.2.1".into(),
        group: String::new(),
        first_seen: Timestamp::UNIX_EPOCH,
        last_seen: Timestamp::UNIX_EPOCH,
    }
}

/// Rows of a log with so many records, each a minute behind the one before.
pub(super) fn audited(owner: &str, records: u64) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut head, mut rows) = (Head::default(), Vec::new());
    for index in 0..records {
        let record = audit_record(owner, index);
        let body = audit::record::text(record).unwrap();
        let row = AuditRow { leaf: Hash::of_leaf(body.as_bytes()), body: Some(body), detail: format!("of {owner}") };
        for subtree in head.append(row.leaf) {
            let key = audit::subtree_key(owner, subtree.level, subtree.index);
            rows.push((key.into_bytes(), table::encode(&subtree.hash).unwrap()));
        }
        rows.push((audit::record_key(owner, index).into_bytes(), table::encode(&row).unwrap()));
    }
    rows.push((audit::head_key(owner).into_bytes(), table::encode(&head).unwrap()));
    rows
}

/// The record of that number.
pub(super) fn audit_record(owner: &str, index: u64) -> Record {
    let below = if owner == "corp" { owner } else { "acme" };
    let pick = |words: [&str; 3]| words[usize::try_from(index % 3).unwrap()].to_owned();
    Record {
        index,
        time: Timestamp::from_second(1_800_000_000 + 60 * i64::try_from(index).unwrap()).unwrap(),
        actor: pick(["bob", "mara", "acme/ann"]),
        chain: vec!["admin".to_owned()],
        principal: Some(Principal::admin()),
        node: "here".to_owned(),
        operation: if index.is_multiple_of(2) { "set-place" } else { "close-incident" }.to_owned(),
        place: if owner.starts_with('_') {
            "/".to_owned()
        } else {
            pick([owner, &format!("{below}/berlin"), &format!("{below}/berlin/line-7")])
        },
        about: None,
        old: Value::Null,
        new: serde_json::json!({"display_name": format!("Straße {index}")}),
        outcome: Verdict::ALL[usize::try_from(index % 5).unwrap()],
        command: format!("c-{index}").parse().unwrap(),
        rule_book: 1,
    }
}

/// A place's row, by its key.
pub(super) fn place(name: &str) -> (Vec<u8>, Vec<u8>) {
    let place: PlacePath = name.parse().unwrap();
    let row = PlaceRow {
        display_name: format!("{} of {}", place.line.as_ref().unwrap_or(&place.site), place.organization),
        device: "SN1".into(),
        interface: "xe-0/0/0".into(),
        addresses: vec!["192.0.2.1/24".into()],
        speed: 100_000_000,
        created: Timestamp::UNIX_EPOCH,
        changed: Timestamp::UNIX_EPOCH,
    };
    (places::key(&place).into_bytes(), table::encode(&row).unwrap())
}

/// The incident of that number.
pub(super) fn incident(number: u64) -> IncidentRow {
    IncidentRow {
        host_event_id: format!("event-{number}"),
        kind: "event".into(),
        is_off_box: false,
        serial_number: "SN1".into(),
        event_type: "CHASSISD_FRU_OFFLINE_NOTICE".into(),
        event_type_group: String::new(),
        service_type: String::new(),
        synopsis: "FRU offline".into(),
        description: String::new(),
        priority: Priority::High,
        severity: Some(5),
        occurred: Timestamp::UNIX_EPOCH,
        detected: Timestamp::from_second(60).unwrap(),
        status: Status::Unassigned,
        owner: String::new(),
        repeats: 2,
        bundle: BundleRef { sequence: 100 + number, length: 2048, sha256: [0xab; 32], parts: Vec::new() },
    }
}

/// The problem an answer tells of: status and detail; everything else is checked here.
pub(super) async fn problem(answer: Response) -> (u16, String) {
    let status = answer.status();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["type"], &body["status"]), (&Value::from("about:blank"), &Value::from(status.as_u16())));
    assert_eq!(body["title"], status.canonical_reason().unwrap());
    (status.as_u16(), body["detail"].as_str().unwrap().to_owned())
}

/// As [`problem`], with the parameter that is at fault.
pub(super) async fn faulty(answer: Response) -> (u16, String, String) {
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let body: Value = answer.json().await.unwrap();
    let error = &body["errors"][0];
    assert_eq!(error["detail"], body["detail"]);
    (status, error["parameter"].as_str().unwrap().to_owned(), body["detail"].as_str().unwrap().to_owned())
}
