//! Samples of what travels of devices that are reached.

use linesman_schemas::Priority;
use linesman_schemas::collected::{BundleKept, FileOutcome, FileTried, FilesNamed, Missed, NamedFile};
use linesman_schemas::command::{
    AfterCollection, CredentialsKind, DeviceName, DeviceSettings, DeviceUse, DeviceVerb, Directives, DirectivesGroup,
    DirectivesName, Gathering, HostKeyPin, JmbErrorWish, UseKind, Verb,
};
use linesman_schemas::device::{
    ChassisMember, DeviceFacts, DeviceStanding, DeviceState, DriftedLine, GroupRead, JmbError, JmbErrorEnd,
    JmbErrorEnded,
};
use linesman_schemas::gathering::{GatheringKind, GatheringStands, GatheringState};
use linesman_schemas::outcome::Report;
use linesman_schemas::trigger::{DriftData, HeldData, ReachedData};
use serde_json::Value;

use crate::samples::{HASH, json_of, parsed, time};

const NAME: &str = "edge-1";
const GROUP: &str = "linesman-cap-0123456789ab-line-7";
const HOST_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS";

/// A verb of each kind.
pub(crate) fn verbs() -> Vec<Verb> {
    let name = || NAME.to_owned();
    let settings = DeviceSettings {
        name: name(),
        is_new: true,
        address: Some("192.0.2.1".to_owned()),
        port: Some(22),
        netconf_port: Some(830),
        user: Some("linesman".to_owned()),
        credentials: Some(CredentialsKind::Key),
        directory: Some("/var/tmp".to_owned()),
        pattern: Some("*.xml".to_owned()),
        poll_s: Some(30),
        after: Some(AfterCollection::MoveTo("/var/tmp/collected".to_owned())),
        place: Some(parsed("acme/berlin/line-7")),
        is_nowhere: false,
        serial_number: Some("JN1234567890".to_owned()),
        directives: Some(vec!["srx".to_owned()]),
        is_legacy: Some(true),
        accepts_first_host_key: Some(false),
        host_key: Some(HOST_KEY.to_owned()),
    };
    let verbs = [
        DeviceVerb::Set(Box::new(settings)),
        DeviceVerb::Remove(DeviceName { name: name() }),
        DeviceVerb::PinHostKey(HostKeyPin { name: name(), host_key: Some(HOST_KEY.to_owned()), is_first: true }),
        DeviceVerb::Use(DeviceUse {
            name: name(),
            what: UseKind::Download,
            sha256: String::new(),
            asks_only: false,
            id: "1f3870be274f6c49".to_owned(),
            added: None,
            removed: None,
        }),
        DeviceVerb::Use(DeviceUse {
            name: name(),
            what: UseKind::Rpc,
            sha256: HASH.to_owned(),
            asks_only: true,
            id: String::new(),
            added: None,
            removed: None,
        }),
        DeviceVerb::Use(DeviceUse {
            name: name(),
            what: UseKind::Apply,
            sha256: HASH.to_owned(),
            asks_only: false,
            id: String::new(),
            added: Some(3),
            removed: Some(1),
        }),
        DeviceVerb::JmbError(JmbErrorWish { name: name(), id: "1f3870be274f6c49".to_owned(), is_deleted: true }),
        DeviceVerb::Gather(Gathering {
            name: name(),
            kind: GatheringKind::Event,
            synopsis: Some("packets are lost".to_owned()),
            priority: Some(Priority::High),
            unless_since: Some(time("2026-11-14T10:14:00Z")),
        }),
    ];
    let commands = ["show version", "show chassis hardware detail | display xml"].map(str::to_owned).into();
    let directives = [
        Directives::Set(DirectivesGroup { name: "mx".to_owned(), commands }),
        Directives::Remove(DirectivesName { name: "mx".to_owned() }),
    ];
    verbs.into_iter().map(Verb::Device).chain(directives.map(Verb::Directives)).collect()
}

/// How far it is with data that is gathered, each way.
pub(crate) fn gathering_stands() -> Vec<Value> {
    let host_event_id = || "edge-1-JN1234567890-20261121-101400-3".to_owned();
    let ways = [
        GatheringState::Running { done: 1, of: 5, host_event_id: host_event_id() },
        GatheringState::Done {
            host_event_id: host_event_id(),
            failed: 1,
            failures: vec!["`show nothing`: unknown command".to_owned()],
        },
        GatheringState::Failed { error: "TCP: connection refused".to_owned() },
        GatheringState::Skipped { why: "the device has made one itself".to_owned() },
    ];
    let stands = |how| GatheringStands { device: NAME.to_owned(), kind: GatheringKind::Event, number: 3, how };
    ways.map(|how| json_of(Report::GatheringStands(stands(how)))).into()
}

