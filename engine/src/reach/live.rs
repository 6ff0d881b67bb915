//! What somebody asks of a device at once: what it is, its configuration, a request of their own, a file that was set aside.

use linesman_connectors::device::files::{File, Files};
use linesman_connectors::device::limits::Limits;
use linesman_connectors::device::netconf::{Part, Request, Session, junos};
use linesman_connectors::device::ssh::Connection;
use linesman_domain::reached::{self, ReachedRow};
use linesman_domain::table::Table;
use linesman_schemas::OrgName;
use linesman_schemas::device::{DeviceFacts, DeviceStanding, DeviceState};
use linesman_schemas::outcome::Report;

use super::visit::id_of;
use super::way::limits;
use super::{Device, Hands};
use crate::logging::full;

/// How many bytes of a reply are handed out.
const REPLY_MOST: u64 = 64 * 1024 * 1024;
/// How many bytes a fact may have.
const FACT_MOST: u64 = 256 * 1024;
/// How many entries of a directory are looked at.
const ENTRIES_MOST: usize = 20_000;

/// Why something that was asked of a device was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// There is no such device, or no such file.
    Nothing(String),
    /// The device does not do it, or does not answer.
    Failed(String),
}

/// A NETCONF session with the connection that carries it.
struct Talk {
    session: Session,
    connection: Connection,
}

impl Talk {
    async fn end(self, limits: &Limits) {
        // Whether it says good-bye does not matter.
        let _ = self.session.close(limits).await;
        self.connection.close().await;
    }
}

