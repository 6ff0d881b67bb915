//! Everything that travels: which message stands on which subject, its schema and its examples.

use std::collections::BTreeSet;

use linesman_schemas::approval::ApprovalData;
use linesman_schemas::audit::{Audit, LaneSealed};
use linesman_schemas::command::{CheckpointKept, Command, Session, Verb};
use linesman_schemas::control::{Control, RefusedPolicy};
use linesman_schemas::dead_letter::{DeadLetter, Reason};
use linesman_schemas::intelligence::{self, Intelligence};
use linesman_schemas::lane_override::Override;
use linesman_schemas::mark::Mark;
use linesman_schemas::outcome::Report;
use linesman_schemas::reaction::{Action, Reaction};
use linesman_schemas::trigger::{
    ArrivalData, CaseData, ChangeData, ContractData, DriftData, Expiry, ExposureData, HeldData, IncidentData,
    IntelligenceData, MatchData, ReachedData, SilenceData, SwitchData, Trigger, WithheldData,
};
use linesman_schemas::{QuotaData, bundle, event};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::payload::{events, narrow, narrow_to, read, written};
use crate::{devices, samples, scripts};

/// What a message is in: decides headers, content type and who may send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A bundle, in XML.
    Bundle,
    /// JSON that publishers send.
    Public,
    /// JSON that whoever has the engine's login sends.
    Asked,
    /// JSON that the engine sends itself.
    Own,
    /// CloudEvents that the engine writes.
    Events,
    /// An override.
    Override,
    /// The mark.
    Mark,
}

/// One kind of message.
pub(crate) struct Message {
    /// Its name, and that of its schema's file.
    pub(crate) name: String,
    /// Its name for people.
    pub(crate) title: String,
    /// What it says.
    pub(crate) summary: String,
    pub(crate) form: Form,
    /// Its schema without id, title, description and examples; none for a bundle.
    pub(crate) schema: Option<Value>,
    pub(crate) examples: Vec<Value>,
    /// Reads an example as its reader does.
    pub(crate) read: fn(&[u8]) -> Result<(), String>,
}

/// The subject of messages.
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) summary: &'static str,
    /// The values of a parameter that has only some.
    pub(crate) values: Vec<(&'static str, Vec<String>)>,
    pub(crate) messages: Vec<Message>,
}

fn json<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<(), String> {
    serde_json::from_slice::<T>(bytes).map(drop).map_err(|error| error.to_string())
}

/// Reads a message of OUT and the data of its events.
fn events_of<D: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<(), String> {
    let events = event::read(bytes).map_err(|error| error.to_string())?;
    events
        .into_iter()
        .try_for_each(|event| serde_json::from_value::<D>(event.data).map(drop).map_err(|error| error.to_string()))
}

/// What upstreams are asked that knows of cases.
const CASES: [&str; 3] = ["submit_case", "tell_case", "upload"];

/// All channels, in the order of the document.
pub(crate) fn channels() -> Vec<Channel> {
    let mut channels = vec![bundles(), intelligence_messages(), commands(), results(), controls()];
    channels.extend(Trigger::TOLD.into_iter().map(trigger));
    // Of the provider's messages, in a mode that has proxy organizations, and of approvals that they are sent.
    let is_told = |trigger: &Trigger| trigger.is_of_messages() || *trigger == Trigger::ApprovalRequired;
    let of_messages = Trigger::TOLD.into_iter().filter(is_told);
    channels.extend(of_messages.map(|told| of_provider(trigger(told))));
    channels.extend(refused_policies());
    channels.extend([
        reaction("jss", "The support system is to know of a case.", &CASES, samples::cases("jss")),
        reaction("partner", "A partner's controller is to know of a case.", &CASES, samples::cases("partner")),
        reaction("device", "A configuration group of a device is to change.", &["configure"], samples::configure()),
        reaction("log", "A line is to be written to the operator's log.", &["log"], samples::log_line()),
        reaction("{name}", "What a policy publishes under a name of its own.", &[], samples::published()),
    ]);
    // What policies of everyone's decide on the provider's own triggers.
    channels.extend([
        of_provider(reaction("log", "A line is to be written to the operator's log.", &["log"], samples::log_line())),
        of_provider(reaction("{name}", "What a policy publishes under a name of its own.", &[], samples::published())),
    ]);
    channels.extend(audits());
    channels.extend(checkpoints());
    channels.push(seals());
    channels.extend(dead_letters());
    channels.push(overrides());
    channels.push(marks());
    channels
}

