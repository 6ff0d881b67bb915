//! Bundles become incidents and device snapshots.
//!
//! Incidents lie sixteen to a row of the store, in order of arrival: what a batch adds is written as
//! a few rows side by side.

use linesman_schemas::bundle::{Bundle, Part};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{IncidentId, OrgName};

use super::input::Input;
use super::rows::{
    self, BundleRef, CaseRow, IncidentRow, PartRef, SNAPSHOTS_MOST, Snapshot, SnapshotsRow, Status, key,
};
use super::sightings::{Sighting, fingerprint};
use super::subject::Incident;
use super::{Domain, Error};

/// How many incidents share a row.
pub const PER_PAGE: u64 = 16;

/// Where an incident lies: its page, and its place on it.
fn place(number: u64) -> (u64, usize) {
    let index = number.saturating_sub(1);
    // Below 16: fits.
    (index / PER_PAGE, (index % PER_PAGE) as usize)
}

/// The rows of a page; each stands behind its length in four bytes.
pub fn page(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (row, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        bytes = rest;
        Some(row)
    })
}

/// Puts a row at a place of a page: a new last one, or instead of the one that stands there.
fn put(bytes: &mut Vec<u8>, at: usize, row: &[u8]) {
    let start: usize = page(bytes).take(at).map(|row| row.len() + 4).sum();
    let length = u32::try_from(row.len()).unwrap_or(u32::MAX).to_le_bytes();
    let behind = bytes.split_off(start);
    bytes.reserve(4 + row.len() + behind.len());
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(row);
    let replaced = page(&behind).next().map_or(0, |old| old.len() + 4);
    bytes.extend_from_slice(behind.get(replaced..).unwrap_or_default());
}

impl Domain {
    /// Takes a bundle: a problem becomes an incident, information a snapshot of its device.
    pub(super) fn take_bundle(&mut self, org: OrgName, bundle: &Bundle<'_>, input: &Input<'_>) -> Result<(), Error> {
        match (bundle.incident_kind(), &bundle.manifest.problem) {
            (Some(kind), Some(problem)) => {
                let print = fingerprint(&org, &bundle.manifest.host_event_id);
                if self.repeats(&org, print, &bundle.manifest.host_event_id)? {
                    self.tally.input("jmb", "repeated");
                    return Ok(());
                }
                let manifest = &bundle.manifest;
                let device = self.note_device(&org, &manifest.device)?;
                let row = IncidentRow {
                    host_event_id: manifest.host_event_id.to_string(),
                    kind: kind.to_owned(),
                    is_off_box: bundle.is_off_box,
                    serial_number: manifest.device.serial_number.to_string(),
                    event_type: problem.event_type.to_string(),
                    event_type_group: manifest.event_type_group.as_deref().unwrap_or_default().to_owned(),
                    service_type: manifest.service_type.as_deref().unwrap_or_default().to_owned(),
                    synopsis: problem.synopsis.to_string(),
                    description: problem.description.as_deref().unwrap_or_default().to_owned(),
                    priority: problem.priority,
                    severity: manifest.severity,
                    occurred: manifest.time_occurred,
                    detected: self.position.now,
                    status: Status::Unassigned,
                    owner: String::new(),
                    repeats: 0,
                    bundle: bundle_ref(bundle, input),
                };
                let number = self.organizations.next_incident(&org);
                let sighting = Sighting { incident: number, at_s: self.position.now.as_second() };
                self.sightings.add(&mut self.state, print, sighting)?;
                self.tally.input("jmb", "incident");
                let mut incident = Incident::new(IncidentId { org, number }, row, device, None);
                self.fire(Trigger::IncidentDetected, &mut incident)?;
                self.keep(&incident)
            }
            _ => self.take_snapshot(&org, bundle, input),
        }
    }

    /// Whether the organization's host-event-ID was seen within the retention; if so it is counted
    /// on its incident.
    fn repeats(&mut self, org: &OrgName, print: u64, host_event_id: &str) -> Result<bool, Error> {
        let Some(sighting) = self.sightings.get(print) else { return Ok(false) };
        let retention = i64::try_from(self.settings.host_event_retention_s).unwrap_or(i64::MAX);
        if sighting.at_s.saturating_add(retention) < self.position.now.as_second() {
            return Ok(false);
        }
        let Some(mut row) = self.incident_row(org, sighting.incident)? else { return Ok(false) };
        if row.host_event_id != host_event_id {
            return Ok(false);
        }
        row.repeats += 1;
        self.put_incident(org, sighting.incident, &row)?;
        Ok(true)
    }

