//! The commands of a device, over NETCONF where it is Junos, else by SSH's `exec`; and what it says of itself.

use std::time::Duration;

use linesman_connectors::device::limits::Limits;
use linesman_connectors::device::netconf::{self, Part, Session, inventory, junos};
use linesman_connectors::device::ssh::{self, Connection};
use linesman_domain::reached::{FactsRow, ReachedRow};
use linesman_schemas::device::{DeviceFacts, DeviceState, SETTING_MOST};
use tokio::fs::File;
use tokio::time::{Instant, timeout};

use super::Ended;
use crate::logging::full;
use crate::reach::facts::facts;
use crate::reach::way::{Trouble, limits};
use crate::reach::{Device, Hands};

/// What commands end with whose answer is wanted as XML.
pub(super) const AS_XML: &str = "| display xml";
/// How long a command may tell nothing.
const IDLE: Duration = Duration::from_secs(300);
/// How long a command may take: that for the vendor's support takes its time.
const TOTAL: Duration = Duration::from_secs(3_600);
/// How many bytes a fact may have, or a command that tells some.
const FACT_MOST: u64 = 256 * 1024;

/// Somebody who carries commands out.
pub(super) struct Talk<'a> {
    hands: &'a Hands,
    device: &'a Device,
    row: &'a ReachedRow,
    way: Way,
    /// How long all of it may take, and until when that is.
    within: Duration,
    until: Instant,
}

enum Way {
    Netconf(Box<Session>, Connection),
    Exec(Connection),
    /// What carried it broke off.
    None,
}

/// How a command ended.
pub(super) enum Told {
    /// It was carried out.
    Done,
    /// The device does not do it, or broke off: in words.
    Refused(String),
    /// It tells more than it may.
    TooMuch,
    /// What it tells cannot be kept.
    Unkept(std::io::Error),
}

impl<'a> Talk<'a> {
    /// Connects; commands are carried out for so long.
    pub(super) async fn open(
        hands: &'a Hands,
        device: &'a Device,
        row: &'a ReachedRow,
        within: Duration,
    ) -> Result<Talk<'a>, Trouble> {
        let until = Instant::now() + within;
        if row.host_key.is_none() {
            return Err(hands.unaccepted(device));
        }
        let way = Way::open(hands, device, row).await?;
        Ok(Self { hands, device, row, way, within, until })
    }

    /// Says good-bye.
    pub(super) async fn end(&mut self) {
        match std::mem::replace(&mut self.way, Way::None) {
            Way::Netconf(session, connection) => {
                // Whether it says good-bye does not matter.
                let _ = session.close(&limits(FACT_MOST)).await;
                connection.close().await;
            }
            Way::Exec(connection) => connection.close().await,
            Way::None => {}
        }
    }

    /// Carries a command out, while there is time; what it tells goes into the file, at most so many bytes.
    pub(super) async fn run(&mut self, command: &str, file: &mut File, most: u64) -> Told {
        let told = match self.left() {
            left if left.is_zero() => Told::Refused("it was not carried out".to_owned()),
            left => self.run_within(command, file, (most, left)).await,
        };
        match told {
            // However it ended, that is why.
            Told::Refused(why) if self.left().is_zero() => {
                let within = self.within.as_secs();
                Told::Refused(format!("{why}: all that is gathered of a device may take {within} s"))
            }
            told => told,
        }
    }

    /// How much time is left.
    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    async fn run_within(&mut self, command: &str, file: &mut File, (most, left): (u64, Duration)) -> Told {
        if matches!(self.way, Way::None) {
            match timeout(left, Way::open(self.hands, self.device, self.row)).await {
                Ok(Ok(way)) => self.way = way,
                Ok(Err(trouble)) => return Told::Refused(trouble.words),
                Err(_) => return Told::Refused("it does not answer".to_owned()),
            }
        }
        let limits = Limits { idle: IDLE, total: TOTAL.min(self.left()), bytes: most };
        let told = match &mut self.way {
            Way::Netconf(session, _) => {
                let (request, part) = match command.trim_end().strip_suffix(AS_XML) {
                    Some(command) => (junos::xml_command(command.trim_end()), Part::Document),
                    None => (junos::command(command), Part::Text),
                };
                match session.fetch(request, part, file, &limits).await {
                    Ok(_) => return Told::Done,
                    Err(netconf::Error::TooMuch(_)) => Told::TooMuch,
                    Err(netconf::Error::Sink(error)) => Told::Unkept(error),
                    Err(error @ netconf::Error::Refused { .. }) => return Told::Refused(full(&error)),
                    Err(error) => Told::Refused(full(&error)),
                }
            }
            Way::Exec(connection) => match connection.exec(command, file, &limits).await {
                Ok(exit) if exit.code.is_none_or(|code| code == 0) => return Told::Done,
                Ok(exit) => return Told::Refused(complaint(&exit)),
                Err(ssh::Error::TooMuch(_)) => Told::TooMuch,
                Err(ssh::Error::Sink(error)) => Told::Unkept(error),
                Err(error) => Told::Refused(full(&error)),
            },
            Way::None => Told::Refused("there is no connection".to_owned()),
        };
        // What carried it is of no use any more: the next command takes another.
        self.end().await;
        told
    }

    /// What the device says of itself; what it does not say, as it is known. What people say of its serial number counts more.
    /// Beside that its routing engines, as far as it tells of them over NETCONF.
    pub(super) async fn facts(
        &mut self,
        row: &ReachedRow,
        known: &FactsRow,
    ) -> Result<(DeviceFacts, Vec<inventory::Engine>), Ended> {
        let mut engines = Vec::new();
        let said = match &mut self.way {
            Way::Netconf(session, _) => match inventory::of(session, &limits(FACT_MOST)).await {
                Ok(told) => {
                    engines.clone_from(&told.routing_engines);
                    facts(told)
                }
                Err(netconf::Error::Refused { .. }) => DeviceFacts::default(),
                Err(error) => return Err(Ended::Failed(full(&error))),
            },
            Way::Exec(connection) => {
                let version = told(connection, "show version").await;
                DeviceFacts {
                    serial_number: chassis_serial(&told(connection, "show chassis hardware").await),
                    host_name: after(&version, "Hostname:"),
                    product: after(&version, "Model:"),
                    os_version: after(&version, "Junos:"),
                    ..DeviceFacts::default()
                }
            }
            Way::None => DeviceFacts::default(),
        };
        let or = |said: String, known: &String| if said.trim().is_empty() { known.clone() } else { said };
        let serial_number = or(said.serial_number, &known.serial_number);
        let facts = DeviceFacts {
            serial_number: if row.serial_number.is_empty() { serial_number } else { row.serial_number.clone() },
            host_name: or(said.host_name, &known.host_name),
            product: or(said.product, &known.product),
            os_version: or(said.os_version, &known.os_version),
            ..said
        };
        Ok((facts, engines))
    }
}

