//! Bundles that were collected and are larger than a message: the log has an outline, by which is decided, and the object store the
//! bytes. From engine level 13 on.
//!
//! What became an incident is named by the first row of what goes upward with its case, whether or not it has one; of a device's
//! snapshots the newest is kept.

use linesman_schemas::OrgName;
use linesman_schemas::bundle::Bundle;
use linesman_schemas::collected::BundleKept;

use super::{Held, OWN, SnapshotRow, UploadState, XML, name, own, snapshot, stand, unname};
use crate::Error;
use crate::bundles::{self, BundleRef};
use crate::desk::Desk;
use crate::input::Input;
use crate::snapshots;
use crate::subject::Incident;

/// The engine level from which on bundles are larger than a message, and files are fetched that bundles name.
pub const LEVEL: u32 = 13;
/// What a snapshot is called.
const NAME: &str = "snapshot.xml";

/// The bytes of a bundle whose outline an input brought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole<'a> {
    /// As it was said.
    pub(crate) kept: &'a BundleKept,
    /// Their SHA-256.
    pub(crate) sha256: [u8; 32],
}

impl Whole<'_> {
    /// Where the bundle is, whose outline is known.
    fn reference(&self, outline: &Bundle<'_>, input: &Input<'_>) -> BundleRef {
        let mut bundle = bundles::reference(outline, input);
        (bundle.length, bundle.sha256) = (self.kept.size, self.sha256);
        let mut ranges = self.kept.parts.iter().copied();
        for part in &mut bundle.parts {
            (part.start, part.end) = ranges.next().unwrap_or_default();
        }
        bundle
    }
}

/// An incident's own bundle is an object.
pub(crate) fn keep_own(
    desk: &mut Desk,
    incident: &mut Incident,
    outline: &Bundle<'_>,
    input: &Input<'_>,
    whole: &Whole<'_>,
) -> Result<(), Error> {
    incident.row.bundle = whole.reference(outline, input);
    name(desk, &incident.id.org, &whole.sha256, (&whole.kept.stored, whole.kept.size))?;
    let mut row = own(desk, incident);
    row.held = Held::Object(whole.sha256);
    stand(desk, &incident.id, OWN, &mut row, UploadState::Kept)
}

/// A snapshot that was taken is an object: it is kept where it is the newest of its device, in place of the one before.
pub(crate) fn keep_newest(
    desk: &mut Desk,
    org: &OrgName,
    outline: &Bundle<'_>,
    input: &Input<'_>,
    whole: &Whole<'_>,
) -> Result<(), Error> {
    let device = &outline.manifest.device;
    let taken = snapshots::key(org, &device.serial_number);
    let Some(mut row) = desk.read(&taken)? else { return Ok(()) };
    let found = row.snapshots.iter_mut().enumerate().find(|(_, snapshot)| snapshot.bundle.sequence == input.sequence);
    let Some((place, found)) = found else { return Ok(()) };
    found.bundle = whole.reference(outline, input);
    desk.write(taken, &row)?;
    if place > 0 {
        return Ok(());
    }
    let newest = snapshot(org, &device.serial_number);
    let before = desk.read(&newest)?.map(|row| row.sha256);
    name(desk, org, &whole.sha256, (&whole.kept.stored, whole.kept.size))?;
    if let Some(before) = before {
        unname(desk, org, &before)?;
    }
    let row = SnapshotRow {
        name: NAME.to_owned(),
        media_type: Some(XML.to_owned()),
        host_name: device.host_name.to_string(),
        sha256: whole.sha256,
        size: whole.kept.size,
        came: desk.now,
    };
    desk.write(newest, &row)
}