fn channel(name: &str, address: &str, summary: &'static str, messages: Vec<Message>) -> Channel {
    Channel { name: name.to_owned(), address: address.to_owned(), summary, values: Vec::new(), messages }
}

fn bundles() -> Channel {
    let message = Message {
        name: "bundle".to_owned(),
        title: "Message bundle".to_owned(),
        summary: "A message bundle (JMB) in XML, UTF-8, as `schemas/jmb.xsd` has it. Read with tolerance: any \
                  namespace, any order, unknown elements, old encodings."
            .to_owned(),
        form: Form::Bundle,
        schema: None,
        examples: vec![Value::String(
            bundle::corpus::specimens()
                .into_iter()
                .next()
                .and_then(|first| String::from_utf8(first.bytes).ok())
                .unwrap(),
        )],
        read: |bytes| bundle::decode(bytes).map(drop).map_err(|error| error.to_string()),
    };
    channel("bundles", "in.{organization}.jmb.{source}", "Message bundles of devices.", vec![message])
}

fn intelligence_messages() -> Channel {
    let mut schema = read::<Intelligence>();
    for (field, most) in [("id", 256), ("title", 1024)] {
        schema["properties"][field]["minLength"] = json!(1);
        schema["properties"][field]["maxLength"] = json!(most);
    }
    for place in [
        "/properties/links",
        "/$defs/Relevance/properties/serial_numbers",
        "/$defs/Relevance/properties/products",
        "/$defs/Relevance/properties/platforms",
        "/$defs/Relevance/properties/os_versions",
    ] {
        schema.pointer_mut(place).unwrap()["maxItems"] = json!(10_000);
    }
    let message = Message {
        name: "intelligence".to_owned(),
        title: "Intelligence message".to_owned(),
        summary: "What the support system tells customers. The same id again replaces the message; unknown fields are \
                  ignored. Lengths are counted in bytes."
            .to_owned(),
        form: Form::Public,
        schema: Some(schema),
        examples: samples::intelligence(),
        read: |bytes| intelligence::decode(bytes).map(drop).map_err(|error| error.to_string()),
    };
    channel("intelligence", "in.{organization}.intel.{source}", "Intelligence messages.", vec![message])
}

/// A message of the engine's own, one alternative of `T`.
fn own<T>(name: String, title: String, summary: String, schema: Value, examples: Vec<Value>) -> Message
where
    T: for<'de> Deserialize<'de>,
{
    Message { name, title, summary, form: Form::Own, schema: Some(schema), examples, read: json::<T> }
}

/// The description of the alternative that `narrow` has left.
fn said(schema: &Value, pointer: &str) -> String {
    schema.pointer(pointer).and_then(|place| place["description"].as_str()).unwrap_or_default().to_owned()
}

fn commands() -> Channel {
    let messages = samples::verbs().into_iter().map(|verb| {
        let token = verb.as_str();
        let schema = narrow(read::<Command>(), "Verb", &token.replace('-', "_"));
        let summary = said(&schema, "/$defs/Verb");
        let (name, title) = (format!("command.{token}"), format!("Command {token}"));
        let message = own::<Command>(name, title, summary, schema, vec![samples::command(verb)]);
        Message { form: Form::Asked, ..message }
    });
    let messages = messages.collect();
    let verbs = samples::verbs().iter().map(|verb| verb.as_str().to_owned()).collect();
    Channel {
        values: vec![("verb", verbs)],
        ..channel("commands", "in.{organization}.cmd.{verb}", "What people and programs ask for.", messages)
    }
}

