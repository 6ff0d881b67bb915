//! The section `[approvals]`: what is done only once somebody has approved it.

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape};
use linesman_schemas::approval::{ApprovalRule, ApprovalRules, ApprovalSettings, OnTimeout, TIMEOUT_MOST_H};

use super::sections::count;

/// How many persons it takes.
pub(super) const RULES: [&str; 3] = ["none", "one-person", "two-person"];
const ON_TIMEOUT: [&str; 2] = ["reject", "approve"];

/// What is told of approvals.
#[rustfmt::skip]
pub(super) static SECTION: Section = Section {
    name: "approvals",
    shape: Shape::Always,
    doc: "What is done only once somebody has approved it, in mode `partner` alone (`docs/approvals.md`). It travels in the log with the numbers of `[settings]`, and is loaded with them.",
    keys: &[
        Key::new("send-intelligence", Kind::Words(&RULES), "Whether an intelligence message goes to an organization only once somebody approves it, and whether that is somebody else than who asked.").or("none").like("two-person"),
        Key::new("forward-case", Kind::Words(&RULES), "The same of a case that an end customer has reported and that goes on to the upstream.").or("none").like("two-person"),
        Key::new("activate-service", Kind::Words(&RULES), "The same of a service that becomes configuration of devices.").or("none").like("one-person"),
        Key::new("configure-device", Kind::Words(&RULES), "Whether a device changes by what a service has become only once somebody has approved what the device says that it comes to.").or("none").like("one-person"),
        Key::new("timeout_h", count(1, TIMEOUT_MOST_H), "How long there is to decide, in hours.").or("72"),
        Key::new("on_timeout", Kind::Words(&ON_TIMEOUT), "What becomes of what nobody has decided by then: `reject` or `approve`.").or("reject"),
    ],
};

/// What a table of [`SECTION`] says.
pub(super) fn read(entry: &Entry) -> Option<ApprovalSettings> {
    let rules = ApprovalRules {
        send_intelligence: rule(entry, "send-intelligence")?,
        forward_case: rule(entry, "forward-case")?,
        activate_service: rule(entry, "activate-service")?,
    };
    let ends = entry.text("on_timeout")?;
    let on_timeout = OnTimeout::ALL.into_iter().find(|(_, word)| *word == ends)?.0;
    let configure_device = rule(entry, "configure-device")?;
    Some(ApprovalSettings { rules, configure_device, timeout_h: entry.number("timeout_h")?, on_timeout })
}

/// The rule that a key says.
pub(super) fn rule(entry: &Entry, key: &str) -> Option<ApprovalRule> {
    let text = entry.text(key)?;
    Some(ApprovalRule::ALL.into_iter().find(|(_, word)| *word == text)?.0)
}
