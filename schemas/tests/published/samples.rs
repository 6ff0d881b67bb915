//! One sample of everything that travels, made from its type.

use std::str::FromStr;

use jiff::Timestamp;
use linesman_schemas::approval::{ApprovalData, ApprovalId, ApprovalKind, OnTimeout};
use linesman_schemas::audit::{Audit, LaneSealed, Verdict};
use linesman_schemas::cascade::{CaseReport, CaseStep};
use linesman_schemas::command::{
    AddressChanges, AddressGroup, Approval, Assignment, Audit as AuditVerb, Case, CaseFile, CaseName, CaseOverride,
    CaseRemark, CaseWish, CaseWords, CasesExport, Command, ConnectionTried, Contract, ContractChanges,
    CredentialsChange, DeviceAddresses, DeviceGroup, DeviceVerb, Directives, Engine, GivenUp, Group, Handling,
    Incident, Input, LetterRef, LevelRaise, LogLevelChange, Manager, Message, Note, Organization, OrganizationSettings,
    PinChange, PlaceVerb, Policy, PolicyRun, Prioritisation, Received, RemarkOrigin, Replay, Reported, RuleBook,
    ScriptVerb, SectionLoad, Sending, Service, Session, SubmitCaseAs, Subscription, Token, Undoing, UploadKept, Values,
    Verb,
};
use linesman_schemas::control::{
    ClockConfirmed, ClockReading, Control, IntelligenceRef, RefusedPolicy, RuleBookRef, Section, SectionRef,
    SourceCursor,
};
use linesman_schemas::dead_letter::{Counted, DeadLetter, FailedPolicy, LineColumn, Reason};
use linesman_schemas::event::Event;
use linesman_schemas::intelligence::{self, Intelligence, Relevance};
use linesman_schemas::lane_override::{Overridden, Override};
use linesman_schemas::mark::Mark;
use linesman_schemas::outcome::{
    Attempt, AttemptedChange, CaseNote, CaseStanding, Difference, Done, Failure, FailureClass, Outcome, Report,
};
use linesman_schemas::reaction::{
    Action, Approved, BundleBytes, CaseDetails, CaseRequest, CaseTelling, Configure, Device, FollowUp, GroupChange,
    Reaction,
};
use linesman_schemas::trigger::{
    ArrivalData, CaseData, ChangeData, ContractData, DeviceData, Expiring, Expiry, ExposureData, IncidentData,
    IntelligenceData, JoinedData, MatchData, SilenceData, SwitchData, Trigger, WithheldData,
};
use linesman_schemas::upload::{BundlePart, Upload, UploadDevice, UploadKind, UploadRequest, UploadSource};
use linesman_schemas::{FilterLevel, IncidentId, Principal, Priority, QuotaData, QuotaKind, Quotas};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{devices, scripts};

pub(crate) const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const EVENT: &str = "acme-7-18b9f5a2c3d4e5f6";
pub(crate) const ORGANIZATION: &str = "/organizations/acme";

pub(crate) fn parsed<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(crate) fn time(text: &str) -> Timestamp {
    parsed(text)
}