fn results() -> Channel {
    let report = |tag: &str, examples| {
        let schema = narrow(written::<Report>(), "", tag);
        let (name, summary) = (tag.replace('_', "-"), said(&schema, ""));
        own::<Report>(format!("result.{name}"), format!("Result {name}"), summary, schema, examples)
    };
    let messages = vec![
        report("attempt", samples::attempts()),
        report("case_changed", samples::case_changed()),
        report("device_stands", devices::stands()),
        report("jmb_set_aside", devices::jmb_set_aside()),
        report("jmb_error_ended", devices::jmb_error_ended()),
        report("gathering_stands", devices::gathering_stands()),
        report("bundle_kept", devices::bundle_kept()),
        report("files_named", devices::files_named()),
        report("file_tried", devices::file_tried()),
        report("scripts_stand", scripts::stand()),
        report("group_read", devices::group_read()),
    ];
    Channel {
        values: vec![("connector", ["jss", "partner", "device", "log"].map(str::to_owned).into())],
        ..channel("results", "in.{organization}.result.{connector}", "What became of reactions.", messages)
    }
}

fn controls() -> Channel {
    let messages = samples::controls().into_iter().map(|(tag, sample)| {
        let schema = narrow(written::<Control>(), "", tag);
        let (name, summary) = (tag.replace('_', "-"), said(&schema, ""));
        own::<Control>(format!("control.{name}"), format!("Control {name}"), summary, schema, vec![sample])
    });
    channel("control", "p.{lane}.ctl", "What concerns a whole lane.", messages.collect())
}

