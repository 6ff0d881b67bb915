//! Samples of what travels of devices that are reached.

use linesman_schemas::command::{
    AfterCollection, CredentialsKind, DeviceName, DeviceSettings, DeviceUse, DeviceVerb, HostKeyPin, JmbErrorWish,
    UseKind, Verb,
};
use linesman_schemas::device::{
    ChassisMember, DeviceFacts, DeviceStanding, DeviceState, JmbError, JmbErrorEnd, JmbErrorEnded,
};
use linesman_schemas::outcome::Report;
use linesman_schemas::trigger::ReachedData;
use serde_json::Value;

use crate::samples::{HASH, json_of, parsed, time};

const NAME: &str = "edge-1";
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
        DeviceVerb::Use(DeviceUse { name: name(), what: UseKind::Rpc, sha256: HASH.to_owned() }),
        DeviceVerb::JmbError(JmbErrorWish { name: name(), id: "1f3870be274f6c49".to_owned(), is_deleted: true }),
    ];
    verbs.into_iter().map(Verb::Device).collect()
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
