//! What somebody asks of a device at once: its configuration, a request of their own, a file that was set aside.

use std::time::Duration;

use linesman_connectors::device::files::{File, Files};
use linesman_connectors::device::limits::Limits;
use linesman_connectors::device::netconf::{Error, Part, Request, Session, junos};
use linesman_connectors::device::ssh::Connection;
use linesman_domain::reached::{self, ReachedRow};
use linesman_domain::table::Table;
use linesman_schemas::OrgName;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::visit::id_of_name;
use super::way::limits;
use super::{Device, Hands};
use crate::logging::full;

/// How many bytes of a reply are handed out.
const REPLY_MOST: u64 = 16 * 1024 * 1024;
/// How many bytes of a file are handed out: as many as a bundle may have.
const FILE_MOST: u64 = 64 * 1024 * 1024;
/// How long somebody waits for what others of their organization, and all others, have asked of devices.
const HELD_WITHIN: Duration = Duration::from_secs(30);
/// How long a device may take for what somebody waits for.
const ANSWER: Duration = Duration::from_secs(180);
/// How many bytes a greeting may have.
const HELLO_MOST: u64 = 256 * 1024;

/// Why something that was asked of a device was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// There is no such device, or no such file.
    Nothing(String),
    /// It does not fit how things stand.
    Unfit(String),
    /// The device does not do it, or does not answer.
    Failed(String),
    /// The device refuses: why, and its whole reply.
    Refused(String, String),
}

impl Undone {
    /// It in words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Nothing(words) | Self::Unfit(words) | Self::Failed(words) | Self::Refused(words, _) => words,
        }
    }
}

/// A place among those for whom something is held.
#[must_use]
pub(super) struct Held {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

/// A NETCONF session with the connection that carries it.
pub(super) struct Talk {
    pub(super) session: Session,
    connection: Connection,
}

impl Talk {
    pub(super) async fn end(self, limits: &Limits) {
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
        reached::of_serial(lane, org, text)
    }

    /// Why nothing is reached by what somebody names so.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn unnamed(&self, org: &OrgName, text: &str) -> Result<Undone, linesman_domain::Error> {
        let named = linesman_rules::excerpt(text);
        let several = self.lane(org).map(|lane| reached::is_of_several(lane, org, text)).transpose()?;
        Ok(match several {
            Some(true) => Undone::Unfit(format!(
                "several devices of `{org}` have the serial number `{named}`: say which by its name"
            )),
            _ => Undone::Nothing(format!("`{org}` reaches no device `{named}`")),
        })
    }

    /// Room to hold a reply or a file.
    pub(super) async fn room_to_hold(&self, org: &OrgName) -> Result<Held, Undone> {
        let room = timeout(HELD_WITHIN, self.rooms.held.enter(org)).await.ok().flatten();
        let room = room.map(|(own, all)| Held { _own: own, _all: all });
        room.ok_or_else(|| Undone::Unfit("too much is asked of devices at this time: ask again".to_owned()))
    }

    pub(super) fn known(&self, org: &OrgName, name: &str) -> Result<(Device, ReachedRow), Undone> {
        let device = Device { org: org.clone(), name: name.to_owned() };
        let row = self.row(&device).map_err(|error| Undone::Failed(full(&error)))?;
        let row = row.ok_or_else(|| Undone::Nothing(format!("`{org}` reaches no device `{name}`")))?;
        Ok((device, row))
    }

    pub(super) async fn talk(&self, device: &Device, row: &ReachedRow) -> Result<Talk, Undone> {
        let connection = self.connect(device, row, row.netconf_port).await;
        let connection = connection.map_err(|trouble| Undone::Failed(trouble.words))?;
        let session = Session::open(&connection, &limits(HELLO_MOST)).await;
        let session = session.map_err(|error| Undone::Failed(full(&error)))?;
        Ok(Talk { session, connection })
    }

    /// The configuration of a device, as it writes it: Junos as text, others as XML.
    ///
    /// # Errors
    /// It is not reached, or does not hand it out.
    pub async fn configuration(&self, org: &OrgName, name: &str) -> Result<String, Undone> {
        let (device, row) = self.known(org, name)?;
        let _held = self.room_to_hold(org).await?;
        let mut talk = self.talk(&device, &row).await?;
        let limits = Limits { total: ANSWER, ..limits(REPLY_MOST) };
        let (request, part) = match talk.session.is_junos() {
            true => (junos::configuration(false, None), Part::TextOf("configuration-text")),
            false => {
                use linesman_connectors::device::netconf::Datastore;
                (Request::get_config(Datastore::Running, None), Part::Document)
            }
        };
        let asked = talk.session.ask(request, part, &limits).await;
        talk.end(&limits).await;
        asked.map(|(_, text)| characters(text)).map_err(|error| Undone::Failed(full(&error)))
    }

    /// Sends a request to a device, as it is, within `<rpc>`; the whole reply.
    ///
    /// # Errors
    /// It is not reached, or refuses: with the whole reply.
    pub async fn rpc(&self, org: &OrgName, name: &str, xml: &str) -> Result<String, Undone> {
        let (device, row) = self.known(org, name)?;
        let _held = self.room_to_hold(org).await?;
        let mut talk = self.talk(&device, &row).await?;
        let limits = Limits { total: ANSWER, ..limits(REPLY_MOST) };
        let mut reply = Vec::new();
        let asked = talk.session.fetch(Request::raw(xml), Part::Document, &mut reply, &limits).await;
        talk.end(&limits).await;
        let reply = characters(String::from_utf8_lossy(&reply).into_owned());
        match asked {
            Ok(_) => Ok(reply),
            Err(error @ Error::Refused { .. }) => Err(Undone::Refused(full(&error), reply)),
            Err(error) => Err(Undone::Failed(full(&error))),
        }
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
        let _held = self.room_to_hold(org).await?;
        let connection = self.connect(&device, &row, row.port).await;
        let connection = connection.map_err(|trouble| Undone::Failed(trouble.words))?;
        let limits = limits(FILE_MOST);
        let read = async {
            let mut files = Files::open(&connection, &row.directory, &limits).await?;
            // Of all that lies there, however much it is, this one alone.
            let listing = files.list_wanted(|name| id_of_name(name) == id, 1, &limits).await?;
            let Some(file) = listing.files.first() else { return Ok(None) };
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

/// A reply as text that may stand in a document and on a terminal: what is no character of XML is replaced.
fn characters(text: String) -> String {
    let is_none = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    match text.contains(is_none) {
        true => text.replace(is_none, "\u{fffd}"),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_character_of_a_reply_is_replaced() {
        assert_eq!(characters("a\u{1b}[31m\u{7}\u{9b}b\r\n\tc".to_owned()), "a\u{fffd}[31m\u{fffd}\u{fffd}b\r\n\tc");
    }
}