/// A channel of OUT with one kind of message.
fn out<D: for<'de> Deserialize<'de>>(
    name: &str,
    address: &str,
    summary: &'static str,
    schema: Value,
    examples: Vec<Value>,
) -> Channel {
    let message = Message {
        name: name.to_owned(),
        title: name
            .split_once('.')
            .map_or_else(|| capital(&name.replace('-', " ")), |(kind, rest)| format!("{} {rest}", capital(kind))),
        summary: summary.to_owned(),
        form: Form::Events,
        schema: Some(schema),
        examples,
        read: events_of::<D>,
    };
    channel(name, address, summary, vec![message])
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn trigger(trigger: Trigger) -> Channel {
    fn of<D: JsonSchema + 'static>(trigger: Trigger, summary: &'static str) -> Channel {
        let schema = events::<D>(&[format!("linesman.trigger.{trigger}")]);
        let whose = if trigger.is_of_provider() { "_provider" } else { "{organization}" };
        let address = format!("out.{whose}.trigger.{trigger}");
        let providers = (trigger == Trigger::ApprovalRequired).then(|| samples::approval_required(true));
        let examples = [samples::trigger(trigger)].into_iter().chain(providers).collect();
        out::<Value>(&format!("trigger.{trigger}"), &address, summary, schema, examples)
    }
    // A new trigger belongs here, with the type of its data.
    match trigger {
        Trigger::IncidentDetected => of::<IncidentData<'_>>(trigger, "A problem bundle was seen for the first time."),
        Trigger::IncidentSubmitted => of::<IncidentData<'_>>(trigger, "The upstream has accepted the incident."),
        Trigger::IncidentChanged => {
            of::<ChangeData<'_>>(trigger, "An incident or its case was changed, by whom or what it may be.")
        }
        Trigger::CaseAssigned => of::<CaseData<'_>>(trigger, "The case id is known for the first time."),
        Trigger::CaseUpdated => of::<CaseData<'_>>(trigger, "A case changed upstream after its id was known."),
        Trigger::CaseWithheld => of::<WithheldData<'_>>(trigger, "The filter level lets nothing of a case out."),
        Trigger::IncidentReported => of::<IncidentData<'_>>(trigger, "An end customer has reported a case."),
        Trigger::IntelligenceReceived => of::<IntelligenceData<'_>>(trigger, "An intelligence message arrived."),
        Trigger::IntelligenceMatched => of::<MatchData<'_>>(trigger, "A message concerns devices of an organization."),
        Trigger::EndOfLifeMatched => {
            of::<MatchData<'_>>(trigger, "An end-of-life notice concerns devices of an organization.")
        }
        Trigger::BugNoticeArrived => of::<ArrivalData<'_>>(trigger, "A bug notice arrived, whomever it concerns."),
        Trigger::BugNoticeMatched => of::<MatchData<'_>>(trigger, "A bug notice concerns devices of an organization."),
        Trigger::ExposureNew => {
            of::<ExposureData<'_>>(trigger, "A message concerns a device that is new, or has changed.")
        }
        Trigger::LicenceExpiring => of::<Expiry>(trigger, "The installation's licence ends within 30 days."),
        Trigger::LicenceExpired => of::<Expiry>(trigger, "The installation's licence has ended."),
        Trigger::CertificateExpiring => {
            of::<Expiry>(trigger, "A certificate between partner and end customer ends within 30 days.")
        }
        Trigger::CertificateExpired => {
            of::<Expiry>(trigger, "A certificate between partner and end customer has ended.")
        }
        Trigger::ApprovalRequired => {
            of::<ApprovalData<'_>>(trigger, "Something is done only once somebody approves it.")
        }
        Trigger::IncidentWithoutAddress => of::<IncidentData<'_>>(
            trigger,
            "Nobody has said where spare parts go for the device of a new incident, and its organization keeps addresses.",
        ),
        Trigger::DeviceStateChanged => {
            of::<ReachedData<'_>>(trigger, "A device that is reached stands otherwise than before.")
        }
        Trigger::CollectionSwitched => of::<SwitchData<'_>>(
            trigger,
            "A device makes no snapshots of its own any more, and they are gathered from it instead.",
        ),
        Trigger::ConfigurationDrifted => {
            of::<DriftData<'_>>(trigger, "A device has a configuration group otherwise than it was told.")
        }
        Trigger::ConfigurationHeld => of::<HeldData<'_>>(
            trigger,
            "The rest of a change of many devices is held: too many have failed, or one has taken its change back.",
        ),
        Trigger::DeviceSilent => of::<SilenceData<'_>>(trigger, "A device has sent nothing for two weeks."),
        Trigger::ContractExpiring => {
            of::<ContractData<'_>>(trigger, "A service contract ends within 30 days, or has ended.")
        }
        Trigger::QuotaNearing => of::<QuotaData<'_>>(trigger, "Of a quota of an organization's four fifths are used."),
        Trigger::QuotaExhausted => of::<QuotaData<'_>>(trigger, "A quota of an organization's is used up."),
        Trigger::Audit(operation) => unreachable!("`{operation}` has the channels of the audit"),
    }
}

/// The trigger that no policy reacts to: an organization's own policies, and everyone's.
fn refused_policies() -> [Channel; 2] {
    let channel = |name: &str, whose: &str, summary| Channel {
        name: name.to_owned(),
        summary,
        ..out::<RefusedPolicy>(
            "trigger.policy.refused",
            &format!("out.{whose}.trigger.policy.refused"),
            "A policy file cannot be loaded: one of the organization, or of everyone's.",
            events::<RefusedPolicy>(&["linesman.trigger.policy.refused".to_owned()]),
            samples::refused_policy(),
        )
    };
    [
        channel("trigger.policy.refused", "{organization}", "A policy file of the organization cannot be loaded."),
        channel("trigger.policy.refused.provider", "_provider", "A policy file of everyone's cannot be loaded."),
    ]
}

