//! When a snapshot of a device is to be made: its scripts are preferred, and what they do not send is gathered.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use linesman_domain::organizations::{self, OrgRow};
use linesman_domain::reached::{self, GatheredRow, ReachedRow, RunState};
use linesman_domain::snapshots::{self, Snapshot, SnapshotsRow};
use linesman_domain::table::Table;
use linesman_schemas::command::{Command, DeviceVerb, Gathering, Verb};
use linesman_schemas::device::DeviceState;
use linesman_schemas::gathering::GatheringKind;
use linesman_schemas::name::NameError;
use linesman_schemas::{CommandId, OrgName, Principal};
use sha2::{Digest as _, Sha256};

use crate::log::inputs;
use crate::logging::full;
use crate::reach::{Device, Hands};
use crate::store::Lane;

/// How often it is looked what is due.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The longest time until what failed is tried again.
const RETRY_MOST: SignedDuration = SignedDuration::from_hours(24);

impl Hands {
    /// The organizations that are not suspended, each with its lane.
    pub(super) fn organizations(&self) -> Result<Vec<(&Lane, OrgName)>, linesman_domain::Error> {
        let mut found = Vec::new();
        for lane in self.lanes() {
            for organization in organizations::all(lane) {
                let (org, row): (OrgName, OrgRow) = organization?;
                if row.standing != organizations::Standing::Suspended {
                    found.push((lane, org));
                }
            }
        }
        Ok(found)
    }

    /// Asks for the snapshots that are due.
    pub(super) async fn ask_for_due(&self) {
        let now = Timestamp::now();
        let due = match self.due(now) {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(error = full(&error), "which snapshots are due cannot be read");
                return;
            }
        };
        for (device, count, since) in due {
            if let Err(error) = self.ask_for(&device, count, since).await {
                tracing::warn!(organization = %device.org, device = device.name, error, "a snapshot that is due waits for the log");
            }
        }
    }

    async fn ask_for(&self, device: &Device, count: u64, since: Timestamp) -> Result<(), String> {
        let id = id_of(device, count, Timestamp::now()).parse::<CommandId>();
        let id = id.map_err(|error: NameError| full(&error))?;
        let verb = Verb::Device(DeviceVerb::Gather(Gathering {
            name: device.name.clone(),
            kind: GatheringKind::Information,
            synopsis: None,
            priority: None,
            unless_since: Some(since),
        }));
        let command = Command { id, principal: Principal::Machine, node: self.parts.node.to_string(), verb };
        let (subject, payload) = inputs::of_command(Some(&device.org), command).map_err(|error| full(&error))?;
        inputs::put(&self.parts.client, subject, payload).await.map(drop).map_err(|error| full(&error))
    }

    /// The devices of which a snapshot is due, how often something was asked of each, and since when it has to have made none.
    fn due(&self, now: Timestamp) -> Result<Vec<(Device, u64, Timestamp)>, linesman_domain::Error> {
        let every = SignedDuration::try_from(self.parts.settings.snapshot_every).unwrap_or(SignedDuration::MAX);
        let mut found = Vec::new();
        for (lane, org) in self.organizations()? {
            for device in reached::all(lane, &org) {
                let (name, row): (String, ReachedRow) = device?;
                if row.directives.is_empty() || row.host_key.is_none() {
                    continue;
                }
                let standing = Table::read(lane, &reached::standing_key(&org, &name))?;
                if !standing.as_ref().is_some_and(|standing| is_there(standing.state)) {
                    continue;
                }
                let gathered: GatheredRow = Table::read(lane, &reached::gathered_key(&org, &name))?.unwrap_or_default();
                let snapshots = match reached::serial_number(&row, standing.as_ref()) {
                    Some(serial_number) => Table::read(lane, &snapshots::key(&org, serial_number))?,
                    None => None,
                };
                let snapshots: SnapshotsRow = snapshots.unwrap_or_default();
                let since = now.checked_sub(every).unwrap_or(Timestamp::MIN);
                if is_due(&gathered, &snapshots.snapshots, (now, every))
                    && !reached::commands(lane, &org, &row)?.is_empty()
                {
                    found.push((Device { org: org.clone(), name }, gathered.count, since));
                }
            }
        }
        Ok(found)
    }
}

/// How long it is asked for by one id.
const ID_S: i64 = 600;

/// By what it is asked for: the same however often that is before it is decided, and for a while alone, as a device that was
/// removed and is added again begins to count anew.
fn id_of(device: &Device, count: u64, now: Timestamp) -> String {
    let digest =
        Sha256::digest(format!("{}\n{}\n{count}\n{}", device.org, device.name, now.as_second().div_euclid(ID_S)));
    format!("snapshot-{}", hex::encode(digest))
}

/// Whether a device that stands so lets somebody in.
const fn is_there(state: DeviceState) -> bool {
    !matches!(
        state,
        DeviceState::New
            | DeviceState::Unreachable
            | DeviceState::NoCommonAlgorithm
            | DeviceState::HostKeyUnknown
            | DeviceState::HostKeyChanged
            | DeviceState::AuthenticationFailed
            | DeviceState::CredentialsMissing
    )
}

