//! Stand-in devices in a process of their own, and the engine's collector beside a real log, which knows them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use async_nats::Client;
use jiff::Timestamp;
use linesman::embedded::{self, Server};
use linesman::lane::status::LaneStatus;
use linesman::log;
use linesman::log::objects::Objects;
use linesman::log::streams::{self, lane_of};
use linesman::reach::{Hands, Parts, Settings};
use linesman::seal::Sealed;
use linesman::seal::devices::Shown;
use linesman::store::Store;
use linesman_connectors::Secret;
use linesman_connectors::device::ssh::{Connection, Credential, Expected, HostKey, Login, Patience};
use linesman_connectors::device::standin::server::{self, Account, Proof, Setup};
use linesman_domain::organizations::{self, OrgRow, Standing};
use linesman_domain::reached::{self, AfterRow, FactsRow, ReachedRow, StandingRow};
use linesman_domain::state::{Write, Writes};
use linesman_domain::table;
use linesman_schemas::command::{CredentialsKind, Handling, SubmitCaseAs};
use linesman_schemas::device::DeviceState;
use linesman_schemas::{FilterLevel, OrgName};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::stage::{LANES, layout};

const USER: &str = "linesman";
const PASSWORD: &str = "correct horse battery";
/// How many organizations share the devices.
const ORGANIZATIONS: usize = 10;
/// Where devices leave what they have, in their folders.
const DIRECTORY: &str = "var/tmp";

/// A stand-in device, as it is found.
#[derive(Debug)]
pub struct Device {
    /// Whose it is.
    pub org: OrgName,
    /// What it is called.
    pub name: String,
    /// Where it leaves what it has.
    pub folder: PathBuf,
    port: u16,
    host_key: HostKey,
}

impl Device {
    /// Connects to it, as the collector does.
    ///
    /// # Errors
    /// It does not let us in.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        let login = Login {
            address: "127.0.0.1".to_owned(),
            port: self.port,
            user: USER.to_owned(),
            credential: Credential::Password(Secret::new(PASSWORD)),
            host_key: Expected::Pinned(self.host_key.clone()),
            is_legacy: false,
        };
        Ok(Connection::open(&login, &Patience::default()).await?)
    }

    fn row(&self, poll_s: u32) -> ReachedRow {
        ReachedRow {
            address: "127.0.0.1".to_owned(),
            port: self.port,
            netconf_port: self.port,
            user: USER.to_owned(),
            credentials: CredentialsKind::Password,
            given: 1,
            directory: format!("/{DIRECTORY}"),
            pattern: "*.xml".to_owned(),
            poll_s,
            after: AfterRow::Remove,
            place: None,
            serial_number: String::new(),
            directives: Vec::new(),
            is_legacy: false,
            accepts_first_host_key: false,
            host_key: Some(self.host_key.to_string()),
        }
    }
}

/// Stand-in devices that run. Dropped, they are gone.
#[derive(Debug)]
pub struct Herd {
    /// The devices.
    pub devices: Vec<Device>,
    /// It ends where nothing more can come here.
    held: Option<ChildStdin>,
    child: Child,
}

impl Herd {
    /// Starts so many, with folders below one.
    ///
    /// # Errors
    /// They cannot be started.
    pub fn start(folder: &Path, count: usize) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["standins", &count.to_string()])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let held = child.stdin.take();
        let told = BufReader::new(child.stdout.take().context("it says nothing")?);
        let mut devices = Vec::with_capacity(count);
        for (number, line) in told.lines().take(count).enumerate() {
            let line = line?;
            let (port, host_key) = line.split_once(' ').context("it says something else")?;
            devices.push(Device {
                org: organization(number % ORGANIZATIONS)?,
                name: format!("edge-{number:04}"),
                folder: root(folder, number).join(DIRECTORY),
                port: port.parse()?,
                host_key: host_key.parse()?,
            });
        }
        ensure!(devices.len() == count, "{} of {count} devices are there", devices.len());
        Ok(Self { devices, held, child })
    }
}

impl Drop for Herd {
    fn drop(&mut self) {
        self.held.take();
        // It ends by itself.
        let _ = self.child.wait();
    }
}

/// Is so many stand-in devices, until nothing more can come from whoever started it: the other side of [`Herd`].
///
/// # Errors
/// They cannot be started.
pub async fn stand_in(folder: &Path, count: usize) -> anyhow::Result<()> {
    raise_open_files()?;
    let mut servers = Vec::with_capacity(count);
    let mut told = String::new();
    for number in 0..count {
        let root = root(folder, number);
        std::fs::create_dir_all(root.join(DIRECTORY))?;
        let account = Account { user: USER.to_owned(), proof: Proof::Password(PASSWORD.to_owned()) };
        let server = server::Server::start(Setup::new(root, vec![account])).await?;
        told += &format!("{} {}\n", server.address().port(), server.host_key()?);
        servers.push(server);
    }
    std::io::stdout().write_all(told.as_bytes())?;
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    ended.await??;
    Ok(())
}

/// A thousand devices take a thousand open files and more.
///
/// # Errors
/// The system refuses.
pub fn raise_open_files() -> anyhow::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?)
}

