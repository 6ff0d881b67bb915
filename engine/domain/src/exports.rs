//! What of an organization's incidents, cases and devices may leave, for somebody who carries it: nothing is decided, and nothing
//! changes.
//!
//! INVARIANT (one filter): texts are those that a reaction would have, files those that a connector would be told of, made
//! by the same functions as what is sent.

use std::collections::BTreeSet;

use jiff::Timestamp;
use linesman_schemas::control::{InstallationSection, Settings};
use linesman_schemas::reaction::CaseRequest;
use linesman_schemas::upload::Upload;
use linesman_schemas::{IncidentId, OrgName};

use super::cases::{self, CaseState};
use super::desk::{Desk, Setting};
use super::devices::Devices;
use super::organizations::Organizations;
use super::position::{self, Position};
use super::snapshots::upward;
use super::state::{Base, State};
use super::{Error, incidents, level, uploads};

/// An organization's incidents and cases, as they may leave.
pub struct Exports {
    desk: Desk,
    organizations: Organizations,
    devices: Devices,
    org: OrgName,
}

/// What of an incident may leave, and of its case.
#[derive(Debug)]
pub struct Export {
    /// How its case stands; none: there is none.
    pub state: Option<CaseState>,
    /// What is said of it; or why nothing is.
    pub request: Result<Box<CaseRequest>, &'static str>,
    /// Its files by their numbers, as a connector is told of them; or why they stay.
    pub files: Vec<(u32, Result<Box<Upload>, &'static str>)>,
}

impl Exports {
    /// Those of an organization of a lane.
    ///
    /// # Errors
    /// The base cannot be read, or was decided at a level that this program does not know.
    pub fn open(base: Box<dyn Base>, lane: u32, org: &OrgName, section: InstallationSection) -> Result<Self, Error> {
        let position = position::read(&*base)?.unwrap_or_else(|| Position::start(String::new()));
        level::check(position.level)?;
        let state = State::new(base);
        let (organizations, _) = Organizations::open_one(&state, org)?;
        let (settings, installation) = (Settings::default(), section);
        let mut desk = Desk::new(Setting { lane, state, settings, installation, payload_most: 0, next_timer: None });
        desk.installed.controller.clone_from(&position.stream);
        desk.begin(position.level, position.now.max(Timestamp::now()), position.sequence, &position.digest);
        Ok(Self { desk, organizations, devices: Devices::new(), org: org.clone() })
    }

    /// What of an incident of the organization may leave; none where there is no such incident.
    ///
    /// # Errors
    /// The base cannot be read.
    pub fn of(&self, id: &IncidentId) -> Result<Option<Export>, Error> {
        let Some(incident) = incidents::find(&self.desk, &self.devices, id)? else { return Ok(None) };
        let state = incident.case.as_ref().map(|case| case.state);
        if state == Some(CaseState::Draft) {
            let why = "its case is a draft: nothing of it leaves before it is submitted";
            return Ok(Some(Export { state, request: Err(why), files: Vec::new() }));
        }
        let request = cases::as_it_leaves(&self.desk, &self.organizations, &incident);
        let request = request.ok_or("the filter level is `Do not send`");
        let files = uploads::as_they_leave(&self.desk, &self.organizations, &incident)?;
        Ok(Some(Export { state, request, files }))
    }
    /// The serial numbers of the devices that have snapshots.
    ///
    /// # Errors
    /// The base cannot be read.
    pub fn with_snapshots(&self) -> Result<BTreeSet<String>, Error> {
        upward::all(&self.desk, &self.org)
    }

    /// A device's newest snapshot, as a connector is told of it, or why it stays; none where it has none.
    ///
    /// # Errors
    /// The base cannot be read.
    pub fn snapshot(&self, serial_number: &str) -> Result<Option<Result<Box<Upload>, &'static str>>, Error> {
        upward::as_it_leaves(&self.desk, &self.organizations, &self.org, serial_number)
    }
}
