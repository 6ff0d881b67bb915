//! The one table of metrics: registration and `docs/metrics.md` follow it.
//!
//! Names are those of Prometheus: `_total` for counters, units in full. A label has few values:
//! words of the code, numbers of lanes; names from outside as [`super::named`] bounds them.

use linesman_domain::cases::CaseState;
use linesman_domain::outgoing::POLICY_REFUSED;
use linesman_schemas::audit::Verdict;
use linesman_schemas::cause::Cause;
use linesman_schemas::collected::Missed;
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::device::DeviceState;
use linesman_schemas::gathering::GatheringKind;
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{ApprovalKind, Priority};

/// One metric.
#[derive(Debug)]
pub struct Metric {
    /// Its name, unit and all.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [Label],
    /// What it says, in a sentence for people.
    pub help: &'static str,
}

/// What a metric is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// It only rises.
    Counter,
    /// It rises and falls.
    Gauge,
    /// It counts how long things take, in seconds, by these upper bounds.
    Seconds(&'static [f64]),
}

/// A label.
#[derive(Debug, Clone, Copy)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// What its values are.
    pub values: Values,
}

/// The values of a label.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// These, all known beforehand.
    Words(fn() -> Vec<&'static str>),
    /// Few, and how they are bounded.
    Few(&'static str),
    /// The busiest of these by name, and `other` from the start for the rest.
    Busiest(&'static str),
}

/// A batch of one takes some 100 us, one of a thousand some 10 ms.
const VERB_BOUNDS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Disks, and requests over networks.
const WAIT_BOUNDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// From the log to the commit: a lane that keeps up takes milliseconds, one that catches up hours.
const LOG_BOUNDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0];

const VERB: Label =
    Label { name: "verb", values: Values::Words(|| vec!["receive", "decode", "decide", "emit", "apply"]) };
const UPLOAD_STATE: Label = Label {
    name: "state",
    values: Values::Words(|| linesman_domain::uploads::UploadState::ALL.map(|(_, word)| word).to_vec()),
};
const SECTION: Label = Label {
    name: "section",
    values: Values::Words(|| {
        linesman_schemas::control::Section::OF_FILES.iter().map(|section| section.as_str()).collect()
    }),
};
const COUNTED_VERB: Label =
    Label { name: "verb", values: Values::Words(|| vec!["receive", "decode", "decide", "apply"]) };
const LANE: Label = Label { name: "lane", values: Values::Few("the number of a lane, `lanes` of them, at most 48") };
const READ: Label = Label { name: "stream", values: Values::Words(|| vec!["IN", "OUT", "state"]) };
const STREAM: Label = Label { name: "stream", values: Values::Words(|| vec!["IN", "OUT"]) };
const OVERDRAWN: Label = Label {
    name: "organization",
    values: Values::Few("the first 100 organizations since the start that sent more than their quota, and `_others`"),
};
const DESTINATION: Label =
    Label { name: "destination", values: Values::Few("where reactions go: the connectors of the program") };
const CONNECTOR: Label = Label { name: "connector", values: Values::Few("the connectors of the program") };
const SOURCE: Label = Label { name: "source", values: Values::Few("the sources of the program") };
const REASON: Label =
    Label { name: "reason", values: Values::Words(|| Reason::ALL.iter().map(|reason| reason.as_str()).collect()) };
const TRIGGER: Label = Label {
    name: "trigger",
    values: Values::Words(|| Trigger::TOLD.iter().map(|trigger| trigger.as_str()).chain([POLICY_REFUSED]).collect()),
};
const LEVEL: Label = Label { name: "level", values: Values::Words(|| vec!["error", "warn"]) };
const CLASS: Label = Label { name: "class", values: Values::Words(|| classes().to_vec()) };
const CAUSE: Label = Label { name: "class", values: Values::Words(|| Cause::ALL.map(Cause::as_str).to_vec()) };
const ORGANIZATION: Label =
    Label { name: "organization", values: Values::Busiest("organizations, the provider as `_provider` among them") };
const POLICY: Label = Label { name: "policy", values: Values::Busiest("policies") };
const CONSUMER: Label = Label { name: "consumer", values: Values::Busiest("durable consumers") };
const WORK: Label = Label { name: "work", values: Values::Words(|| WORKS.to_vec()) };

/// What attempts are at.
const WORKS: [&str; 7] = ["case", "poll", "telling", "upload", "configuration", "notification", "unreadable"];

/// The classes of failures.
pub(super) const fn classes() -> [&'static str; 5] {
    ["unavailable", "overloaded", "unauthorized", "garbled", "refused"]
}
const OUTCOME: Label =
    Label { name: "outcome", values: Values::Words(|| Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect()) };
const ROUTE: Label = Label { name: "route", values: Values::Few("the template of a path of the API, or `none`") };

const PARTNER_ROUTE: Label =
    Label { name: "route", values: Values::Few("the template of a path of the partner listener, or `none`") };

const fn counter(name: &'static str, labels: &'static [Label], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [Label], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, labels, help }
}