fn root(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("device-{number:04}"))
}

fn organization(number: usize) -> anyhow::Result<OrgName> {
    Ok(format!("org-{number:04}").parse()?)
}

/// So many devices are looked at at a time; all else is as the engine has it where nothing is said.
pub const fn settings(visits: usize, visits_of_one: usize) -> Settings {
    Settings {
        incomplete_after: Duration::from_secs(3_600),
        missed_after: Duration::from_secs(7_200),
        drift_every: Duration::from_secs(86_400),
        visits,
        visits_of_one,
        gatherings: 16,
        gatherings_of_one: 8,
        gathering_within: Duration::from_secs(7_200),
        snapshot_every: Duration::from_secs(604_800),
    }
}

/// The engine's collector, with what it needs: a NATS server of its own, rows, sealed credentials. There are no lanes.
pub struct Collector {
    /// What devices are reached by.
    pub hands: Arc<Hands>,
    /// How far the lanes are said to be: where they move the collector looks which devices there are.
    pub lanes: Vec<watch::Sender<LaneStatus>>,
    /// The log.
    pub client: Client,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
    server: Server,
    store: Store,
}

impl Collector {
    /// Starts it in a folder, for devices of which each is looked at every so often.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn start(folder: &Path, devices: &[Device], poll_s: u32, settings: Settings) -> anyhow::Result<Self> {
        raise_open_files()?;
        let server = embedded::start(embedded::Settings::new(folder.join("server"))).await?;
        let client = log::connect(&server.engine_url(), "bench").await?;
        streams::ensure(&client, &layout()).await?;
        streams::open(&client, &layout()).await?;
        let store = Store::open(&folder.join("state"))?;
        let sealed = Arc::new(Sealed::open(folder, None)?);
        fill(&store, devices, poll_s)?;
        for device in devices {
            let Device { org, name, .. } = device;
            sealed.devices.keep(org, name, &device.row(poll_s), &Shown::Password(Secret::new(PASSWORD)))?;
        }
        let status = LaneStatus { is_running: true, position: 1, level: reached::LEVEL, ..LaneStatus::default() };
        let (lanes, statuses) = (0..LANES).map(|_| watch::channel(status.clone())).unzip();
        let parts = Parts {
            client: client.clone(),
            rows: (0..LANES).map(|lane| store.lane(lane)).collect::<Result<_, _>>()?,
            lanes: statuses,
            sealed,
            node: "bench".into(),
            journal: folder.join("collected.log"),
            gathered: folder.join("gathered.log"),
            gathering: folder.join("gathering"),
            objects: Objects::new(client.clone(), 1),
            collecting: folder.join("collecting"),
            settings,
        };
        let hands = Arc::new(Hands::open(parts)?);
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(Arc::clone(&hands).run(stopped));
        Ok(Self { hands, lanes, client, stop, running, server, store })
    }

    /// Stops it.
    ///
    /// # Errors
    /// It broke off.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        tokio::time::timeout(Duration::from_secs(60), self.running).await??;
        self.server.stop().await;
        Ok(self.store.close()?)
    }
}

/// Writes what lanes would have of organizations and devices, which are well.
fn fill(store: &Store, devices: &[Device], poll_s: u32) -> anyhow::Result<()> {
    let mut lanes: Vec<Vec<Write>> = (0..LANES).map(|_| Vec::new()).collect();
    let mut put = |org: &OrgName, row: Write| {
        if let Some(rows) = lanes.get_mut(lane_of(org.as_str(), LANES) as usize) {
            rows.push(row);
        }
    };
    for number in 0..ORGANIZATIONS {
        let org = organization(number)?;
        put(&org, (organizations::key(&org).into_bytes(), Some(table::encode(&row(number))?)));
    }
    let standing = StandingRow {
        state: DeviceState::Reachable,
        since: Timestamp::UNIX_EPOCH,
        error: String::new(),
        collected: Some(Timestamp::now()),
        shown_host_key: None,
        facts: FactsRow::default(),
    };
    for device in devices {
        let Device { org, name, .. } = device;
        put(org, (reached::key(org, name).into_bytes(), Some(table::encode(&device.row(poll_s))?)));
        put(org, (reached::standing_key(org, name).into_bytes(), Some(table::encode(&standing)?)));
    }
    for (lane, rows) in (0..).zip(lanes) {
        store.lane(lane)?.apply(&Writes { batch: 1, rows })?;
    }
    Ok(())
}

fn row(number: usize) -> OrgRow {
    OrgRow {
        alias: String::new(),
        handling: Handling::Forward,
        submit_case_as: SubmitCaseAs::Real,
        upload: true,
        snapshot_interval_s: 0,
        approvals: Default::default(),
        quotas: Default::default(),
        address: String::new(),
        display_name: format!("Organization {number}"),
        is_proxy: true,
        filter_level: FilterLevel::All,
        standing: Standing::Active,
        device_groups: Vec::new(),
        loaded: None,
        incidents: 0,
        events: 0,
        reactions: 0,
    }
}