/// How a device stands.
pub(crate) fn stands() -> Vec<Value> {
    let standing = DeviceStanding {
        device: NAME.to_owned(),
        state: DeviceState::HostKeyChanged,
        error: "it shows another host key than the one that is pinned".to_owned(),
        collected: Some(time("2026-11-21T10:14:00Z")),
        shown_host_key: Some(HOST_KEY.to_owned()),
        facts: Some(DeviceFacts {
            serial_number: "JN1234567890".to_owned(),
            host_name: NAME.to_owned(),
            product: "MX240".to_owned(),
            os_version: "21.4R3-S5".to_owned(),
            routing_engines: vec!["RE-S-X6".to_owned()],
            members: vec![ChassisMember {
                number: 0,
                serial_number: "JN1234567890".to_owned(),
                product: "MX240".to_owned(),
            }],
        }),
    };
    vec![json_of(Report::DeviceStands(standing))]
}

/// A file that is no bundle.
pub(crate) fn jmb_set_aside() -> Vec<Value> {
    let error = JmbError {
        device: NAME.to_owned(),
        id: "1f3870be274f6c49".to_owned(),
        file: "edge-1_20261121_101400.xml".to_owned(),
        size: 51_200,
        modified: 1_795_255_000,
        fault: "missing-field".to_owned(),
        detail: "`manifest/host-event-ID` is missing".to_owned(),
        line: 3,
        column: 5,
        head: "<?xml version=\"1.0\"?>".to_owned(),
    };
    vec![json_of(Report::JmbSetAside(error))]
}

/// A file that was set aside is settled.
pub(crate) fn jmb_error_ended() -> Vec<Value> {
    let ended = JmbErrorEnded { device: NAME.to_owned(), id: "1f3870be274f6c49".to_owned(), how: JmbErrorEnd::Deleted };
    vec![json_of(Report::JmbErrorEnded(ended))]
}

/// A bundle that is larger than a message.
pub(crate) fn bundle_kept() -> Vec<Value> {
    let kept = BundleKept {
        device: NAME.to_owned(),
        outline: "<?xml version=\"1.0\"?><jmb/>".to_owned(),
        stored: "d-9f86d081884c7d659a2feaa0c55ad015".to_owned(),
        size: 5_242_880,
        sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        parts: vec![(1_812, 5_242_101)],
    };
    vec![json_of(Report::BundleKept(Box::new(kept)))]
}

/// Files that a bundle names.
pub(crate) fn files_named() -> Vec<Value> {
    let file = NamedFile {
        name: "logs.tgz".to_owned(),
        path: "/var/tmp/edge-1_20261121_101502_logs.tgz".to_owned(),
        is_log: true,
    };
    let host_event_id = "edge-1-JN1234567890-20261121-101502-1".to_owned();
    let (device, sha256) = (NAME.to_owned(), "5e".repeat(32));
    vec![json_of(Report::FilesNamed(FilesNamed {
        device,
        host_event_id,
        sha256,
        serial_number: String::new(),
        files: vec![file],
    }))]
}

/// What came of fetching them.
pub(crate) fn file_tried() -> Vec<Value> {
    let fetched = FileOutcome::Fetched {
        stored: "d-9f86d081884c7d659a2feaa0c55ad015".to_owned(),
        size: 48_211,
        sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
    };
    let missed = FileOutcome::Missed { reason: Missed::Absent, detail: "`logs.tgz` is not there".to_owned() };
    let tried = |outcome| FileTried { incident: "acme-17".parse().unwrap(), number: 0, outcome };
    [fetched, missed].into_iter().map(|outcome| json_of(Report::FileTried(tried(outcome)))).collect()
}

/// A group that was read back.
pub(crate) fn group_read() -> Vec<Value> {
    let line = |text: &str| DriftedLine { text: text.to_owned(), template: "10-filter.j2".to_owned() };
    let read = GroupRead {
        device: NAME.to_owned(),
        serial_number: "JN1234567890".to_owned(),
        group: GROUP.to_owned(),
        sha256: HASH.to_owned(),
        missing: vec![line("firewall filter edge term block then discard")],
        more_missing: 1,
        extra: vec![line("firewall filter edge term block then accept")],
        more_extra: 2,
        templates: vec!["10-filter.j2".to_owned()],
        node: "bf23ba22636b1932".to_owned(),
    };
    vec![json_of(Report::GroupRead(read))]
}

/// What is said of a device that has a group otherwise.
pub(crate) fn drifted(told: impl FnOnce(DriftData<'_>) -> Value) -> Value {
    told(DriftData {
        device: NAME,
        serial_number: "JN1234567890",
        group: GROUP,
        place: &parsed("acme/berlin/line-7"),
        activation: "cap-0123456789ab",
        subscription: &parsed("cap"),
        service: &parsed("bandwidth-on-demand"),
        missing: 2,
        extra: 3,
        action: "restore",
        restores: 1,
    })
}

/// What is said where the rest of a change is held.
pub(crate) fn held(told: impl FnOnce(HeldData<'_>) -> Value) -> Value {
    told(HeldData {
        device: NAME,
        place: &parsed("acme/berlin/line-7"),
        activation: "cap-0123456789ab",
        why: "failed",
        failed: 3,
        of: 12,
        held: 7,
    })
}

/// What is said of a device that stands otherwise.
pub(crate) const fn state_changed() -> ReachedData<'static> {
    ReachedData {
        device: NAME,
        serial_number: "JN1234567890",
        state: DeviceState::Unreachable,
        previous_state: DeviceState::Reachable,
        error: "TCP: connection refused",
    }
}