const fn seconds(name: &'static str, bounds: &'static [f64], labels: &'static [Label], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Seconds(bounds), labels, help }
}

/// All metrics, in the order of the document.
#[rustfmt::skip]
pub static METRICS: &[Metric] = &[
    // The way of a message.
    counter("linesman_inputs_total", &[
        Label { name: "kind", values: Values::Few("`jmb`, `intel`, `cmd`, `result`, `ctl`, or `other`") },
        Label { name: "outcome", values: Values::Few("words of the code: `incident`, `snapshot`, `kept`, `repeated`, `dead` and the like") },
    ], "Messages decided, by kind and by what became of them."),
    seconds("linesman_verb_seconds", VERB_BOUNDS, &[VERB], "How long a verb takes for a batch, in seconds."),
    seconds("linesman_input_to_commit_seconds", LOG_BOUNDS, &[
        Label { name: "kind", values: Values::Words(|| crate::lane::waits::KINDS.to_vec()) },
    ], "How long inputs take, in seconds, from their time in the log to the commit of what was decided of them. Both clocks count: that of the NATS server, and the engine's."),
    counter("linesman_verb_items_total", &[COUNTED_VERB], "Messages received, decoded and decided, and rows applied."),
    counter("linesman_triggers_total", &[TRIGGER], "Triggers fired."),
    counter("linesman_cases_withheld_total", &[], "Cases of which nothing leaves, by the filter level of their organization."),
    counter("linesman_dead_letters_total", &[REASON], "Inputs and reactions set aside."),
    gauge("linesman_dead_letters_unreplayed", &[REASON], "Dead letters that OUT still has, by whole days, and that were not replayed. What is counted beyond a quota and what leads to nobody cannot be; of reactions cases and their files alone can, from engine level 17 on. From engine level 16 on."),
    counter("linesman_dead_letters_replayed_total", &[], "Dead letters that were put to work again: inputs, and policies that failed."),
    counter("linesman_organization_incidents_total", &[ORGANIZATION], "Incidents of organizations."),
    counter("linesman_organization_reactions_total", &[ORGANIZATION], "Reactions decided for organizations."),
    counter("linesman_organization_dead_letters_total", &[ORGANIZATION], "Inputs and reactions of organizations that were set aside. What is nobody's is not among them."),
    gauge("linesman_open_incidents", &[
        Label { name: "priority", values: Values::Words(|| Priority::ALL.map(Priority::as_str).to_vec()) },
    ], "Incidents that are not completed."),
    gauge("linesman_cases", &[
        Label { name: "state", values: Values::Words(|| CaseState::ALL.map(CaseState::as_str).to_vec()) },
    ], "Cases by where they stand; what is `withheld` has not left, since the filter level lets nothing out."),
    counter("linesman_over_quota_messages_total", &[OVERDRAWN], "Messages that came beyond their organization's quota of a day and were left undecided."),
    counter("linesman_over_quota_bytes_total", &[OVERDRAWN], "How many bytes these have."),
    counter("linesman_policy_failures_total", &[
        Label { name: "kind", values: Values::Few("words of the code: `operations`, `depth`, `time`, `size`, `intents`, `refused`, `thrown`, `script`") },
    ], "Policies that failed while they ran."),
    counter("linesman_policy_matches_total", &[POLICY], "How often policies were found to apply to what has happened."),
    counter("linesman_policy_runs_total", &[POLICY], "How often their scripts were run: less often where a policy is set aside."),
    counter("linesman_policy_run_failures_total", &[POLICY], "How often they failed, or were set aside."),
    counter("linesman_policy_operations_total", &[POLICY], "How many operations their runs were charged; a run may have 50,000."),
    counter("linesman_policies_refused_total", &[], "Policy files refused, each text once, and rule directories that could not be read."),
    counter("linesman_services_refused_total", &[], "Services refused, each text once."),
    gauge("linesman_refused_services", &[], "Services that are refused as they are; each goes on as it was good last."),
    gauge("linesman_refused_policies", &[], "Policy files that are refused as they are; for each, what was good last stays."),
    gauge("linesman_rule_book_version", &[], "Version of the rule book that every lane judges by."),
    gauge("linesman_rule_book_differs", &[SECTION], "1 while this node's files say something else than what another has loaded into the log since, which decides; else 0."),
    // The lanes.
    gauge("linesman_lane_running", &[LANE], "1 when the lane has been taken up, else 0."),
    gauge("linesman_lane_position", &[LANE], "Sequence in IN of the last message the lane has applied."),
    gauge("linesman_lane_lag_sequences", &[LANE], "How far the lane's last message in IN lies ahead of its position. Sequences count the messages of all lanes, so this is the most the lane may be behind. 0 when it has caught up, NaN when the log does not answer."),
    gauge("linesman_lane_age_seconds", &[LANE], "While the lane is behind: how long ago, in seconds, the last message it has applied entered the log. 0 when it has caught up, NaN when that is unknown."),
    gauge("linesman_lane_clock_ahead_seconds", &[LANE], "How far, in seconds, the NATS server's clock is ahead of the lane's, which does not follow it; less than 0 where it is behind. 0 while the lane goes by it."),
    counter("linesman_clock_doubts_total", &[], "How often a lane came to go by a time that is not the NATS server's: that jumped ahead and was not believed, or went back."),
    counter("linesman_lanes_stopped_total", &[], "Lanes that stood still since they could not go on."),
    counter("linesman_policies_set_aside_total", &[], "Policies set aside for an input since a run took too long."),
    counter("linesman_lane_rebuilds_total", &[], "Lanes rebuilt from the log."),
    counter("linesman_lanes_sealed_total", &[], "Lanes sealed because the log is not the one they were decided on."),
    // What IN has acknowledged.
    gauge("linesman_in_acknowledged_messages", &[], "Messages that IN has acknowledged since the engine started, the engine's own among them. NaN when the log does not answer."),
    gauge("linesman_in_decided_messages", &[], "How many of them lanes have decided and applied; those that became dead letters there are among them."),
    gauge("linesman_in_set_aside_messages", &[], "How many of them no lane reads, and were set aside as dead letters of nobody's."),
    gauge("linesman_in_unaccounted_messages", &[], "How many of them are neither. 0 when all lanes have caught up: while `linesman_lane_lag_sequences` is 0 and this stays above it, something was acknowledged and lost."),
    counter("linesman_unread_messages_total", &[], "Messages of IN that lead to no lane, and were set aside as dead letters of nobody's: their subject has a wildcard where a name belongs."),
    // Reactions.
    counter("linesman_reactions_total", &[
        Label { name: "connector", values: Values::Few("the connectors of the program, and `publish` for reactions of foreign subscribers") },
    ], "Reactions decided."),
    gauge("linesman_pending_reactions", &[DESTINATION], "Reactions that are still to be carried out."),
    gauge("linesman_circuits_open", &[DESTINATION], "How many lanes have found the destination sick, for all or for an organization, and leave it alone, probes excepted."),
    gauge("linesman_destinations_failing", &[CONNECTOR, CAUSE], "How many destinations have failed since they answered last, by what the last try came of. Attempts since the start count."),
    gauge("linesman_oldest_pending_seconds", &[DESTINATION], "How long ago, in seconds, the oldest reaction was decided that is still to be carried out. Polls are none, nor are those of suspended organizations. 0 where there is none."),
    counter("linesman_attempts_total", &[CONNECTOR, WORK], "Attempts that have ended, at reactions and at polls."),
    seconds("linesman_attempt_seconds", WAIT_BOUNDS, &[CONNECTOR, WORK], "How long an attempt takes, in seconds."),
    counter("linesman_attempt_failures_total", &[CONNECTOR, CLASS], "Attempts that failed."),
    gauge("linesman_upstream_requests_allowed", &[CONNECTOR], "How many requests of the upstream are made in an hour at the most."),
    gauge("linesman_upstream_requests_left", &[CONNECTOR], "How many of them are left in the hour at hand. Cases wait for what there is not; uploads have half of all."),
    counter("linesman_uploads_total", &[UPLOAD_STATE], "Uploads that have come to stand so: kept here, on their way, sent, failed, or released with the end of their case."),
    counter("linesman_approvals_total", &[
        Label { name: "kind", values: Values::Words(|| ApprovalKind::ALL.map(ApprovalKind::as_str).to_vec()) },
        Label { name: "state", values: Values::Words(|| linesman_domain::approvals::STATES.to_vec()) },
    ], "Approvals that have come to stand so: asked for, approved, rejected, expired when nobody had decided them in time, or changed, which are asked for anew."),
    counter("linesman_waves_total", &[
        Label { name: "end", values: Values::Words(|| linesman_domain::activations::waves::ENDS.to_vec()) },
    ], "Changes of many devices that came of one input: begun, over, or held since too many have failed or one has taken its change back."),
    counter("linesman_upload_attempts_total", &[
        Label { name: "end", values: Values::Words(|| linesman_domain::reactions::UPLOAD_ENDS.to_vec()) },
    ], "Attempts at uploads by how they ended: done, moved on, missed, broken off since what may leave has changed, or failed before anybody was asked."),
    counter("linesman_upload_bytes_total", &[], "What the upstream has of uploads, filtered, counted when all of one is there, in bytes."),
    counter("linesman_snapshots_total", &[
        Label { name: "state", values: Values::Words(|| linesman_domain::snapshots::STATES.to_vec()) },
    ], "Newest snapshots of devices that have come to stand so on their way to the upstream: waiting, sent, failed, or withdrawn since another takes their place or nothing may leave."),
    counter("linesman_upstream_pin_mismatches_total", &[CONNECTOR], "Times the upstream has shown another certificate than the one that is pinned."),
    counter("linesman_upstream_pins_total", &[
        Label { name: "what", values: Values::Words(|| vec!["confirmed", "removed"]) },
    ], "Certificates of the upstream that somebody has confirmed, and confirmations taken back."),
    gauge("linesman_certificate_ends_timestamp_seconds", &[CONNECTOR], "When the certificate ends that the upstream showed last, believed or not, in seconds since 1970."),
    counter("linesman_destinations_displaced_total", &[], "Times a destination at rest gave up its task for another one."),
    counter("linesman_dispatch_store_failures_total", &[], "Times what is pending could not be read; it is read again."),
    counter("linesman_damaged_rows_total", &[], "Pending reactions that are damaged in the store; they wait until the state is rebuilt."),
    counter("linesman_foreign_cases_total", &[], "Cases an upstream told of that are not ours."),
    // Sources.
    counter("linesman_source_polls_total", &[SOURCE], "Times a source was asked what is new."),
    counter("linesman_source_inputs_total", &[SOURCE], "Inputs that sources brought into the log, repetitions included."),
    counter("linesman_source_unreadable_total", &[SOURCE], "Messages of the provider's that sources found and that could not be read: they are passed over."),
    counter("linesman_source_failures_total", &[SOURCE, CLASS], "Times a source failed."),
    seconds("linesman_source_poll_seconds", WAIT_BOUNDS, &[SOURCE], "How long a source takes to say what is new, in seconds."),
    gauge("linesman_sources_failing", &[SOURCE, CAUSE], "1 while a source has failed since it was well last, by what the last try came of, else 0."),
    gauge("linesman_source_resting", &[SOURCE], "1 while a source is left alone after it failed often, else 0."),
    // Devices.
    gauge("linesman_devices_reached", &[], "Devices that are reached."),
    gauge("linesman_devices_standing", &[
        Label { name: "state", values: Values::Words(|| DeviceState::ALL.map(DeviceState::as_str).to_vec()) },
    ], "Devices that are reached, by how they stood when they were looked at last."),
    counter("linesman_device_visits_total", &[], "Looks at devices' directories."),
    seconds("linesman_device_visit_wait_seconds", WAIT_BOUNDS, &[], "How long a look at a device waits for its turn, in seconds: devices that are slow take it from others."),
    seconds("linesman_device_visit_seconds", WAIT_BOUNDS, &[], "How long a look at a device's directory takes, in seconds."),
    counter("linesman_device_failures_total", &[
        Label { name: "state", values: Values::Words(|| DeviceState::ALL.map(DeviceState::as_str).to_vec()) },
    ], "Looks at devices after which they stood otherwise than well."),
    counter("linesman_device_bundles_total", &[], "Bundles that were collected from devices."),
    counter("linesman_device_bundle_bytes_total", &[], "Bundles that were collected from devices, in bytes."),
    counter("linesman_device_jmb_errors_total", &[
        Label { name: "fault", values: Values::Few("names of faults of bundles, as dead letters have them") },
    ], "Files of devices that are no bundles, and were set aside."),
    gauge("linesman_gatherings_under_way", &[], "Gatherings of data from devices that are under way or wait for their turn."),
    counter("linesman_gatherings_total", &[
        Label { name: "kind", values: Values::Words(|| GatheringKind::ALL.map(GatheringKind::as_str).to_vec()) },
        Label { name: "outcome", values: Values::Words(|| vec!["done", "failed", "skipped"]) },
    ], "Gatherings of data from devices that have ended."),
    seconds("linesman_gathering_seconds", WAIT_BOUNDS, &[], "How long it takes to gather data from a device, in seconds."),
    counter("linesman_gathered_bytes_total", &[], "Bundles that were made of what was gathered from devices, in bytes."),
    counter("linesman_device_object_bytes_total", &[], "Bundles larger than a message of the log, and files that bundles name, that were put into the object store, in bytes."),
    counter("linesman_device_files_fetched_total", &[], "Attachments and logs that bundles name and that were fetched from their devices."),
    counter("linesman_device_files_missed_total", &[
        Label { name: "reason", values: Values::Words(|| Missed::ALL.map(Missed::as_str).to_vec()) },
    ], "Tries at attachments and logs that bundles name and that their devices did not have."),
    counter("linesman_device_scripts_total", &[
        Label { name: "state", values: Values::Words(|| vec!["done", "rolled-back", "failed"]) },
    ], "Times scripts on a device were installed, upgraded or removed, by how that ended."),
    counter("linesman_device_groups_read_total", &[
        Label { name: "result", values: Values::Words(|| vec!["in-sync", "drifted"]) },
    ], "Configuration groups that were read back from their devices."),
    counter("linesman_device_drift_failures_total", &[], "Times the groups of a device could not be read back."),
    // The licence.
    gauge("linesman_licence_devices_over", &[], "How many devices there are beyond those that the licence permits. NaN without a licence."),
    gauge("linesman_licence_left_seconds", &[], "How long the licence is good, in seconds; negative once it has expired. NaN without a licence."),
    // The log and its server.
    gauge("linesman_nats_connected", &[], "1 while the engine is connected to the NATS server, else 0."),
    counter("linesman_nats_disconnects_total", &[], "Connections to the NATS server that were lost; the engine has several."),
    counter("linesman_nats_restarts_total", &[], "Restarts of the embedded NATS server."),
    counter("linesman_nats_slow_consumer_total", &[], "Times NATS messages were dropped on their way in, to be read again."),
    gauge("linesman_log_bytes", &[STREAM], "How large a stream is, in bytes."),
    gauge("linesman_disk_free_bytes", &[], "How much of the disk under the data directory is free, in bytes. An embedded log lies there."),
    gauge("linesman_disk_size_bytes", &[], "How large that disk is, in bytes."),
    gauge("linesman_consumer_lag_messages", &[CONSUMER], "How many messages of OUT a consumer was not given yet; `other` is the highest of all that are not durable, or not named."),
    counter("linesman_consumers_removed_total", &[], "Consumers of others that were removed from OUT, since it had more than it may and nobody asked them."),
    counter("linesman_consumer_rebuilds_total", &[], "Consumers made anew after a missed heartbeat or a gap."),
    counter("linesman_emit_retries_total", &[], "Batches sent to the log again."),
    counter("linesman_foreign_marks_total", &[], "Batches sent again because somebody else has written on a lane's mark."),
    // The store.
    seconds("linesman_store_flush_seconds", WAIT_BOUNDS, &[], "How long it takes, in seconds, to have on disk what was applied."),
    gauge("linesman_store_bytes", &[], "How large the store is on disk, in bytes."),
    counter("linesman_rows_upgraded_total", &[], "Rows of the store that an earlier program wrote, written anew in today's version."),
    counter("linesman_store_set_aside_total", &[], "Stores that did not open, or were damaged, and were set aside."),
    counter("linesman_store_damages_total", &[], "Lanes of the store that were found damaged."),
    counter("linesman_scrub_bytes_total", &[READ], "What of the streams and the state was read to find what is damaged, in bytes."),
    counter("linesman_scrub_rounds_total", &[], "Rounds through both streams and the state that came to their end in the background."),
    gauge("linesman_scrub_faults", &[], "Faults that the last round through both streams and the state has found."),
    // The edge.
    counter("linesman_api_requests_total", &[
        ROUTE,
        Label { name: "method", values: Values::Few("the methods of HTTP, or `other`") },
        Label { name: "status", values: Values::Few("the statuses the API answers with") },
    ], "Requests answered."),
    seconds("linesman_api_request_seconds", WAIT_BOUNDS, &[ROUTE], "How long it takes, in seconds, until an answer begins."),
    gauge("linesman_api_connections", &[], "Connections to the API."),
    gauge("linesman_api_listeners", &[], "Clients that listen to events as they happen."),
    counter("linesman_api_displaced_total", &[], "Connections closed to make room, or for not taking their answer."),
    // The partner listener.
    counter("linesman_partner_requests_total", &[
        PARTNER_ROUTE,
        Label { name: "status", values: Values::Few("the statuses the partner listener answers with") },
    ], "Requests of end customers answered."),
    seconds("linesman_partner_request_seconds", WAIT_BOUNDS, &[PARTNER_ROUTE], "How long it takes, in seconds, until an answer to an end customer begins."),
    gauge("linesman_partner_connections", &[], "Connections to the partner listener."),
    counter("linesman_partner_displaced_total", &[], "Connections to the partner listener closed to make room, or for not taking their answer."),
    counter("linesman_partner_logins_refused_total", &[
        Label { name: "reason", values: Values::Words(|| vec!["wrong", "waiting", "certificate"]) },
    ], "Logins at the partner listener that were refused: wrong, too soon after wrong ones, or by a certificate that lets nobody in."),
    counter("linesman_partner_credentials_changed_total", &[
        Label { name: "what", values: Values::Words(|| vec!["given", "removed"]) },
    ], "Users and passwords of end customers that were given by the API, and taken back."),
    counter("linesman_partner_upload_bytes_total", &[], "What end customers have brought of uploads, in bytes."),
    // The audit.
    counter("linesman_audit_records_total", &[OUTCOME], "Records of the audit, by what became of what was asked."),
    counter("linesman_audit_checkpoints_total", &[], "Checkpoints of the audit's logs that were signed to be kept."),
    counter("linesman_audit_exports_total", &[], "Exports of the audit that were begun."),
    counter("linesman_case_exports_total", &[
        Label { name: "outcome", values: Values::Words(|| vec!["whole", "broken-off"]) },
    ], "Exports of cases that were handed out whole, and that broke off: whoever asked went, or may no longer."),
    counter("linesman_logins_total", &[
        Label { name: "outcome", values: Values::Words(|| vec!["done", "refused", "waiting", "busy"]) },
    ], "Passwords that were shown: right, wrong, too soon after others, too many at once."),
    // The process.
    gauge("linesman_ready", &[], "1 while the engine serves and can work, as `/readyz` says, else 0."),
    counter("linesman_log_messages_total", &[LEVEL], "Errors and warnings in the program's log; those that its level leaves out are not counted."),
    counter("linesman_panics_total", &[], "Faults of the program that broke off a part of it, whatever became of it. The log tells of each with its place."),
    counter("linesman_log_lines_dropped_total", &[], "Lines of the program's log that were dropped since nobody read them."),
    gauge("linesman_build_info", &[
        Label { name: "version", values: Values::Few("one: the program's version") },
    ], "Always 1."),
    gauge("process_start_time_seconds", &[], "When the process started, in seconds since 1970."),
    counter("process_cpu_seconds_total", &[], "Time spent on processors, in whole seconds."),
    gauge("process_resident_memory_bytes", &[], "Memory that is really there, in bytes."),
    gauge("process_threads", &[], "Threads of the process."),
    gauge("process_open_fds", &[], "Open files, connections among them."),
    gauge("process_max_fds", &[], "The most open files the system allows."),
];

impl Metric {
    /// The values of each label that are exposed from the start; none: it appears when something is
    /// first counted.
    pub fn from_the_start(&self) -> Option<Vec<(&'static str, &'static str)>> {
        match self.labels {
            [] => Some(Vec::new()),
            [Label { name, values: Values::Words(words) }] => {
                Some(words().into_iter().map(|word| (*name, word)).collect())
            }
            _ => None,
        }
    }
}
