//! What is collected by claim check: bundles that are larger than a message, and files that bundles name.

use linesman_schemas::bundle;
use linesman_schemas::collected::{BundleKept, FileTried, FilesNamed};
use linesman_schemas::dead_letter::{LineColumn, Reason};
use linesman_schemas::{IncidentId, OrgName};

use crate::dead_letters::{self, Why};
use crate::input::{Content, Input, edition};
use crate::sightings::fingerprint;
use crate::subject::Incident;
use crate::uploads::{self, fetched};
use crate::{Domain, Error, reached};

impl Domain {
    /// A bundle is decided by its outline, as if it had come whole.
    pub(super) fn take_kept(&mut self, org: &OrgName, kept: &BundleKept, input: &Input<'_>) -> Result<(), Error> {
        if self.organizations.is_suspended(org) {
            let detail = format!("the organization `{org}` is suspended");
            let why = Why { reason: Reason::OrganizationSuspended, detail: &detail, place: None };
            return dead_letters::set_aside(&mut self.desk, Some(org), input, &why);
        }
        let refused = |detail: String, place| (Reason::BundleUndecodable, detail, place);
        let read = bundle::decode_in(edition(self.desk.level), kept.outline.as_bytes()).map_err(|error| {
            let place = LineColumn { line: error.line, column: error.column };
            refused(format!("{}: {}", error.fault.name(), error.fault), Some(place))
        });
        let sha256 = uploads::sha256(&kept.sha256).ok_or_else(|| refused("`sha256` is none".to_owned(), None));
        match read.and_then(|outline| sha256.map(|sha256| (outline, sha256))) {
            Ok((outline, sha256)) => {
                let (bytes, content) = (kept.outline.as_bytes(), Content::Tick);
                let Input { sequence, time, sha256: message, org: token, .. } = *input;
                let input = Input { sequence, time, sha256: message, org: token, kind: "jmb", bytes, content };
                self.take_bundle(org, &outline, &input, Some(&uploads::Whole { kept, sha256 }))
            }
            Err((reason, detail, place)) => {
                let why = Why { reason, detail: &detail, place };
                dead_letters::set_aside(&mut self.desk, Some(org), input, &why)
            }
        }
    }

    /// A bundle names files: they are wanted with its incident, if it is the one that became one. Another of the same
    /// host-event-ID, whoever left it, is not.
    pub(super) fn take_named(&mut self, org: &OrgName, named: &FilesNamed) -> Result<(), Error> {
        if !named.serial_number.is_empty() {
            return reached::brought(&mut self.desk, org, named);
        }
        let seen = self.sightings.get(self.desk.state(), fingerprint(org, &named.host_event_id))?;
        let id = seen.map(|seen| IncidentId { org: org.clone(), number: seen.incident });
        let incident = match &id {
            Some(id) => self.incident(id)?,
            None => None,
        };
        let sha256 = uploads::sha256(&named.sha256);
        let is_it = |incident: &Incident| {
            incident.row.host_event_id == named.host_event_id && Some(incident.row.bundle.sha256) == sha256
        };
        match incident.filter(is_it) {
            Some(incident) => fetched::want(&mut self.desk, &incident.id, named),
            None => {
                self.desk.tally.input("result", "unknown incident");
                Ok(())
            }
        }
    }

    /// A file was fetched or missed.
    pub(super) fn take_tried(&mut self, org: &OrgName, tried: &FileTried) -> Result<(), Error> {
        let incident = if tried.incident.org == *org { self.incident(&tried.incident)? } else { None };
        let Some(incident) = incident else {
            self.desk.tally.input("result", "unknown incident");
            return Ok(());
        };
        let follows = fetched::tried(&mut self.desk, &incident, tried.number, &tried.outcome)?;
        self.follow(org, &mut Some(incident), follows).map(drop)
    }
}