impl Way {
    async fn open(hands: &Hands, device: &Device, row: &ReachedRow) -> Result<Self, Trouble> {
        let is_one = row.port == row.netconf_port;
        let connection = match hands.connect(device, row, row.netconf_port).await {
            Ok(connection) => connection,
            Err(trouble) if trouble.state == DeviceState::Unreachable && !is_one => {
                return hands.connect(device, row, row.port).await.map(Self::Exec);
            }
            Err(trouble) => return Err(trouble),
        };
        match Session::open(&connection, &limits(FACT_MOST)).await {
            Ok(session) if session.is_junos() => return Ok(Self::Netconf(Box::new(session), connection)),
            Ok(session) => drop(session.close(&limits(FACT_MOST)).await),
            // It has commands alone, or nothing.
            Err(_) => {}
        }
        if is_one && !connection.is_gone() {
            return Ok(Self::Exec(connection));
        }
        connection.close().await;
        hands.connect(device, row, row.port).await.map(Self::Exec)
    }
}

/// What a command tells that tells little; nothing where it fails.
async fn told(connection: &Connection, command: &str) -> String {
    let mut bytes = Vec::new();
    match connection.exec(command, &mut bytes, &limits(FACT_MOST)).await {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => String::new(),
    }
}

/// Why a command failed that was carried out.
fn complaint(exit: &ssh::Exit) -> String {
    let code = exit.code.map(|code| format!("exit code {code}")).unwrap_or_default();
    let first = exit.complaint.lines().next().unwrap_or_default().trim();
    let words: String = first.chars().filter(|c| !c.is_control()).take(SETTING_MOST).collect();
    if words.is_empty() { code } else { format!("{words} ({code})") }
}

/// What stands behind a word that begins a line.
fn after(text: &str, word: &str) -> String {
    let found = text.lines().find_map(|line| line.trim().strip_prefix(word));
    found.map(|rest| rest.trim().to_owned()).unwrap_or_default()
}

/// The serial number in the line of the chassis, as `show chassis hardware` has it: behind the word, before the model.
fn chassis_serial(text: &str) -> String {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("Chassis "));
    line.and_then(|line| line.split_whitespace().next()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_without_netconf_is_stands_in_what_its_commands_tell() {
        let version = "\nHostname: edge-01\nModel: mx240\nJunos: 21.4R3-S5\nJUNOS OS Kernel 64-bit\n";
        assert_eq!(after(version, "Hostname:"), "edge-01");
        assert_eq!(after(version, "Junos:"), "21.4R3-S5");
        assert_eq!(after("nothing", "Model:"), "");
        let chassis = "Hardware inventory:\nItem             Version  Part number  Serial number     Description\n\
                       Chassis                                JN11AF3C2AFC      MX240\nMidplane  REV 07   760-021404   TR5026\n";
        assert_eq!(chassis_serial(chassis), "JN11AF3C2AFC");
        assert_eq!(chassis_serial("error: no"), "");
    }
}