pub(crate) fn json_of(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn given_up() -> GivenUp {
    let letter = LetterRef { reason: Reason::ReactionFailed, ..letter() };
    GivenUp { reaction: format!("{ORGANIZATION}-r7-1").parse().unwrap(), letter }
}

fn letter() -> LetterRef {
    LetterRef { event: EVENT.to_owned(), time: parsed("2026-11-21T10:15:04Z"), reason: Reason::PolicyFailed }
}

fn incident() -> IncidentId {
    parsed("acme-1")
}

/// A message of OUT, as it is on the wire when it holds one event.
fn event(kind: &str, source: &str, subject: Option<&str>, data: impl Serialize) -> Value {
    json_of(Event::new(EVENT, source, kind, subject, time("2026-11-21T10:15:04.250Z"), data))
}

pub(crate) fn intelligence() -> Vec<Value> {
    let message = Intelligence {
        id: "TSB70123".to_owned(),
        kind: intelligence::Kind::BugNotice,
        title: "Line cards may restart after an upgrade".to_owned(),
        text: "Affected releases restart the line card once after an upgrade.".to_owned(),
        issued: time("2026-11-20T08:00:00Z"),
        relevance: Relevance { products: vec!["MX240".to_owned()], ..Relevance::default() },
        links: vec!["https://support.example/TSB70123".to_owned()],
        recalled: false,
    };
    let least = json!({"id": "EOL-2026-7", "kind": "end-of-life", "title": "MX80", "issued": "2026-11-20T08:00:00Z"});
    vec![json_of(message), least]
}

fn words() -> CaseWords {
    CaseWords {
        synopsis: Some("FRU offline on edge-01".to_owned()),
        comments: Some("Spare part is on site.".to_owned()),
        priority: Some(Priority::High),
        cc: Some(vec!["noc@partner.example".to_owned()]),
        follow_up: Some(FollowUp::EmailLink),
        attachments: Some(true),
        core_files: Some(false),
        reference: Some("CHG-4711".to_owned()),
        address: Some("berlin".to_owned()),
    }
}

/// Every verb that organizations are asked: a new one does not compile without its sample.
pub(crate) fn verbs() -> Vec<Verb> {
    let note = || Note { incident: incident(), note: "seen by the night shift".to_owned() };
    let samples = vec![
        Verb::Organization(Organization::Set(OrganizationSettings {
            alias: "ACME".to_owned(),
            handling: Handling::Own,
            submit_case_as: SubmitCaseAs::Test,
            upload: false,
            snapshot_interval_s: 604_800,
            approvals: linesman_schemas::ApprovalRules {
                forward_case: linesman_schemas::ApprovalRule::TwoPerson,
                ..Default::default()
            },
            quotas: Quotas {
                messages: Some(1_000_000),
                bytes: None,
                devices: Some(500),
                remembered_ids: Some(2_000_000),
            },
            address: "Acme Corporation, 1 Main Street, Springfield".to_owned(),
            display_name: "Acme Corporation".to_owned(),
            is_proxy: true,
            filter_level: FilterLevel::All,
            device_groups: vec![DeviceGroup { name: "edge".to_owned(), devices: vec!["edge-*".to_owned()] }],
            loaded: None,
        })),
        Verb::Incident(Incident::Assign(Assignment {
            incident: incident(),
            owner: "mara@partner.example".to_owned(),
            in_progress: true,
        })),
        Verb::Incident(Incident::Prioritise(Prioritisation { incident: incident(), priority: Priority::Critical })),
        Verb::Incident(Incident::Annotate(note())),
        Verb::Incident(Incident::Close(note())),
        Verb::Incident(Incident::Reopen(note())),
        Verb::Case(Case::Save(CaseWish { incident: incident(), case: words(), given_up: None })),
        Verb::Case(Case::Submit(CaseWish {
            incident: incident(),
            case: CaseWords::default(),
            given_up: Some(given_up()),
        })),
        Verb::Policy(Policy::Run(PolicyRun {
            policy: parsed("open-case"),
            trigger: Trigger::IncidentDetected,
            event: EVENT.to_owned(),
            about: incident().to_string(),
            letter: Some(letter()),
        })),
        Verb::Input(Input::Replay(Replay { event: EVENT.to_owned(), sequence: 17, letter: Some(letter()) })),
        Verb::Organization(Organization::Unload),
        Verb::Organization(Organization::SetCredentials(CredentialsChange { user: "acme".to_owned() })),
        Verb::Organization(Organization::Test(ConnectionTried { failed: "certificate".to_owned() })),
        Verb::Organization(Organization::Unredact(Undoing { sha256: HASH.to_owned(), size: 48_213 })),
        Verb::Organization(Organization::ExportCases(CasesExport {
            file: Some(CaseFile { incident: incident(), sha256: HASH.to_owned() }),
        })),
        Verb::Organization(Organization::SetAddresses(AddressChanges {
            groups: vec![AddressGroup {
                name: "berlin".to_owned(),
                address: "Gate 3\n10115 Berlin".to_owned(),
                contact: "Mara, +49 30 1234".to_owned(),
            }],
            removed: vec!["paris".to_owned()],
            devices: vec![DeviceAddresses {
                serial_number: "SN1234".to_owned(),
                ship_to: "berlin".to_owned(),
                location: "berlin".to_owned(),
            }],
        })),
        Verb::Organization(Organization::SetContracts(ContractChanges {
            contracts: vec![Contract {
                agreement_number: "A-17".to_owned(),
                status: "Active".to_owned(),
                sku: "SVC-COR-MX240".to_owned(),
                sku_type: "Core".to_owned(),
                start: "2026-01-01".to_owned(),
                end: "2026-12-31".to_owned(),
                serial_number: "SN1234".to_owned(),
                part_number: "750-047853".to_owned(),
            }],
            removed: vec!["A-16".to_owned()],
        })),
    ];
    let samples: Vec<_> = samples
        .into_iter()
        .chain(cascade_verbs())
        .chain(people_verbs())
        .chain(service_verbs())
        .chain(devices::verbs())
        .chain(scripts::verbs())
        .chain([Verb::Organization(Organization::Suspend)])
        .collect();
    for sample in samples.iter().chain(&provider_verbs()) {
        // A new verb belongs here and, with a sample, above or below.
        match sample {
            Verb::Organization(
                Organization::Set(_)
                | Organization::Suspend
                | Organization::Unload
                | Organization::SetCredentials(_)
                | Organization::Test(_)
                | Organization::Unredact(_)
                | Organization::ExportCases(_)
                | Organization::SetAddresses(_)
                | Organization::SetContracts(_),
            )
            | Verb::Incident(
                Incident::Assign(_)
                | Incident::Prioritise(_)
                | Incident::Close(_)
                | Incident::Reopen(_)
                | Incident::Annotate(_),
            )
            | Verb::Case(
                Case::Submit(_)
                | Case::Save(_)
                | Case::Report(_)
                | Case::Forward(_)
                | Case::Handle(_)
                | Case::Override(_)
                | Case::Note(_)
                | Case::Close(_)
                | Case::Reopen(_)
                | Case::Keep(_),
            )
            | Verb::Policy(Policy::Run(_))
            | Verb::Input(Input::Replay(_))
            | Verb::Engine(Engine::RaiseLevel(_) | Engine::SetLogLevel(_) | Engine::PinUpstream(_))
            | Verb::RuleBook(RuleBook::LoadSection(_) | RuleBook::ClearPlace(_))
            | Verb::Place(PlaceVerb::Set(_) | PlaceVerb::Remove(_) | PlaceVerb::Tie(_))
            | Verb::Manager(Manager::Set(_) | Manager::Remove(_) | Manager::SetPassword(_))
            | Verb::Group(Group::Set(_) | Group::Remove(_))
            | Verb::Token(Token::Issue(_) | Token::Revoke(_))
            | Verb::Session(
                Session::Open(_)
                | Session::Close(_)
                | Session::Revoke(_)
                | Session::Touch(_)
                | Session::Refuse(_)
                | Session::Lock(_),
            )
            | Verb::Audit(AuditVerb::Record(_) | AuditVerb::Keep(_))
            | Verb::Values(Values::Set(_) | Values::Localize(_))
            | Verb::Subscription(
                Subscription::Set(_)
                | Subscription::Remove(_)
                | Subscription::Suspend(_)
                | Subscription::Resume(_)
                | Subscription::Activate(_)
                | Subscription::Deactivate(_)
                | Subscription::Redeploy(_),
            )
            | Verb::Service(Service::Rollout(_))
            | Verb::Message(Message::Add(_))
            | Verb::Sending(Sending::Associate(_) | Sending::Dissociate(_) | Sending::Send(_) | Sending::Recall(_))
            | Verb::Received(Received::SetState(_))
            | Verb::Approval(Approval::Approve(_) | Approval::Reject(_))
            | Verb::Device(
                DeviceVerb::Set(_)
                | DeviceVerb::Remove(_)
                | DeviceVerb::PinHostKey(_)
                | DeviceVerb::Use(_)
                | DeviceVerb::JmbError(_)
                | DeviceVerb::Gather(_),
            )
            | Verb::Directives(Directives::Set(_) | Directives::Remove(_))
            | Verb::Scripts(
                ScriptVerb::SetBundle(_)
                | ScriptVerb::RemoveBundle(_)
                | ScriptVerb::SetProfile(_)
                | ScriptVerb::RemoveProfile(_)
                | ScriptVerb::Plan(_)
                | ScriptVerb::Install(_)
                | ScriptVerb::Remove(_),
            ) => {}
        }
    }
    samples
}

/// Every verb that the provider is asked.
pub(crate) fn provider_verbs() -> Vec<Verb> {
    let load = SectionLoad {
        section: Section::Policies,
        hash: HASH.to_owned(),
        loaded: Some(HASH.to_owned()),
        expected: None,
        above: None,
    };
    let groups = [
        json!({"set_group": {
            "group": "night-shift",
            "members": ["mara"],
            "organizations": ["acme"],
            "device_groups": [{"organization": "bolt", "name": "edge"}],
        }}),
        json!({"remove_group": {"group": "night-shift"}}),
        json!({"clear_place": {"place": "acme/berlin", "rule_book": 17}}),
        json!({"add_intelligence": {"id": "TSB-17000", "sha256": HASH, "bytes": 1_204}}),
    ];
    let change = LogLevelChange { old: "info".to_owned(), new: "linesman::lane=debug,info".to_owned() };
    let mut samples = vec![
        Verb::Engine(Engine::RaiseLevel(LevelRaise { level: 2 })),
        Verb::Engine(Engine::SetLogLevel(change)),
        Verb::Engine(Engine::PinUpstream(PinChange {
            url: "https://partner.example".to_owned(),
            old: String::new(),
            new: format!("sha256:{HASH}"),
        })),
        Verb::RuleBook(RuleBook::LoadSection(load.clone())),
    ];
    let others = [Section::Settings, Section::Services, Section::Directory, Section::Installation];
    samples
        .extend(others.map(|section| Verb::RuleBook(RuleBook::LoadSection(SectionLoad { section, ..load.clone() }))));
    samples.extend(groups.map(verb));
    samples
}

fn verb(wire: Value) -> Verb {
    serde_json::from_value(wire).unwrap()
}

/// What organizations are asked of places and people.
fn people_verbs() -> Vec<Verb> {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo";
    let until = "2026-11-21T10:15:00Z";
    let samples = [
        json!({"set_place": {
            "place": "acme/berlin/line-7",
            "display_name": "Berlin, line 7",
            "device": "edge-01",
            "interface": "ge-0/0/1",
            "addresses": ["192.0.2.0/28"],
            "speed": 100_000_000,
        }}),
        json!({"tie_device": {"serial_number": "JN1234567890", "place": "acme/berlin"}}),
        json!({"set_manager": {
            "manager": "ann",
            "sphere": ["acme/berlin"],
            "privileges": ["substitution", "activation"],
            "password": hash,
        }}),
        json!({"set_password": {"manager": "ann", "password": hash}}),
        json!({"issue_token": {
            "manager": "ann",
            "token": "ci",
            "hash": HASH,
            "expires": until,
            "sphere": ["acme/berlin/line-7"],
            "privileges": ["activation"],
        }}),
        json!({"login": {
            "manager": "ann",
            "session": "5e551014",
            "hash": HASH,
            "source": "192.0.2.17",
            "expires": until,
        }}),
        json!({"touch_sessions": {
            "sessions": [{"manager": "ann", "session": "5e551014"}],
            "tokens": [{"manager": "ann", "token": "ci"}],
        }}),
        json!({"logout": {"manager": "ann", "session": "5e551014"}}),
        json!({"revoke_session": {"manager": "ann", "session": "5e551014"}}),
        json!({"login_refused": {"manager": "ann", "count": 12, "sources": ["192.0.2.17"],
            "counting": {"since": 7, "first": until, "last": until}}}),
        json!({"login_locked": {"manager": "ann", "failures": 10, "until": until, "since": 7}}),
        json!({"login_locked": {"failures": 320, "until": until, "unnamed": {"logins": 2, "sources": 3}}}),
        json!({"record_refusals": {"refusals": [{
            "principal": {"kind": "manager", "organization": "acme", "name": "ann"},
            "operation": "tie-device",
            "place": "acme",
            "about": "JN12345678",
            "verdict": "not-found",
            "count": 1,
        }]}}),
        json!({"keep_checkpoint": {
            "size": 17,
            "root": HASH,
            "note": "linesman/18b9f5a2/acme\n17\nFwkHn7vWnQ3mzSxqPDy7wZ4vQGQyCXLWQ6SqOgoyR6s=\nbodies-from 0\n",
        }}),
        json!({"revoke_token": {"manager": "ann", "token": "ci"}}),
        json!({"remove_manager": {"manager": "ann"}}),
        json!({"remove_place": {"place": "acme/berlin/line-7", "cascade": true}}),
    ];
    samples.map(verb).into()
}

fn schedule() -> Value {
    json!({"start": "2026-03-01T22:00:00", "duration_s": 7200, "repeat": "daily", "time_zone": "Europe/Berlin",
        "enabled": "during", "start_by": null, "end_by": "2026-12-31T00:00:00"})
}

/// What organizations are asked of values, services and subscriptions.
fn service_verbs() -> Vec<Verb> {
    let path = json!({"place": "acme/berlin", "name": "scrubbing"});
    let samples = [
        json!({"set_values": {
            "place": "acme/berlin",
            "subscription": "scrubbing",
            "substitutions": ["dept=192.0.2.0/24", "!rate in 1..200m"],
            "unset": ["destination"],
            "keep": true,
        }}),
        json!({"localize_service": {
            "service": "ingress-firewall",
            "substitutions": ["dept:network=", "source=dept"],
            "keep": false,
        }}),
        json!({"set_subscription": {
            "place": "acme/berlin",
            "name": "scrubbing",
            "service": "ingress-firewall",
            "substitutions": ["rate=20m"],
            "active": true,
            "schedule": schedule(),
        }}),
        json!({"activate_subscription": {
            "place": "acme/berlin/line-7",
            "name": "scrubbing",
            "substitutions": ["rate=5m"],
            "schedule": schedule(),
        }}),
        json!({"redeploy_subscription": path}),
        json!({"deactivate_subscription": {
            "place": "acme/berlin/line-7",
            "name": "scrubbing",
            "substitutions": ["rate=5m"],
        }}),
        json!({"rollout_service": {
            "service": "ingress-firewall",
            "version": "0123456789ab",
            "under": "acme",
            "canary": 10,
        }}),
        json!({"rollout_service": {"service": "ingress-firewall", "under": "acme/berlin", "force": true}}),
        json!({"associate_intelligence": {"id": "TSB-17000", "title": "For acme", "text": "Two of your routers."}}),
        json!({"dissociate_intelligence": {"id": "TSB-17001"}}),
        json!({"send_intelligence": {"id": "TSB-17000"}}),
        json!({"recall_intelligence": {"id": "TSB-17000"}}),
        json!({"set_intelligence_state": {"id": "TSB-17000", "state": "in progress", "assignee": "acme/ann"}}),
        json!({"approve_approval": {"approval": "acme-a3", "comment": "agreed with the customer"}}),
        json!({"reject_approval": {"approval": "acme-a4"}}),
        json!({"suspend_subscription": path}),
        json!({"resume_subscription": path}),
        json!({"remove_subscription": path}),
    ];
    samples.map(verb).into()
}

/// Verbs of cases that go through a cascade.
fn cascade_verbs() -> Vec<Verb> {
    let name = || CaseName { incident: incident() };
    let remark = |text: &str, origin| CaseRemark { incident: incident(), text: text.to_owned(), origin };
    let origin = RemarkOrigin {
        id: "0193c5e2-4b1f:note-case-7".to_owned(),
        author: "ann".to_owned(),
        at: time("2026-11-21T10:20:00Z"),
    };
    let report = CaseReport {
        tracking_number: parsed("own-3"),
        priority: Priority::High,
        synopsis: "FRU offline".to_owned(),
        details: Some(details()),
        alias: String::new(),
        trace_route: vec!["0193c5e2-4b1f".to_owned()],
    };
    let wanted = CaseOverride {
        incident: incident(),
        case_id: Some("C-7".to_owned()),
        case_link: Some("https://cases.partner.example/C-7".to_owned()),
        case_status: Some("with engineering".to_owned()),
    };
    let upload = UploadRequest {
        kind: UploadKind::Bundle,
        receipt: Some("T-acme-1".to_owned()),
        device: Some(UploadDevice { serial_number: "JN1234567890".to_owned(), host_name: "edge-01".to_owned() }),
        name: "own-3.xml".to_owned(),
        media_type: Some("application/xml".to_owned()),
        size: 48_213,
        sha256: HASH.to_owned(),
    };
    vec![
        Verb::Case(Case::Report(Box::new(Reported { key: "own-r3-18b9f5a2c3d4e5f6".to_owned(), report }))),
        Verb::Case(Case::Forward(name())),
        Verb::Case(Case::Handle(name())),
        Verb::Case(Case::Override(wanted)),
        Verb::Case(Case::Note(remark("The spare part has arrived.", Some(origin)))),
        Verb::Case(Case::Close(remark("", None))),
        Verb::Case(Case::Reopen(remark("It is down again.", None))),
        Verb::Case(Case::Keep(Box::new(UploadKept { stored: HASH.to_owned(), incident: Some(incident()), upload }))),
    ]
}

/// Whoever asks in the samples.
fn principal() -> Principal {
    Principal::admin()
}

fn asked(verb: Verb) -> Command {
    let id = parsed(&format!("{}-0193c5e2", verb.as_str()));
    Command { id, principal: principal(), node: "linesman-1".to_owned(), verb }
}

pub(crate) fn command(verb: Verb) -> Value {
    json_of(asked(verb))
}

fn attempt(outcome: Outcome) -> Attempt {
    Attempt {
        reaction: parsed("acme-r3-18b9f5a2c3d4e5f6"),
        attempt: 1,
        requests: 2,
        outcome,
        there: None,
        is_withdrawn: false,
        difference: None,
        is_taken_back: false,
        is_unapproved: false,
        change: None,
    }
}

fn standing() -> CaseStanding {
    CaseStanding {
        incident: incident(),
        case_id: "2026-1121-0007".to_owned(),
        status: "Open".to_owned(),
        link: Some("https://support.example/cases/2026-1121-0007".to_owned()),
        updated: time("2026-11-21T10:16:30Z"),
        notes: vec![CaseNote {
            id: "JSS-1".to_owned(),
            author: "support".to_owned(),
            at: time("2026-11-21T10:16:30Z"),
            text: "A spare part is on its way.".to_owned(),
        }],
    }
}

pub(crate) fn attempts() -> Vec<Value> {
    let accepted = Done::CaseAccepted { transaction_id: "T-0001".to_owned(), case: Some(standing()) };
    let failure = Failure {
        class: FailureClass::Overloaded,
        message: "the support system answered 503".to_owned(),
        retry_after_s: Some(30),
        cause: None,
    };
    let uploaded = Done::Uploaded { sha256: HASH.to_owned(), size: 48_213 };
    let difference = Difference {
        text: "[edit groups]\n+  linesman-cap-0123456789ab-line-7 {\n".to_owned(),
        added: 12,
        removed: 0,
        sha256: HASH.to_owned(),
        is_cut: true,
    };
    let unconfirmed = Failure {
        class: FailureClass::Unavailable,
        message: "the change is not confirmed, and the device takes it back".to_owned(),
        retry_after_s: None,
        cause: None,
    };
    let difference = Some(difference);
    let change = Some(AttemptedChange {
        node: "bf23ba22636b1932".to_owned(),
        serial_number: "JN1234567890".to_owned(),
        group: "linesman-drain-line-7".to_owned(),
    });
    let taken_back = Attempt { difference, is_taken_back: true, change, ..attempt(Outcome::Failed(unconfirmed)) };
    [accepted, Done::Delivered, Done::Configured, Done::CaseTold, uploaded]
        .map(Outcome::Done)
        .into_iter()
        .chain([Outcome::Failed(failure)])
        .map(attempt)
        .chain([taken_back])
        .map(|attempt| json_of(Report::Attempt(attempt)))
        .collect()
}

pub(crate) fn case_changed() -> Vec<Value> {
    vec![json_of(Report::CaseChanged(standing()))]
}

/// Every control message: tag and samples.
pub(crate) fn controls() -> Vec<(&'static str, Value)> {
    let polled = Outcome::Done(Done::Polled { cursor: Some("2026-11-21T10:16:30Z".to_owned()) });
    let sections = Section::ALL.map(|section| SectionRef { section, hash: HASH.to_owned() }).into();
    let samples = [
        Control::RuleBook(RuleBookRef { version: 1, hash: HASH.to_owned(), sections }),
        Control::Attempt(Box::new(attempt(polled))),
        Control::Tick,
        Control::Command(Box::new(asked(Verb::Engine(Engine::RaiseLevel(LevelRaise { level: 2 }))))),
        Control::Level(2),
        Control::Continue,
        Control::ContinueAlone,
        Control::Cursor(SourceCursor {
            source: parsed("bulletins"),
            cursor: Some("2026-11-21T10:16:30Z".to_owned()),
            number: 7,
        }),
        Control::Expiry(expiry(Trigger::LicenceExpiring)),
        Control::Intelligence(IntelligenceRef {
            number: 3,
            id: "TSB-17000".to_owned(),
            sha256: HASH.to_owned(),
            bytes: 1_204,
        }),
        Control::Clock(ClockReading { at: parsed("2026-11-21T10:16:30Z"), lane: parsed("2026-11-21T10:16:29Z") }),
        Control::ClockConfirmed(ClockConfirmed {
            time: parsed("2026-11-21T10:16:30Z"),
            by: principal(),
            node: "linesman-1".to_owned(),
        }),
    ];
    let tag = |control: &Control| match control {
        Control::RuleBook(_) => "rule_book",
        Control::Attempt(_) => "attempt",
        Control::Tick => "tick",
        Control::Command(_) => "command",
        Control::Level(_) => "level",
        Control::Continue => "continue",
        Control::ContinueAlone => "continue_alone",
        Control::Cursor(_) => "cursor",
        Control::Expiry(_) => "expiry",
        Control::Intelligence(_) => "intelligence",
        Control::Clock(_) => "clock",
        Control::ClockConfirmed(_) => "clock_confirmed",
    };
    samples.iter().map(|control| (tag(control), json_of(control))).collect()
}

pub(crate) fn trigger(trigger: Trigger) -> Value {
    let kind = format!("linesman.trigger.{trigger}");
    let id = incident();
    let incident = IncidentData {
        id: &id,
        host_event_id: "edge-01-JN1234567890-20261121-101502-17",
        kind: "event",
        device: DeviceData {
            host_name: "edge-01",
            serial_number: "JN1234567890",
            product: "MX240",
            platform: "junos",
            os_version: "21.4R3-S5",
        },
        event_type: "CHASSISD_FRU_OFFLINE_NOTICE",
        priority: Priority::High,
        synopsis: "FRU offline",
        occurred: time("2026-11-21T10:15:02Z"),
        detected: time("2026-11-21T10:15:04.250Z"),
    };
    let relevance = Relevance { products: vec!["MX240".to_owned()], ..Relevance::default() };
    match trigger {
        Trigger::IncidentDetected
        | Trigger::IncidentWithoutAddress
        | Trigger::IncidentSubmitted
        | Trigger::IncidentReported => event(&kind, ORGANIZATION, Some("acme-1"), incident),
        Trigger::CaseAssigned | Trigger::CaseUpdated => {
            let link = Some("https://support.example/cases/2026-1121-0007");
            let case = CaseData { incident, case_id: "2026-1121-0007", case_status: "Open", case_link: link };
            event(&kind, ORGANIZATION, Some("acme-1"), case)
        }
        Trigger::IncidentChanged => {
            let (policy, other) = (parsed("open-case"), parsed("open-case-of-core"));
            let (trigger, changed) = (Some(EVENT), ["case".to_owned()]);
            let map = |state: Value| [("case".to_owned(), state)].into_iter().collect();
            let (old, new) = (&map(Value::Null), &map(json!("waiting")));
            let (used, unused) = (vec!["comments".to_owned()], vec!["synopsis".to_owned()]);
            let joined = &[JoinedData { policy: other, on: Trigger::IncidentDetected, used, unused }];
            let (actor, policy, on) = ("policy open-case", Some(&policy), Some(Trigger::IncidentDetected));
            let data =
                ChangeData { incident, actor, policy, on, trigger, command: None, changed: &changed, old, new, joined };
            event(&kind, ORGANIZATION, Some("acme-1"), data)
        }
        Trigger::CaseWithheld => {
            let policy = parsed("open-case");
            let data = WithheldData { incident, filter_level: FilterLevel::DoNotSend, policy: Some(&policy) };
            event(&kind, ORGANIZATION, Some("acme-1"), data)
        }
        Trigger::IntelligenceReceived => {
            let data = IntelligenceData {
                id: "TSB70123",
                kind: intelligence::Kind::BugNotice,
                title: "Line cards may restart after an upgrade",
                issued: time("2026-11-20T08:00:00Z"),
                relevance: &relevance,
                received: time("2026-11-21T10:15:04.250Z"),
            };
            event(&kind, ORGANIZATION, Some("TSB70123"), data)
        }
        Trigger::IntelligenceMatched | Trigger::EndOfLifeMatched | Trigger::BugNoticeMatched => {
            let message_kind = match trigger {
                Trigger::IntelligenceMatched => intelligence::Kind::Alert,
                Trigger::EndOfLifeMatched => intelligence::Kind::EndOfLife,
                _ => intelligence::Kind::BugNotice,
            };
            let data = MatchData {
                organization: &"acme".parse().unwrap(),
                id: "TSB70123",
                kind: message_kind,
                title: "Line cards may restart after an upgrade",
                count: 1,
                devices: &["JN1234AB5AFC".to_owned()],
                reasons: &["product MX240".to_owned()],
            };
            event(&kind, ORGANIZATION, Some("TSB70123"), data)
        }
        Trigger::BugNoticeArrived => {
            let data = ArrivalData {
                organization: &"acme".parse().unwrap(),
                id: "TSB70123",
                title: "Line cards may restart after an upgrade",
                issued: time("2026-11-20T08:00:00Z"),
            };
            event(&kind, ORGANIZATION, Some("TSB70123"), data)
        }
        Trigger::ExposureNew => {
            let data = ExposureData {
                organization: &"acme".parse().unwrap(),
                id: "TSB70123",
                kind: intelligence::Kind::BugNotice,
                title: "Line cards may restart after an upgrade",
                device: incident.device,
                reasons: &["product MX240".to_owned()],
                further: Some(7),
            };
            event(&kind, ORGANIZATION, Some("TSB70123"), data)
        }
        Trigger::LicenceExpiring
        | Trigger::LicenceExpired
        | Trigger::CertificateExpiring
        | Trigger::CertificateExpired => {
            let expiry = expiry(trigger);
            event(&kind, "/provider", Some(&expiry.id.clone()), expiry)
        }
        Trigger::DeviceSilent => {
            let data = SilenceData { device: incident.device, last_seen: time("2026-11-07T10:00:00Z") };
            event(&kind, ORGANIZATION, Some("JN1234567890"), data)
        }
        Trigger::DeviceStateChanged => event(&kind, ORGANIZATION, Some("edge-1"), devices::state_changed()),
        Trigger::CollectionSwitched => {
            let (name, last_snapshot) = ("edge-1", time("2026-11-07T10:00:00Z"));
            event(&kind, ORGANIZATION, Some(name), SwitchData { name, device: incident.device, last_snapshot })
        }
        Trigger::ConfigurationDrifted => devices::drifted(|data| event(&kind, ORGANIZATION, Some("edge-1"), data)),
        Trigger::ConfigurationHeld => devices::held(|data| event(&kind, ORGANIZATION, Some("edge-1"), data)),
        Trigger::ContractExpiring => {
            let data = ContractData {
                agreement_number: "A-17",
                status: "Active",
                sku: "SVC-COR-MX240",
                sku_type: "Core",
                start: "2026-01-01",
                end: "2026-12-31",
                has_ended: false,
                serial_number: "SN1234",
                part_number: "750-047853",
                host_name: "edge-1",
            };
            event(&kind, ORGANIZATION, Some("A-17 SN1234 SVC-COR-MX240"), data)
        }
        Trigger::QuotaNearing | Trigger::QuotaExhausted => {
            let organization = &parsed("acme");
            let used = if trigger == Trigger::QuotaNearing { 800_000 } else { 1_000_000 };
            let data = QuotaData { organization, kind: QuotaKind::Messages, used, most: 1_000_000, day: "2026-11-21" };
            event(&kind, ORGANIZATION, Some("messages"), data)
        }
        Trigger::ApprovalRequired => approval_required(false),
        Trigger::Audit(operation) => unreachable!("`{operation}` has the channels of the audit"),
    }
}

/// Something awaits approval: the provider's, or an organization's own.
pub(crate) fn approval_required(is_providers: bool) -> Value {
    let id = ApprovalId::new("acme".parse().unwrap(), is_providers, 3);
    let (source, kind, about) = match is_providers {
        true => ("/provider", ApprovalKind::SendIntelligence, "TSB70123"),
        false => (ORGANIZATION, ApprovalKind::ForwardCase, "acme-1"),
    };
    let reasons = ["settings".to_owned(), "policy acme/forward".to_owned()];
    let data = ApprovalData {
        id: &id,
        kind,
        operation: kind.as_str(),
        about,
        place: "acme",
        actor: "ann",
        reasons: if is_providers { &reasons[..1] } else { &reasons },
        two_person: true,
        sha256: HASH,
        asked: time("2026-11-21T10:15:04.250Z"),
        due: time("2026-11-24T10:15:04.250Z"),
        on_timeout: OnTimeout::Reject,
    };
    event("linesman.trigger.approval.required", source, Some(&id.to_string()), data)
}

fn expiry(trigger: Trigger) -> Expiry {
    let (kind, has_ended) = match trigger {
        Trigger::LicenceExpiring => (Expiring::Licence, false),
        Trigger::LicenceExpired => (Expiring::Licence, true),
        Trigger::CertificateExpiring => (Expiring::Upstream, false),
        _ => (Expiring::Listener, true),
    };
    let id = match kind {
        Expiring::Licence => "0190b7c2-5e0d-7cc3-98c4-dc0c0c07398f".to_owned(),
        Expiring::Upstream | Expiring::Listener => format!("sha256:{HASH}"),
    };
    Expiry { kind, id, ends: time("2026-12-21T00:00:00Z"), has_ended }
}

pub(crate) fn refused_policy() -> Vec<Value> {
    let refused = RefusedPolicy {
        path: "acme/night-shift.rhai".to_owned(),
        owner: Some(parsed("acme")),
        hash: HASH.to_owned(),
        line: 3,
        column: 12,
        message: "unknown function `asign`".to_owned(),
        help: Some("did you mean `assign`?".to_owned()),
        stays: Some(parsed("acme/night-shift")),
    };
    vec![event("linesman.trigger.policy.refused", ORGANIZATION, Some("acme/night-shift.rhai"), refused)]
}

fn reaction(name: &str, incident: Option<&IncidentId>, action: &Value) -> Value {
    let (id, policy) = (parsed("acme-r3-18b9f5a2c3d4e5f6"), parsed("open-case"));
    let (policy, trigger, activation) = match name {
        "device" => (None, None, Some("scrubbing-0123456789ab")),
        _ => (Some(&policy), Some(EVENT), None),
    };
    let data = Reaction { id: &id, policy, trigger, command: None, activation, incident, action };
    let about = incident.map(ToString::to_string);
    event(&format!("linesman.reaction.{name}"), ORGANIZATION, about.as_deref(), data)
}

fn details() -> CaseDetails {
    CaseDetails {
        host_event_id: "edge-01-JN1234567890-20261121-101502-17".to_owned(),
        host_name: "edge-01".to_owned(),
        serial_number: "JN1234567890".to_owned(),
        product: "MX240".to_owned(),
        platform: "junos".to_owned(),
        os_version: "21.4R3-S5".to_owned(),
        event_type: "CHASSISD_FRU_OFFLINE_NOTICE".to_owned(),
        description: "The FRU in slot 2 went offline.".to_owned(),
        comments: String::new(),
        cc: Vec::new(),
        follow_up: FollowUp::default(),
        reference: "CHG-4711".to_owned(),
    }
}

/// What an upstream is asked that knows of cases.
pub(crate) fn cases(connector: &str) -> Vec<Value> {
    let all = submit_case().into_iter().chain(tell_case()).chain(upload());
    all.map(|action| reaction(connector, Some(&incident()), &json_of(action))).collect()
}

fn submit_case() -> Vec<Action> {
    let request = |synopsis: &str, details| CaseRequest {
        incident: incident(),
        priority: Priority::High,
        synopsis: synopsis.to_owned(),
        details,
        alias: String::new(),
        address: String::new(),
        trace_route: Vec::new(),
    };
    let reported = CaseRequest {
        alias: "ACME".to_owned(),
        address: "Acme Corporation, 1 Main Street, Springfield".to_owned(),
        trace_route: vec!["0193c5e2-4b1f".to_owned(), "0193c5e2-9d03".to_owned()],
        ..request("FRU offline", Some(details()))
    };
    [request("FRU offline", Some(details())), request(linesman_schemas::reaction::WITHHELD, None), reported]
        .map(|request| Action::SubmitCase(Box::new(request)))
        .into()
}

fn tell_case() -> Vec<Action> {
    let note = CaseNote {
        id: "0193c5e2-9d03:note-case-7".to_owned(),
        author: "ann".to_owned(),
        at: time("2026-11-21T10:20:00Z"),
        text: "The spare part has arrived.".to_owned(),
    };
    [CaseStep::Note(note.clone()), CaseStep::Close(note.clone()), CaseStep::Reopen(note)]
        .map(|step| CaseTelling { incident: incident(), transaction_id: "T-0001".to_owned(), step })
        .map(|telling| Action::TellCase(Box::new(telling)))
        .into()
}

fn upload() -> Vec<Action> {
    let device = || Some(UploadDevice { serial_number: "JN1234567890".to_owned(), host_name: "edge-01".to_owned() });
    let bundle = BundleBytes { sequence: 17, length: 48_213, sha256: HASH.to_owned(), start: 0, end: 48_213 };
    let object = UploadSource::Object { sha256: HASH.to_owned(), size: 734_003 };
    let bundle = Upload {
        kind: UploadKind::Bundle,
        case: "2026-1121-0007".to_owned(),
        name: "acme-1.xml".to_owned(),
        media_type: Some("application/xml".to_owned()),
        device: device(),
        filter_level: FilterLevel::All,
        without: vec![BundlePart::CoreFiles],
        source: UploadSource::Input(bundle),
    };
    let (kind, name) = (UploadKind::Attachment, "core-17.tgz".to_owned());
    let attachment =
        Upload { kind, name, media_type: None, device: None, without: Vec::new(), source: object, ..bundle.clone() };
    let (kind, name) = (UploadKind::Snapshot, "snapshot-JN1234567890.xml".to_owned());
    let snapshot = Upload { kind, name, case: String::new(), without: Vec::new(), ..bundle.clone() };
    [bundle, attachment, snapshot].map(|upload| Action::Upload(Box::new(upload))).into()
}

pub(crate) fn configure() -> Vec<Value> {
    let device = |host_name: Option<&str>| Device {
        organization: parsed("acme"),
        serial_number: "JN1234567890".to_owned(),
        host_name: host_name.map(str::to_owned),
    };
    let put = GroupChange::Put { text: "interfaces {\n    ge-0/0/1 {\n        disable;\n    }\n}\n".to_owned() };
    let approved = Some(Approved { sha256: Some(HASH.to_owned()) });
    [(device(Some("edge-01")), put, approved), (device(None), GroupChange::Remove, None)]
        .map(|(device, change, approved)| Configure {
            device,
            group: "linesman-drain-line-7".to_owned(),
            change,
            approved,
            is_restore: false,
        })
        .map(|configure| reaction("device", None, &json_of(Action::Configure(Box::new(configure)))))
        .into()
}

pub(crate) fn log_line() -> Vec<Value> {
    let action = json!({"log": {
        "message": "bug notice", "fields": {"title": "Line cards may restart after an upgrade"},
    }});
    vec![reaction("log", None, &json_of(serde_json::from_value::<Action>(action).unwrap()))]
}

pub(crate) fn published() -> Vec<Value> {
    vec![reaction("ticket", Some(&incident()), &json!({"incident": "acme-1", "queue": "noc"}))]
}

pub(crate) fn audit(verb: &Verb, source: &str) -> Value {
    let audit = Audit {
        command: parsed(&format!("{}-0193c5e2", verb.as_str())),
        actor: principal().to_string(),
        principal: Some(principal()),
        node: "linesman-1".to_owned(),
        verdict: Verdict::Done,
        outcome: "changed".to_owned(),
        old: Value::Null,
        new: Value::Null,
        index: Some(17),
        place: Some("acme".to_owned()),
        chain: vec!["admin".to_owned()],
    };
    event(&format!("linesman.audit.{}", verb.as_str()), source, None, audit)
}

pub(crate) fn checkpoint(source: &str) -> Value {
    let kept = verbs().into_iter().find_map(|verb| match verb {
        Verb::Audit(AuditVerb::Keep(kept)) => Some(kept),
        _ => None,
    });
    event("linesman.audit.checkpoint", source, None, kept.unwrap())
}

pub(crate) fn lane_sealed() -> Vec<Value> {
    let why = "the state is ahead of the mark: OUT has lost its tail".to_owned();
    let sealed = LaneSealed { lane: 2, why, position: 4711, owner: "linesman-1".to_owned() };
    vec![event("linesman.audit.lane-sealed", "/provider", None, sealed)]
}

pub(crate) fn dead_letters() -> Vec<Value> {
    let letter = |reason, detail: &str| DeadLetter {
        reason,
        detail: detail.to_owned(),
        place: None,
        sequence: 17,
        subject: "in.acme.jmb".to_owned(),
        policy: None,
        reaction: None,
        length: 5,
        bytes: Some("PGptYi8=".to_owned()),
        counted: None,
    };
    let undecodable = DeadLetter {
        place: Some(LineColumn { line: 1, column: 7 }),
        ..letter(Reason::BundleUndecodable, "no-manifest: there is no `manifest`")
    };
    let policy = FailedPolicy {
        name: parsed("open-case"),
        version: HASH.to_owned(),
        on: Trigger::IncidentDetected,
        trigger: EVENT.to_owned(),
        about: "acme-1".to_owned(),
    };
    let failed = DeadLetter {
        place: Some(LineColumn { line: 3, column: 5 }),
        subject: String::new(),
        policy: Some(policy),
        length: 0,
        bytes: None,
        ..letter(Reason::PolicyFailed, "operations: the policy takes too long")
    };
    let refused = DeadLetter {
        subject: "out.acme.reaction.jss".to_owned(),
        reaction: Some("acme-r3-18b9f5a2c3d4e5f6".to_owned()),
        length: 0,
        bytes: None,
        ..letter(Reason::ReactionFailed, "attempt 1: refused: the support system knows no such device")
    };
    let counted = DeadLetter {
        subject: "in.acme".to_owned(),
        length: 0,
        bytes: None,
        counted: Some(Counted { day: "2026-11-21".to_owned(), messages: 1_200, bytes: 2_457_600, last: 4_711 }),
        ..letter(Reason::OverQuota, "1200 messages of 2457600 bytes came beyond the quota of 2026-11-21")
    };
    let dead =
        |letter: DeadLetter| event(&format!("linesman.dead.{}", letter.reason.as_str()), ORGANIZATION, None, letter);
    [undecodable, failed, refused, counted].map(dead).into()
}

pub(crate) fn mark() -> Vec<Value> {
    vec![json_of(Mark {
        position: 4711,
        message: HASH.to_owned(),
        digest: HASH.to_owned(),
        now: time("2026-11-21T10:15:04.250Z"),
        stream: "2026-11-01T00:00:00.000000001Z".to_owned(),
        level: 1,
        owner: "linesman-1".to_owned(),
    })]
}

pub(crate) fn overrides() -> Vec<Value> {
    let wrote = |what, by, why: &str| {
        json_of(Override {
            lane: 2,
            position: 4711,
            message: HASH.to_owned(),
            what,
            by,
            node: "linesman-1".to_owned(),
            at: time("2026-11-21T10:15:04.250Z"),
            why: why.to_owned(),
        })
    };
    vec![
        wrote(Overridden::SkipInput, principal(), "no release reads it"),
        wrote(
            Overridden::SkipTimer { timer: "quota acme due 2026-11-21T00:00:00Z".to_owned() },
            principal(),
            "no release can do it",
        ),
        wrote(Overridden::SetPolicyAside { policy: parsed("open-case") }, Principal::Machine, "a run took too long"),
        wrote(
            Overridden::SuspendPolicy { policy: parsed("open-case"), version: HASH.to_owned() },
            Principal::Machine,
            "runs of it took too long again and again",
        ),
        wrote(
            Overridden::AcceptDecision { expected: HASH.to_owned(), found: HASH.to_owned() },
            principal(),
            "the events are those that were said",
        ),
    ]
}