impl Hands {
    /// The name by which a device is reached that somebody names so, or by its serial number; none where there is none.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn named(&self, org: &OrgName, text: &str) -> Result<Option<String>, linesman_domain::Error> {
        let Some(lane) = self.lane(org) else { return Ok(None) };
        if Table::read(lane, &reached::key(org, text))?.is_some() {
            return Ok(Some(text.to_owned()));
        }
        for found in reached::all(lane, org) {
            let (name, row) = found?;
            let standing = Table::read(lane, &reached::standing_key(org, &name))?;
            if reached::serial_number(&row, standing.as_ref()) == Some(text) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    fn known(&self, org: &OrgName, name: &str) -> Result<(Device, ReachedRow), Undone> {
        let device = Device { org: org.clone(), name: name.to_owned() };
        let row = self.row(&device).map_err(|error| Undone::Failed(full(&error)))?;
        let row = row.ok_or_else(|| Undone::Nothing(format!("`{org}` reaches no device `{name}`")))?;
        Ok((device, row))
    }

    async fn talk(&self, device: &Device, row: &ReachedRow) -> Result<Talk, Undone> {
        let connection = self.connect(device, row, row.netconf_port).await;
        let connection = connection.map_err(|trouble| Undone::Failed(trouble.words))?;
        let session = Session::open(&connection, &limits(FACT_MOST)).await;
        let session = session.map_err(|error| Undone::Failed(full(&error)))?;
        Ok(Talk { session, connection })
    }

    /// Asks a device what it is, and reports it.
    ///
    /// # Errors
    /// It is not reached, or does not say it.
    pub async fn facts(&self, org: &OrgName, name: &str) -> Result<DeviceFacts, Undone> {
        let (device, row) = self.known(org, name)?;
        let mut talk = self.talk(&device, &row).await?;
        let limits = limits(FACT_MOST);
        let mut said = Vec::new();
        for element in ["serial-number", "host-name", "hardware-model", "os-version"] {
            let asked =
                talk.session.ask(Request::raw("<get-system-information/>"), Part::TextOf(element), &limits).await;
            match asked {
                Ok((_, text)) => said.push(text.trim().to_owned()),
                Err(error) => {
                    talk.end(&limits).await;
                    return Err(Undone::Failed(full(&error)));
                }
            }
        }
        talk.end(&limits).await;
        let mut said = said.into_iter();
        let mut next = || said.next().unwrap_or_default();
        let facts = DeviceFacts {
            serial_number: next(),
            host_name: next(),
            product: next(),
            os_version: next(),
            ..DeviceFacts::default()
        };
        let known = self.standing(&device).map_err(|error| Undone::Failed(full(&error)))?;
        let standing = DeviceStanding {
            device: device.name.clone(),
            state: known.as_ref().map_or(DeviceState::New, |known| known.state),
            error: known.as_ref().map(|known| known.error.clone()).unwrap_or_default(),
            collected: None,
            shown_host_key: known.and_then(|known| known.shown_host_key),
            facts: Some(facts.clone()),
        };
        match self.report(&device, &Report::DeviceStands(standing)).await {
            true => Ok(facts),
            false => Err(Undone::Failed("the log does not take what the device says of itself".to_owned())),
        }
    }

    /// The configuration of a device, as it writes it: Junos as text, others as XML.
    ///
    /// # Errors
    /// It is not reached, or does not hand it out.
    pub async fn configuration(&self, org: &OrgName, name: &str) -> Result<String, Undone> {
        let (device, row) = self.known(org, name)?;
        let mut talk = self.talk(&device, &row).await?;
        let limits = limits(REPLY_MOST);
        let (request, part) = match talk.session.is_junos() {
            true => (junos::configuration(false, None), Part::TextOf("configuration-text")),
            false => {
                use linesman_connectors::device::netconf::Datastore;
                (Request::get_config(Datastore::Running, None), Part::Document)
            }
        };
        let asked = talk.session.ask(request, part, &limits).await;
        talk.end(&limits).await;
        asked.map(|(_, text)| text).map_err(|error| Undone::Failed(full(&error)))
    }

    /// Sends a request to a device, as it is, within `<rpc>`; the whole reply.
    ///
    /// # Errors
    /// It is not reached, or refuses.
    pub async fn rpc(&self, org: &OrgName, name: &str, xml: &str) -> Result<String, Undone> {
        let (device, row) = self.known(org, name)?;
        let mut talk = self.talk(&device, &row).await?;
        let limits = limits(REPLY_MOST);
        let asked = talk.session.ask(Request::raw(xml), Part::Document, &limits).await;
        talk.end(&limits).await;
        asked.map(|(_, text)| text).map_err(|error| Undone::Failed(full(&error)))
    }

    /// A file of a device that was set aside, as it lies there.
    ///
    /// # Errors
    /// It is not set aside, not there any more, or cannot be read.
    pub async fn file(&self, org: &OrgName, name: &str, id: &str) -> Result<Vec<u8>, Undone> {
        let (device, row) = self.known(org, name)?;
        let aside = self.set_aside(&device).map_err(|error| Undone::Failed(full(&error)))?;
        let nothing = || Undone::Nothing(format!("no file `{}` of `{name}` is set aside", linesman_rules::excerpt(id)));
        let aside = aside.get(id).ok_or_else(nothing)?;
        let connection = self.connect(&device, &row, row.port).await;
        let connection = connection.map_err(|trouble| Undone::Failed(trouble.words))?;
        let limits = limits(REPLY_MOST);
        let read = async {
            let mut files = Files::open(&connection, &row.directory, &limits).await?;
            let listing = files.list(ENTRIES_MOST, &limits).await?;
            let Some(file) = listing.files.iter().find(|file| id_of(file) == id) else { return Ok(None) };
            let File { name, size, .. } = file;
            let mut reader = files.read(name, 0, *size, &limits).await?;
            let mut bytes = Vec::new();
            while let Some(piece) = reader.next().await? {
                bytes.extend_from_slice(&piece);
            }
            Ok::<_, linesman_connectors::device::files::Error>(Some(bytes))
        };
        let read = read.await;
        connection.close().await;
        match read {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(Undone::Nothing(format!("`{}` is no more on `{name}`", aside.file))),
            Err(error) => Err(Undone::Failed(full(&error))),
        }
    }
}