/// Reactions; `tag` is the action that stands in them, without one an object that policies fill.
fn reaction(name: &str, summary: &'static str, tags: &[&str], examples: Vec<Value>) -> Channel {
    /// What a reaction with an action of the engine's own is read as.
    #[derive(Deserialize)]
    struct Said {
        #[expect(dead_code, reason = "it is only read")]
        action: Action,
    }
    let is_own = !tags.is_empty();
    let kind = if is_own { vec![format!("linesman.reaction.{name}")] } else { Vec::new() };
    let mut schema = events::<Reaction<'_>>(&kind);
    let data = &mut schema["$defs"]["Reaction"]["properties"];
    match tags {
        [_, ..] => {
            let mut action = narrow_to(written::<Action>(), tags);
            let definitions = action["$defs"].as_object().cloned().unwrap_or_default();
            for key in ["$defs", "$schema", "title"] {
                crate::payload::take(&mut action, key);
            }
            data["action"] = action;
            schema["$defs"].as_object_mut().unwrap().extend(definitions);
        }
        [] => {
            data["action"] = json!({"description": "What the policy publishes.", "type": "object"});
            schema["$defs"]["Event"]["properties"]["type"] = json!({
                "description": "What kind of event.",
                "type": "string",
                "pattern": "^linesman\\.reaction\\.(?!(jss|partner|device|log)$)[A-Za-z0-9_-]+$",
            });
        }
    }
    let id = if is_own { format!("reaction.{name}") } else { "reaction.published".to_owned() };
    let address = format!("out.{{organization}}.reaction.{name}");
    let mut channel = out::<Value>(&id, &address, summary, schema, examples);
    if is_own {
        for message in &mut channel.messages {
            message.read = events_of::<Said>;
        }
    }
    channel
}

/// The same, of the provider's own.
fn of_provider(channel: Channel) -> Channel {
    let (name, address) =
        (format!("{}.provider", channel.name), channel.address.replace("{organization}", "_provider"));
    Channel { name, address, ..channel }
}

/// As what audits of verbs are said: by the operation that the record has, and of sections of the rule book before engine
/// level 5 by the verb's token.
fn said_as(verbs: &[Verb]) -> Vec<String> {
    let words = verbs.iter().map(Verb::operation).chain(verbs.iter().map(Verb::as_str));
    let mut known = BTreeSet::new();
    words.filter(|word| known.insert(*word)).map(str::to_owned).collect()
}

/// As what it is said that a section of the rule book counts from there on, and what that changed.
const TAKEN_UP: [&str; 4] = ["take-up-installation", "take-up-policies", "take-up-services", "take-up-settings"];

/// As what it is said what becomes of devices that are configured: that one has changed, or not, that what it has otherwise
/// counts, that the rest of a change of many is held, and what became of the scripts of one.
const OF_DEVICES: [&str; 4] = ["accept-drift", "change-scripts", "configure-device", "hold-configuration"];

/// As what it is said that something was decided of an input outside the order of its lane.
const OVERRIDDEN: [&str; 5] = ["skip-input", "skip-timer", "set-policy-aside", "suspend-policy", "rejudge-lane"];

/// As what it is said that somebody has confirmed what time it is.
const CLOCK_CONFIRMED: &str = "confirm-clock";

/// What became of commands: of an organization, and of the provider or an organization that does not exist.
fn audits() -> [Channel; 2] {
    let is_said = |verb: &Verb| !matches!(verb, Verb::Session(Session::Touch(_)));
    let own: Vec<Verb> = samples::verbs().into_iter().filter(is_said).collect();
    // What is done with the provider's messages is told to the provider alone.
    let told: Vec<Verb> = own.iter().filter(|verb| !matches!(verb, Verb::Sending(_))).cloned().collect();
    let verbs: Vec<Verb> = own.iter().cloned().chain(samples::provider_verbs()).collect();
    let recorded = TAKEN_UP.into_iter().chain(OVERRIDDEN).chain([CLOCK_CONFIRMED]).map(str::to_owned);
    let of_provider: Vec<String> = said_as(&verbs).into_iter().chain(recorded).collect();
    let own = said_as(&told).into_iter().chain(OF_DEVICES.map(str::to_owned)).collect();
    let words = of_provider.iter().map(String::as_str).chain(OF_DEVICES);
    let kinds: Vec<String> = words.map(|word| format!("linesman.audit.{word}")).collect();
    let summary = "What became of a command, and what it changed.";
    let channel = |name: &str, whose: &str, said_as: Vec<String>| Channel {
        name: name.to_owned(),
        values: vec![("operation", said_as)],
        ..out::<Audit>(
            "audit.command",
            &format!("out.{whose}.audit.{{operation}}"),
            summary,
            events::<Audit>(&kinds),
            vec![samples::audit(&samples::verbs()[0], samples::ORGANIZATION)],
        )
    };
    [
        // Also that the engine holds what was asked for by one.
        channel("audit.command", "{organization}", own),
        // Also of an organization that does not exist, and of what a load changed once it counts.
        channel("audit.command.provider", "_provider", of_provider),
    ]
}