/// Whether a snapshot is to be asked for: the last is older than the interval, of a device that makes its own by a seventh of it
/// more; or the device has begun to make its own again, which is to be told.
fn is_due(gathered: &GatheredRow, snapshots: &[Snapshot], (now, every): (Timestamp, SignedDuration)) -> bool {
    let is_past = |time: Timestamp, wait: SignedDuration| time.checked_add(wait).is_ok_and(|due| due <= now);
    let run = gathered.run(GatheringKind::Information);
    if run.is_some_and(|run| run.state.is_open()) {
        return false;
    }
    let own = gathered.own(snapshots).map(|own| own.received);
    if gathered.is_off_box
        && let Some(own) = own
        && run.is_none_or(|run| own > run.asked)
        && !is_past(own, every)
    {
        return true;
    }
    if let Some(run) = run
        && matches!(run.state, RunState::Failed(_))
        && !is_past(run.since, (every / 7).min(RETRY_MOST))
    {
        return false;
    }
    let counting = snapshots.iter().filter(|snapshot| gathered.counts(snapshot));
    match counting.map(|snapshot| snapshot.received).max() {
        None => run.is_none_or(|run| !matches!(run.state, RunState::Done { .. }) || is_past(run.asked, every)),
        Some(last) if own == Some(last) && !gathered.is_off_box => is_past(last, every.saturating_add(every / 7)),
        Some(last) => is_past(last, every),
    }
}

#[cfg(test)]
mod tests {
    use linesman_domain::bundles::BundleRef;
    use linesman_domain::reached::RunRow;

    use super::*;

    const EVERY: SignedDuration = SignedDuration::from_hours(7 * 24);

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(day * 86_400).unwrap()
    }

    fn snapshot(id: &str, received: i64) -> Snapshot {
        let bundle = BundleRef { sequence: 1, length: 1, sha256: [0; 32], parts: Vec::new() };
        Snapshot { host_event_id: id.to_owned(), occurred: day(received), received: day(received), bundle }
    }

    fn gathered(is_off_box: bool, asked: i64, state: RunState) -> GatheredRow {
        let run = RunRow {
            number: 1,
            kind: GatheringKind::Information,
            asked: day(asked),
            is_scheduled: true,
            synopsis: None,
            priority: None,
            state,
            since: day(asked),
        };
        GatheredRow {
            is_off_box,
            count: 1,
            made: vec!["made".to_owned()],
            others: vec!["others".to_owned()],
            runs: vec![run],
        }
    }

    fn is_due_on(now: i64, gathered: &GatheredRow, snapshots: &[Snapshot]) -> bool {
        is_due(gathered, snapshots, (day(now), EVERY))
    }

    #[test]
    fn what_is_asked_for_of_a_device_that_was_added_again_is_no_repetition_for_long() {
        let device = Device { org: "acme".parse().unwrap(), name: "r1".to_owned() };
        let id = |count: u64, second: i64| id_of(&device, count, Timestamp::from_second(second).unwrap());
        assert_eq!(id(0, 1_200), id(0, 1_799), "asked once more it is the same");
        assert_ne!(id(0, 1_200), id(0, 1_800));
        assert_ne!(id(0, 1_200), id(1, 1_200));
        id(0, 0).parse::<CommandId>().unwrap();
    }

    #[test]
    fn a_snapshot_is_due_where_there_is_none_and_where_the_last_is_a_week_old() {
        let none = GatheredRow::default();
        assert!(is_due_on(0, &none, &[]));
        let done = || RunState::Done { host_event_id: "made".to_owned(), failed: 0, failures: Vec::new() };
        let off_box = gathered(true, 0, done());
        assert!(!is_due_on(6, &off_box, &[snapshot("made", 0)]));
        assert!(is_due_on(7, &off_box, &[snapshot("made", 0)]));
        // Its snapshot is not seen yet.
        assert!(!is_due_on(0, &off_box, &[]));
        assert!(!is_due_on(9, &gathered(true, 8, RunState::Asked), &[]), "it is under way");
        let failed = gathered(true, 8, RunState::Failed(String::new()));
        assert!(!is_due_on(8, &failed, &[]) && is_due_on(9, &failed, &[]), "a day later");
    }

    #[test]
    fn scripts_on_the_device_are_waited_for_and_counted_on_as_soon_as_they_send() {
        let own = snapshot("own", 0);
        assert!(!is_due_on(7, &GatheredRow::default(), std::slice::from_ref(&own)));
        assert!(is_due_on(8, &GatheredRow::default(), std::slice::from_ref(&own)));
        let off_box =
            gathered(true, 10, RunState::Done { host_event_id: "made".to_owned(), failed: 0, failures: Vec::new() });
        let back = [snapshot("own", 12), snapshot("made", 10)];
        assert!(is_due_on(12, &off_box, &back), "that it sends again is to be told");
        let switched = gathered(false, 12, RunState::Skipped(String::new()));
        assert!(!is_due_on(13, &switched, &back));
        assert!(!is_due_on(11, &off_box, &[snapshot("made", 10), own]));
        // What another device has left of its serial number is nothing of it.
        assert!(!is_due_on(12, &off_box, &[snapshot("others", 12), snapshot("made", 10)]));
        assert!(is_due_on(17, &off_box, &[snapshot("others", 16), snapshot("made", 10)]));
    }
}