    fn incident_row(&self, org: &OrgName, number: u64) -> Result<Option<IncidentRow>, Error> {
        let (number, at) = place(number);
        let key = key::incidents(org, number);
        let Some(bytes) = self.state.bytes(&key)? else { return Ok(None) };
        page(&bytes).nth(at).map(|row| rows::decode(key.as_bytes(), row)).transpose()
    }

    fn put_incident(&mut self, org: &OrgName, number: u64, row: &IncidentRow) -> Result<(), Error> {
        let (number, at) = place(number);
        let row = rows::encode(row)?;
        self.state.update(&key::incidents(org, number), |bytes| put(bytes, at, &row))
    }

    /// An incident with its device and its case.
    pub(super) fn incident(&self, id: &IncidentId) -> Result<Option<Incident>, Error> {
        let Some(row) = self.incident_row(&id.org, id.number)? else { return Ok(None) };
        let Some(device) = self.device(&id.org, &row.serial_number)? else { return Ok(None) };
        let case = self.case_row(&id.org, id.number)?;
        Ok(Some(Incident::new(id.clone(), row, device, case)))
    }

    /// Writes an incident and its case.
    pub(super) fn keep(&mut self, incident: &Incident) -> Result<(), Error> {
        let id = &incident.id;
        self.put_incident(&id.org, id.number, &incident.row)?;
        if let Some(case) = &incident.case {
            self.state.write(key::case(&id.org, id.number), case)?;
        }
        Ok(())
    }

    pub(super) fn case_row(&self, org: &OrgName, number: u64) -> Result<Option<CaseRow>, Error> {
        self.state.read(&key::case(org, number))
    }

    fn take_snapshot(&mut self, org: &OrgName, bundle: &Bundle<'_>, input: &Input<'_>) -> Result<(), Error> {
        let manifest = &bundle.manifest;
        let key = key::snapshots(org, &manifest.device.serial_number);
        let mut kept: SnapshotsRow = self.state.read(&key)?.unwrap_or_default();
        if kept.snapshots.iter().any(|snapshot| snapshot.host_event_id == manifest.host_event_id) {
            self.tally.input("jmb", "repeated");
            return Ok(());
        }
        self.note_device(org, &manifest.device)?;
        let snapshot = Snapshot {
            host_event_id: manifest.host_event_id.to_string(),
            occurred: manifest.time_occurred,
            received: self.position.now,
            bundle: bundle_ref(bundle, input),
        };
        // By the device's time: an old one that comes again late takes no newer one's place.
        let place = kept.snapshots.partition_point(|kept| kept.occurred > snapshot.occurred);
        kept.snapshots.insert(place, snapshot);
        kept.snapshots.truncate(SNAPSHOTS_MOST);
        self.tally.input("jmb", "snapshot");
        self.state.write(key, &kept)
    }
}

fn bundle_ref(bundle: &Bundle<'_>, input: &Input<'_>) -> BundleRef {
    let part = |part: &Part<'_>, is_log: bool| PartRef {
        name: part.name.to_string(),
        is_log,
        start: part.content.start as u64,
        end: part.content.end as u64,
    };
    let attachments = bundle.attachments.iter().map(|attachment| part(attachment, false));
    BundleRef {
        sequence: input.sequence,
        length: input.bytes.len() as u64,
        sha256: input.sha256,
        parts: attachments.chain(bundle.logs.iter().map(|log| part(log, true))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_page_are_added_and_replaced() {
        let mut bytes = Vec::new();
        for (at, row) in [(0, "one"), (1, "two"), (2, "three")] {
            put(&mut bytes, at, row.as_bytes());
        }
        put(&mut bytes, 1, b"another");
        assert_eq!(page(&bytes).collect::<Vec<_>>(), [&b"one"[..], b"another", b"three"]);
        assert_eq!(place(1), (0, 0));
        assert_eq!(place(16), (0, 15));
        assert_eq!(place(17), (1, 0));
    }
}