/// What was kept of the audit's logs.
fn checkpoints() -> [Channel; 2] {
    let summary = "How far a log of the audit has grown, signed.";
    let channel = |name: &str, whose: &str, source: &str| {
        let schema = events::<CheckpointKept>(&["linesman.audit.checkpoint".to_owned()]);
        let address = format!("out.{whose}.audit.checkpoint");
        out::<CheckpointKept>(name, &address, summary, schema, vec![samples::checkpoint(source)])
    };
    [
        channel("audit.checkpoint", "{organization}", samples::ORGANIZATION),
        channel("audit.checkpoint.provider", "_provider", "/provider"),
    ]
}

fn seals() -> Channel {
    let schema = events::<LaneSealed>(&["linesman.audit.lane-sealed".to_owned()]);
    let summary = "The log has lost something that it had acknowledged.";
    let address = "out._provider.audit.lane-sealed";
    out::<LaneSealed>("audit.lane-sealed", address, summary, schema, samples::lane_sealed())
}

fn dead_letters() -> [Channel; 3] {
    let kinds: Vec<String> = Reason::ALL.iter().map(|reason| format!("linesman.dead.{}", reason.as_str())).collect();
    let channel = |name: &str, whose: &str, summary, reasons: Vec<Reason>| Channel {
        name: name.to_owned(),
        summary,
        values: vec![("reason", reasons.iter().map(|reason| reason.as_str().to_owned()).collect())],
        ..out::<DeadLetter>(
            "dead-letter",
            &format!("out.{whose}.dead.{{reason}}"),
            "Something was set aside: an input, what a policy failed on, or a reaction that was given up; why, and what it was.",
            events::<DeadLetter>(&kinds),
            samples::dead_letters(),
        )
    };
    let of_nobody = [Reason::UnknownOrganization, Reason::UnknownSubject];
    let of_organizations = Reason::ALL.into_iter().filter(|reason| !of_nobody.contains(reason)).collect();
    [
        channel("dead", "{organization}", "Inputs and reactions that were set aside.", of_organizations),
        channel(
            "dead.unknown",
            "_unknown",
            "Inputs of organizations that nobody knows, and those whose subject leads to no lane.",
            of_nobody.into_iter().chain([Reason::InputSkipped]).collect(),
        ),
        channel(
            "dead.provider",
            "_provider",
            "Control messages that were set aside, and what the provider's own policies and reactions failed on.",
            vec![Reason::CommandUndecodable, Reason::InputSkipped, Reason::PolicyFailed, Reason::ReactionFailed],
        ),
    ]
}

fn overrides() -> Channel {
    let message = Message {
        name: "override".to_owned(),
        title: "Override".to_owned(),
        summary: "What was decided of an input outside the order of its lane; it stays.".to_owned(),
        form: Form::Override,
        schema: Some(written::<Override>()),
        examples: samples::overrides(),
        read: json::<Override>,
    };
    channel("override", "out._override.{lane}", "What lanes read before they decide.", vec![message])
}

fn marks() -> Channel {
    let message = Message {
        name: "mark".to_owned(),
        title: "Mark".to_owned(),
        summary: "How far a lane has committed; one remains for each lane.".to_owned(),
        form: Form::Mark,
        schema: Some(written::<Mark>()),
        examples: samples::mark(),
        read: json::<Mark>,
    };
    channel("mark", "out._mark.{lane}", "How far the lanes have committed.", vec![message])
}
